//! The end of the certificate that the ingress gateway serves.

use k8s_openapi::jiff::{SignedDuration, Timestamp};

use crate::intent::Intent;
use crate::intent::tls::Tls;
use crate::observed::Observed;
use crate::text::counted;

/// How long before its end a certificate is in the status.
const NOTICE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// When the served certificate ends, for the status; `None` while that is far away.
pub(super) fn expiry(intent: &Intent, observed: &Observed, now: Timestamp) -> Option<String> {
    let (mesh, ingress) = (intent.mesh()?, intent.ingress.as_ref()?);
    if ingress.tls == Tls::Off {
        return None;
    }
    let certificate = observed.served_certificate(&mesh.gateway.name)?;
    let day = certificate.last_day();
    let left = certificate.expires.duration_since(now);
    if certificate.has_expired(now) {
        return Some(format!(
            "the certificate of the ingress gateway expired on {day}"
        ));
    }
    let days = usize::try_from(left.as_hours() / 24).unwrap_or_default();
    let when = match days {
        0 => "within a day".to_owned(),
        days => format!("in {}", counted(days, "day")),
    };
    (left < NOTICE)
        .then(|| format!("the certificate of the ingress gateway expires on {day}, {when}"))
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use expect_test::expect;
    use serde_json::json;

    use super::*;
    use crate::certificates::tests::{Authority, key};
    use crate::intent::ingress::Ingress;
    use crate::k8s::object::Object;
    use crate::simulated::Simulated;

    #[test]
    fn the_end_of_what_is_served_is_told_thirty_days_before() {
        let mut observed = Observed {
            namespace: "mesh".to_owned(),
            ..Observed::default()
        };
        let text = Authority::root().sign(&key());
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": "istio-gateway-gateway-secret", "namespace": "mesh"},
            "data": {"tls.crt": STANDARD.encode(text)},
        });
        observed.add([Object::from_value(secret).unwrap()]);
        let mut intent = Simulated::new(&[]).intent;
        let mut told = |tls, now: &str| {
            intent.ingress = Some(Ingress {
                tls,
                ..Ingress::default()
            });
            let note = expiry(&intent, &observed, now.parse().unwrap());
            note.unwrap_or_default()
        };
        let lines = [
            told(Tls::AsBefore, "2030-12-01T12:00:00Z"),
            told(Tls::AsBefore, "2030-12-02T12:00:00Z"),
            told(Tls::AsBefore, "2030-12-30T12:00:00Z"),
            told(Tls::AsBefore, "2030-12-31T12:00:00Z"),
            told(Tls::AsBefore, "2031-01-01T00:00:00Z"),
            told(Tls::Off, "2031-01-01T00:00:00Z"),
        ];
        expect![[r#"

            the certificate of the ingress gateway expires on 2031-01-01, in 29 days
            the certificate of the ingress gateway expires on 2031-01-01, in 1 day
            the certificate of the ingress gateway expires on 2031-01-01, within a day
            the certificate of the ingress gateway expired on 2031-01-01
        "#]]
        .assert_eq(&lines.join("\n"));
    }
}

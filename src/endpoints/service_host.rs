//! Services of the cluster, as charms name them in addresses.

use crate::k8s::names::is_label;
use crate::text::quoted;

/// The domain of the cluster.
const DOMAIN: &str = ".cluster.local";

/// A Service of the cluster. The proxies of a mesh know no other hosts, unless somebody has made
/// one known with a `ServiceEntry`
/// (<https://istio.io/latest/docs/ops/configuration/traffic-management/traffic-routing/>).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ServiceHost {
    /// Its name.
    pub(super) service: String,
    /// Its namespace.
    pub(super) namespace: String,
}

impl ServiceHost {
    /// The Service with this name of a host: `<service>.<namespace>.svc`, with the domain of the
    /// cluster or without. Shorter ones mean something else in each namespace.
    ///
    /// # Errors
    /// When it is the name of another host, in words that go on from where it stands.
    pub(super) fn parse(host: &str) -> Result<Self, String> {
        let inside = host.strip_suffix(DOMAIN).unwrap_or(host);
        let parts = inside
            .strip_suffix(".svc")
            .and_then(|it| it.split_once('.'));
        match parts {
            Some((service, namespace)) if is_label(service) && is_label(namespace) => Ok(Self {
                service: service.to_owned(),
                namespace: namespace.to_owned(),
            }),
            _ => Err(format!(
                "{} is no Service of this cluster by its whole name, \
                 <service>.<namespace>.svc{DOMAIN}, and proxies know no other hosts",
                quoted(host)
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_names_of_services_are_taken() {
        let parsed = Ok(ServiceHost {
            service: "oauth2-proxy".to_owned(),
            namespace: "iam".to_owned(),
        });
        for whole in ["oauth2-proxy.iam.svc.cluster.local", "oauth2-proxy.iam.svc"] {
            assert_eq!(ServiceHost::parse(whole), parsed);
        }
        for other in [
            "",
            "oauth2-proxy",
            "oauth2-proxy.iam",
            "auth.example.com",
            "10.1.2.3",
            "Proxy.iam.svc.cluster.local",
            "iam.svc.cluster.local",
            "tempo-0.tempo-endpoints.cos.svc.cluster.local",
        ] {
            assert!(ServiceHost::parse(other).is_err(), "{other:?}");
        }
        expect_test::expect!["'auth.example.com' is no Service of this cluster by its whole name, <service>.<namespace>.svc.cluster.local, and proxies know no other hosts"]
            .assert_eq(&ServiceHost::parse("auth.example.com").unwrap_err());
    }
}

//! What the injection configuration in a cluster injects into new pods.

use serde_json::Value;

use crate::istio::Injection;
use crate::k8s::object::Object;
use crate::k8s::version::{self, IstioVersion};

/// What a pod that is created now gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewPods {
    /// What redirects its traffic.
    pub injection: Injection,
    /// The version of its proxy; `None` when the image's tag is not a version.
    pub proxy: Option<IstioVersion>,
}

impl NewPods {
    /// Reads it from the ConfigMap `istio-sidecar-injector`; `None` when its values cannot be read.
    ///
    /// Both Istio's installer and this charm keep it in the values that istiod reads.
    pub fn of(injector_config: &Object) -> Option<Self> {
        let values = injector_config.at("/data/values")?.as_str()?;
        let values: Value = serde_json::from_str(values).ok()?;
        let text = |pointer: &str| values.pointer(pointer).and_then(Value::as_str);
        let enabled = values
            .pointer("/pilot/cni/enabled")
            .and_then(Value::as_bool);
        // An image with a slash is a whole reference, as in upstream's helper template.
        let tag = match text("/global/proxy/image") {
            Some(image) if image.contains('/') => version::tag(image),
            _ => text("/global/tag"),
        };
        Some(Self {
            injection: match enabled {
                Some(true) => Injection::IstioValidation,
                Some(false) | None => Injection::IstioInit,
            },
            proxy: tag.and_then(IstioVersion::parse),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn config(values: &str) -> Object {
        Object::from_value(json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "istio-sidecar-injector", "namespace": "mesh"},
            "data": {"values": values},
        }))
        .unwrap()
    }

    #[track_caller]
    fn check(values: &Value, injection: Injection, proxy: Option<&str>) {
        let proxy = proxy.map(|it| IstioVersion::parse(it).unwrap());
        let expected = NewPods { injection, proxy };
        assert_eq!(NewPods::of(&config(&values.to_string())), Some(expected));
    }

    #[test]
    fn the_values_show_the_init_container_and_the_proxy() {
        check(
            &json!({
                "global": {"tag": "1.31.1", "proxy": {"image": "proxyv2"}},
                "pilot": {"cni": {"enabled": true}},
            }),
            Injection::IstioValidation,
            Some("1.31.1"),
        );
        let latest = json!({"global": {"tag": "latest"}});
        check(&latest, Injection::IstioInit, None);
        let own = json!({
            "global": {"tag": "latest", "proxy": {"image": "r.test:5000/envoy:1.30.7"}},
        });
        check(&own, Injection::IstioInit, Some("1.30.7"));
    }

    #[test]
    fn values_that_cannot_be_read_show_nothing() {
        assert_eq!(NewPods::of(&config("{")), None);
    }
}

//! What `metadata.yaml` says of endpoints.

use std::sync::LazyLock;

use juju::serialized_data::Interface;
use serde_json::Value;

/// The file that Juju reads, too.
static METADATA: LazyLock<Value> =
    LazyLock::new(|| serde_yaml::from_str(include_str!("../../metadata.yaml")).unwrap_or_default());

/// The interface of an endpoint that this charm provides, in the encoding of the
/// serialized-data-interface. A test holds that each can be read.
pub(super) fn interface(endpoint: &str) -> Interface {
    let entry = &METADATA["provides"][endpoint];
    Interface::of_endpoint(entry, "requires").unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_interface_that_is_declared_can_be_read() {
        let versions = |endpoint| {
            let interface = interface(endpoint);
            let versions = interface.versions().map(|it| it.to_string());
            versions.collect::<Vec<_>>()
        };
        assert_eq!(versions("istio-pilot"), ["v1"]);
        assert_eq!(versions("ingress"), ["v1", "v2"]);
        assert_eq!(versions("ingress-auth"), ["v1"]);
        assert_eq!(versions("gateway-info"), Vec::<String>::new());
    }
}

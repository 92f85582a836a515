//! The Gateway that the charms of gateways and of routes agree on.

use std::collections::BTreeMap;

use istio_api::networking::Gateway;
use istio_api::networking::gateway::{GatewaySpec, Port, Server};

/// The label that selects the pods of the charm istio-gateway, with its value.
pub(super) const SELECTOR: (&str, &str) = ("istio", "ingressgateway");

/// The port on which those pods listen for HTTP.
pub(super) const HTTP_PORT: u32 = 8080;
/// The port on which they listen for HTTPS.
pub(super) const HTTPS_PORT: u32 = 8443;

/// The Gateway with this name, which serves every host over plain HTTP.
pub(super) fn gateway(name: &str, namespace: &str) -> Gateway {
    let (label, value) = SELECTOR;
    let specification = GatewaySpec {
        selector: Some(BTreeMap::from([(label.to_owned(), value.to_owned())])),
        servers: Some(vec![Server {
            hosts: vec!["*".to_owned()],
            port: Port {
                name: "http".to_owned(),
                number: HTTP_PORT,
                protocol: "HTTP".to_owned(),
                ..Port::default()
            },
            ..Server::default()
        }]),
    };
    let mut gateway = Gateway::new(name, specification);
    gateway.metadata.namespace = Some(namespace.to_owned());
    gateway
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn it_selects_the_gateways_pods_and_serves_every_host_where_they_listen() {
        let gateway = serde_json::to_value(gateway("public", "mesh")).unwrap();
        let expected = json!({
            "apiVersion": "networking.istio.io/v1",
            "kind": "Gateway",
            "metadata": {"name": "public", "namespace": "mesh"},
            "spec": {
                "selector": {"istio": "ingressgateway"},
                "servers": [{
                    "hosts": ["*"],
                    "port": {"name": "http", "number": 8080, "protocol": "HTTP"},
                }],
            },
        });
        assert_eq!(gateway, expected);
    }
}

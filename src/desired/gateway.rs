//! The Gateway that the charms of gateways and of routes agree on.

use std::collections::BTreeMap;

use istio_api::networking::Gateway;
use istio_api::networking::gateway::{GatewaySpec, Port, Server, ServerTlsMode, ServerTlsSettings};

use crate::istio::names::gateway_secret;

/// The label that selects the pods of the charm istio-gateway, with its value.
pub(super) const SELECTOR: (&str, &str) = ("istio", "ingressgateway");

/// The port on which those pods listen for HTTP.
pub(super) const HTTP_PORT: u32 = 8080;
/// The port on which they listen for HTTPS.
pub(super) const HTTPS_PORT: u32 = 8443;

/// How a Gateway serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    /// Plain HTTP.
    Http,
    /// HTTPS, with the certificate in the Gateway's Secret.
    Https,
    /// HTTPS, and plain HTTP only to send clients there.
    HttpsAndRedirect,
}

/// The Gateway with this name, which serves every host.
pub(super) fn gateway(name: &str, namespace: &str, scheme: Scheme) -> Gateway {
    let (label, value) = SELECTOR;
    let specification = GatewaySpec {
        selector: Some(BTreeMap::from([(label.to_owned(), value.to_owned())])),
        servers: Some(match scheme {
            Scheme::Http => vec![http(None)],
            Scheme::Https => vec![https(name)],
            Scheme::HttpsAndRedirect => {
                let redirect = ServerTlsSettings {
                    https_redirect: Some(true),
                    ..ServerTlsSettings::default()
                };
                vec![https(name), http(Some(redirect))]
            }
        }),
    };
    let mut gateway = Gateway::new(name, specification);
    gateway.metadata.namespace = Some(namespace.to_owned());
    gateway
}

fn http(tls: Option<ServerTlsSettings>) -> Server {
    server("http", HTTP_PORT, tls)
}

fn https(gateway: &str) -> Server {
    let settings = ServerTlsSettings {
        mode: Some(ServerTlsMode::Simple),
        credential_name: Some(gateway_secret(gateway)),
        ..ServerTlsSettings::default()
    };
    server("https", HTTPS_PORT, Some(settings))
}

fn server(name: &str, number: u32, tls: Option<ServerTlsSettings>) -> Server {
    Server {
        hosts: vec!["*".to_owned()],
        port: Port {
            name: name.to_owned(),
            number,
            protocol: name.to_uppercase(),
            ..Port::default()
        },
        tls,
        ..Server::default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn it_selects_the_gateways_pods_and_serves_every_host_where_they_listen() {
        let gateway = serde_json::to_value(gateway("public", "mesh", Scheme::Http)).unwrap();
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

    #[test]
    fn it_serves_https_with_its_own_secret_and_may_redirect_to_it() {
        let servers = |scheme| {
            let gateway = serde_json::to_value(gateway("public", "mesh", scheme)).unwrap();
            gateway["spec"]["servers"].clone()
        };
        let https = json!({
            "hosts": ["*"],
            "port": {"name": "https", "number": 8443, "protocol": "HTTPS"},
            "tls": {"mode": "SIMPLE", "credentialName": "public-gateway-secret"},
        });
        let redirect = json!({
            "hosts": ["*"],
            "port": {"name": "http", "number": 8080, "protocol": "HTTP"},
            "tls": {"httpsRedirect": true},
        });
        assert_eq!(servers(Scheme::Https), json!([https]));
        assert_eq!(servers(Scheme::HttpsAndRedirect), json!([https, redirect]));
    }
}

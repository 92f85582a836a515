//! The certificate of the Gateway, where the gateway's pods get it.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::intent::tls::ServerCertificate;
use crate::istio::names::gateway_secret;

/// The Secret that the Gateway of that name has its certificate from
/// (<https://istio.io/latest/docs/tasks/traffic-management/ingress/secure-ingress/>).
pub(super) fn secret(certificate: &ServerCertificate, gateway: &str, namespace: &str) -> Secret {
    let ServerCertificate { chain, key } = certificate;
    let value = |text: &str| ByteString(text.as_bytes().to_vec());
    Secret {
        metadata: ObjectMeta {
            name: Some(gateway_secret(gateway)),
            namespace: Some(namespace.to_owned()),
            ..ObjectMeta::default()
        },
        type_: Some("kubernetes.io/tls".to_owned()),
        data: Some(BTreeMap::from([
            ("tls.crt".to_owned(), value(chain)),
            ("tls.key".to_owned(), value(key.pem())),
        ])),
        ..Secret::default()
    }
}

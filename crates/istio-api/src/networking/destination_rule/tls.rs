use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use crate::schema::nullable;

/// TLS of connections to a service. Certificates come from a secret (`credentialName`) or from files
/// of the proxy.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClientTlsSettings {
    /// How TLS is used.
    pub mode: Option<ClientTlsMode>,
    /// The path of the client's certificate, for `MUTUAL`.
    pub client_certificate: Option<String>,
    /// The path of the client's private key, for `MUTUAL`.
    pub private_key: Option<String>,
    /// The path of the certificates of authorities that the server's certificate is checked against;
    /// those of the operating system by default.
    pub ca_certificates: Option<String>,
    /// The secret with certificates and key, in the namespace of the proxy. At sidecars, a
    /// `workloadSelector` is needed.
    pub credential_name: Option<String>,
    /// Names of which one must be in the server's certificate; those of the service entry by default.
    pub subject_alt_names: Option<Vec<String>>,
    /// The name that the server is asked for (SNI); the host of the request by default.
    pub sni: Option<String>,
    /// Whether the server's certificate is not checked; false by default.
    #[schemars(transform = nullable)]
    pub insecure_skip_verify: Option<bool>,
    /// The path of a list of revoked server certificates; not checked if not set.
    pub ca_crl: Option<String>,
}

/// How a client uses TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ClientTlsMode {
    /// Not at all.
    Disable,
    /// Without a certificate of its own.
    Simple,
    /// With a certificate of its own.
    Mutual,
    /// With the certificate that Istio gives the workload; the other fields stay empty.
    IstioMutual,
}

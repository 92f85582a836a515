//! TLS of connections to a service.
//!
//! Follows <https://istio.io/latest/docs/reference/config/networking/destination-rule/>.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use crate::schema::nullable;

/// TLS of connections to a service. Certificates come from a secret (`credentialName`) or from
/// files of the proxy.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClientTlsSettings {
    /// How TLS is used; `DISABLE` by default.
    pub mode: Option<ClientTlsMode>,
    /// The path of the client's certificate; needed for `MUTUAL` without `credentialName`.
    pub client_certificate: Option<String>,
    /// The path of the client's private key; needed for `MUTUAL` without `credentialName`.
    pub private_key: Option<String>,
    /// The path of the certificates of authorities that the server's certificate is checked
    /// against; those of the operating system by default.
    pub ca_certificates: Option<String>,
    /// The secret with certificates and key, in the proxy's namespace; not together with the paths.
    /// At sidecars, a `workloadSelector` is needed.
    pub credential_name: Option<String>,
    /// Names of which one must be in the server's certificate; by default those of the service
    /// entry, or else the host of the request.
    pub subject_alt_names: Option<Vec<String>>,
    /// The name that the server is asked for (SNI); the host of the request by default, for
    /// `SIMPLE` and `MUTUAL`.
    pub sni: Option<String>,
    /// Whether neither authority nor names of the server's certificate are checked; false by
    /// default.
    #[schemars(transform = nullable)]
    pub insecure_skip_verify: Option<bool>,
    /// The path of a list of revoked server certificates; not checked if not set. With
    /// `credentialName`, the list is in the secret.
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

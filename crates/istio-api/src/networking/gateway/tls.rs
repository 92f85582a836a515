//! TLS of connections to a gateway or to a sidecar.
//!
//! Follows <https://istio.io/latest/docs/reference/config/networking/gateway/>.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use crate::schema::{Rule, nullable, rules};

const NAMES_OR_FILES: Rule = Rule {
    message: "only one of credentialNames or tlsCertificates can be set",
    rule: "(has(self.tlsCertificates) ? 1 : 0) + (has(self.credentialNames) ? 1 : 0) <= 1",
};
const NAME_OR_NAMES: Rule = Rule {
    message: "only one of credentialName or credentialNames can be set",
    rule: "(has(self.credentialName) ? 1 : 0) + (has(self.credentialNames) ? 1 : 0) <= 1",
};
/// Upstream's expression does not check what its message says; the API server must answer alike.
const NAME_OR_FILES: Rule = Rule {
    message: "only one of credentialName or tlsCertificates can be set",
    rule: "(has(self.credentialNames) ? 1 : 0) + (has(self.tlsCertificates) ? 1 : 0) <= 1",
};

/// TLS of a server. Certificates come from secrets (`credentialName`, `credentialNames`) or from
/// files of the proxy (`tlsCertificates`, or `serverCertificate` with `privateKey`).
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = rules(&[NAMES_OR_FILES, NAME_OR_NAMES, NAME_OR_FILES]))]
pub struct ServerTlsSettings {
    /// Whether plain HTTP is answered with a redirect, status 301, to HTTPS; false by default.
    pub https_redirect: Option<bool>,
    /// How TLS is used; `PASSTHROUGH` by default.
    pub mode: Option<ServerTlsMode>,
    /// The path of the server's certificate; needed for `SIMPLE` and `MUTUAL` without secrets.
    pub server_certificate: Option<String>,
    /// The path of the server's private key; needed for `SIMPLE` and `MUTUAL` without secrets.
    pub private_key: Option<String>,
    /// The path of the certificates of authorities that clients' certificates are checked against;
    /// needed for `MUTUAL` and `OPTIONAL_MUTUAL`.
    pub ca_certificates: Option<String>,
    /// The path of a list of revoked client certificates; not checked if not set.
    pub ca_crl: Option<String>,
    /// The secret with certificate and key, and for mutual TLS also the authorities' certificates,
    /// in the namespace of the gateway's pods; not together with files.
    pub credential_name: Option<String>,
    /// One or two secrets, so that clients can choose between RSA and ECDSA.
    #[schemars(length(min = 1, max = 2))]
    pub credential_names: Option<Vec<String>>,
    /// The secret or config map with the authorities' certificates for mutual TLS; it goes before
    /// those in the secrets above.
    pub ca_cert_credential_name: Option<String>,
    /// One or two pairs of files, so that clients can choose between RSA and ECDSA.
    #[schemars(length(min = 1, max = 2))]
    pub tls_certificates: Option<Vec<TlsCertificate>>,
    /// Names of which one must be in the client's certificate; for `MUTUAL`, and not checked if not
    /// set.
    pub subject_alt_names: Option<Vec<String>>,
    /// SHA-256 sums, in base64, of the public keys of clients that are let in.
    pub verify_certificate_spki: Option<Vec<String>>,
    /// SHA-256 sums, in hexadecimal digits, of the certificates of clients that are let in. A
    /// client that fits this list or the one before is let in.
    pub verify_certificate_hash: Option<Vec<String>>,
    /// The oldest protocol; `TLSV1_2` by default. Older ones also need `cipherSuites`.
    pub min_protocol_version: Option<TlsProtocol>,
    /// The newest protocol; the proxy's own choice by default.
    pub max_protocol_version: Option<TlsProtocol>,
    /// The cipher suites, by OpenSSL's names; Envoy's own choice by default.
    pub cipher_suites: Option<Vec<String>>,
    /// Whether clients are let in even if their certificate is not valid; false by default.
    #[schemars(transform = nullable)]
    pub insecure_skip_verify: Option<bool>,
}

/// Files of the proxy with a certificate.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TlsCertificate {
    /// The path of the server's certificate.
    pub server_certificate: Option<String>,
    /// The path of the server's private key.
    pub private_key: Option<String>,
    /// The path of the certificates of authorities that clients' certificates are checked against.
    pub ca_certificates: Option<String>,
}

/// How a server uses TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ServerTlsMode {
    /// It does not terminate TLS; virtual services route by the name that the client asks for
    /// (SNI).
    Passthrough,
    /// It terminates TLS; clients need no certificate.
    Simple,
    /// It terminates TLS; clients need a valid certificate.
    Mutual,
    /// It does not terminate TLS; the name that the client asks for says the service, without a
    /// virtual service. For traffic between networks.
    AutoPassthrough,
    /// As `MUTUAL`, with the certificates that Istio gives the gateway; the other fields stay
    /// empty.
    IstioMutual,
    /// As `MUTUAL`, but clients without a certificate are let in.
    OptionalMutual,
}

/// A version of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum TlsProtocol {
    /// The proxy chooses.
    #[serde(rename = "TLS_AUTO")]
    Auto,
    /// TLS 1.0.
    #[serde(rename = "TLSV1_0")]
    V1_0,
    /// TLS 1.1.
    #[serde(rename = "TLSV1_1")]
    V1_1,
    /// TLS 1.2.
    #[serde(rename = "TLSV1_2")]
    V1_2,
    /// TLS 1.3.
    #[serde(rename = "TLSV1_3")]
    V1_3,
}

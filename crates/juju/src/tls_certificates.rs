//! Databags of the interface `tls-certificates`, version 1: JSON under each key.
//!
//! The one who wants certificates writes its requests into its unit's databag, and the provider
//! answers in its application's (`tls_certificates_interface` of the libraries 3 and 4, and
//! `charmlibs.interfaces.tls_certificates` 1.12).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::python_json;
use crate::relation::Databag;

/// The key of the requests.
pub const REQUESTS: &str = "certificate_signing_requests";
/// The key of the certificates.
const CERTIFICATES: &str = "certificates";
/// The key of requests that got no certificate.
const ERRORS: &str = "request_errors";
/// The key of what the provider can do.
const CAPABILITIES: &str = "capabilities";

/// A request for a certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The request in PEM.
    pub certificate_signing_request: String,
    /// Whether the certificate may sign others.
    #[serde(default)]
    pub ca: bool,
}

/// The requests that a databag holds; none where they cannot be read, as the one who wrote them can
/// only write them again.
pub fn requests(databag: &Databag) -> Vec<Request> {
    let text = databag.get(REQUESTS).unwrap_or("[]");
    serde_json::from_str(text).unwrap_or_default()
}

/// Requests as a databag holds them, byte for byte as the library in Python writes them.
///
/// # Errors
/// Never, as a request is text and a truth value.
pub fn to_text(requests: &[Request]) -> serde_json::Result<String> {
    python_json::to_string(requests)
}

/// What a provider answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Provided {
    /// The certificates.
    pub certificates: Vec<Issued>,
    /// Requests that got no certificate.
    pub refusals: Vec<Refusal>,
    /// What the provider can do; `None` where it does not say.
    pub capabilities: Option<Capabilities>,
    /// What cannot be read, in words that go on from the name of the relation; the rest counts
    /// nevertheless.
    pub unreadable: Vec<String>,
}

/// A certificate.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Issued {
    /// In PEM.
    pub certificate: String,
    /// The request that it answers.
    pub certificate_signing_request: String,
    /// The certificate of the authority.
    pub ca: String,
    /// The certificates between the two and often both of them, in either order.
    #[serde(default)]
    pub chain: Option<Vec<String>>,
    /// How many hours before it expires it should be renewed.
    #[serde(default)]
    pub recommended_expiry_notification_time: Option<i64>,
    /// Whether it must not be used any more.
    #[serde(default)]
    pub revoked: Option<bool>,
}

impl Issued {
    /// Whether it answers that request.
    pub fn answers(&self, request: &str) -> bool {
        self.certificate_signing_request.trim() == request.trim()
    }
}

/// A request that got no certificate.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Refusal {
    /// The request.
    pub csr: String,
    /// Why.
    pub error: RefusalReason,
}

/// Why a request got no certificate.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct RefusalReason {
    /// 101 to 103: what is asked for is not allowed; 201: the provider's server does not answer.
    pub code: i64,
    /// In words.
    pub message: String,
}

impl RefusalReason {
    /// Whether time may mend it: the provider's server does not answer.
    pub fn is_passing(&self) -> bool {
        (200..300).contains(&self.code)
    }
}

/// What a provider can do. `None` is not said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Capabilities {
    /// Whether certificates may be for addresses.
    #[serde(default)]
    pub supports_ip_sans: Option<bool>,
    /// Whether certificates may be for all names below a domain.
    #[serde(default)]
    pub supports_wildcard_dns: Option<bool>,
    /// The domains that certificates may be for.
    #[serde(default)]
    pub allowed_domains: Option<Vec<String>>,
}

impl Provided {
    /// What the databag of a provider holds.
    pub fn read(databag: &Databag) -> Self {
        let mut unreadable = Vec::new();
        let certificates = list(databag, CERTIFICATES, &mut unreadable);
        let refusals = list(databag, ERRORS, &mut unreadable);
        let capabilities = databag.get(CAPABILITIES).map(serde_json::from_str);
        let capabilities = capabilities.transpose().unwrap_or_else(|error| {
            unreadable.push(format!("`{CAPABILITIES}` cannot be read: {error}"));
            None
        });
        Self {
            certificates,
            refusals,
            capabilities: capabilities.flatten(),
            unreadable,
        }
    }
}

/// The items of a list that can be read.
fn list<T: for<'a> Deserialize<'a>>(
    databag: &Databag,
    key: &str,
    unreadable: &mut Vec<String>,
) -> Vec<T> {
    let Some(text) = databag.get(key) else {
        return Vec::new();
    };
    let Ok(items) = serde_json::from_str::<Vec<Value>>(text) else {
        unreadable.push(format!("`{key}` is no list in JSON"));
        return Vec::new();
    };
    let mut read = Vec::new();
    for (index, item) in items.into_iter().enumerate() {
        match serde_json::from_value(item) {
            Ok(item) => read.push(item),
            Err(error) => unreadable.push(format!(
                "item {} of `{key}` cannot be read: {error}",
                index + 1
            )),
        }
    }
    read
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_written_as_the_library_writes_them() {
        let request = Request {
            certificate_signing_request: "-----BEGIN CERTIFICATE REQUEST-----\nMII\n-----END \
                                          CERTIFICATE REQUEST-----"
                .to_owned(),
            ca: false,
        };
        let text = to_text(std::slice::from_ref(&request)).unwrap();
        assert_eq!(
            text,
            r#"[{"certificate_signing_request": "-----BEGIN CERTIFICATE REQUEST-----\nMII\n-----END CERTIFICATE REQUEST-----", "ca": false}]"#
        );
        let databag = Databag::from([(REQUESTS, text.as_str())]);
        assert_eq!(requests(&databag), [request]);
        assert_eq!(requests(&Databag::from([(REQUESTS, "{")])), []);
        assert_eq!(requests(&Databag::default()), []);
    }

    #[test]
    fn what_libraries_of_all_ages_write_is_read() {
        let old = r#"[{"certificate": "C", "certificate_signing_request": "R\n", "ca": "A",
            "chain": ["C", "A"], "recommended_expiry_notification_time": 24}]"#;
        let new = r#"[{"certificate": "C", "certificate_signing_request": "R", "ca": "A",
            "chain": ["C"], "revoked": true}]"#;
        let errors = r#"[{"csr": "R", "error": {"code": 201, "name": "SERVER_NOT_AVAILABLE",
            "message": "later", "reason": null, "provider": "lego", "endpoint": null}}]"#;
        let old = Provided::read(&Databag::from([("certificates", old)]));
        assert!(old.certificates[0].answers("R"));
        let hours = old.certificates[0].recommended_expiry_notification_time;
        assert_eq!((hours, old.unreadable), (Some(24), Vec::new()));
        let new = Provided::read(&Databag::from([
            ("certificates", new),
            ("request_errors", errors),
            ("capabilities", r#"{"supports_ip_sans": false}"#),
        ]));
        assert_eq!(new.certificates[0].revoked, Some(true));
        assert!(new.refusals[0].error.is_passing());
        assert_eq!(new.capabilities.unwrap().supports_ip_sans, Some(false));
    }

    #[test]
    fn what_cannot_be_read_is_told_and_the_rest_counts() {
        let good = r#"{"certificate": "C", "certificate_signing_request": "R", "ca": "A"}"#;
        let some = format!(r#"[{good}, {{"ca": 1}}, {good}]"#);
        let read = Provided::read(&Databag::from([
            ("certificates", some.as_str()),
            ("request_errors", "{"),
            ("capabilities", "5"),
        ]));
        assert_eq!(read.certificates.len(), 2);
        let beginnings = [
            "item 2 of `certificates` cannot be read: invalid type: integer `1`, expected a string",
            "`request_errors` is no list in JSON",
            "`capabilities` cannot be read: ",
        ];
        assert_eq!(read.unreadable.len(), beginnings.len());
        for (told, beginning) in read.unreadable.iter().zip(beginnings) {
            assert!(told.starts_with(beginning), "{told}");
        }
    }
}

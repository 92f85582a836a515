//! Certificates, and the chain from one to its authority.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::Unusable;

/// What has to be known of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    text: String,
    /// From when on it is valid.
    pub begins: Timestamp,
    /// Until when it is valid.
    pub expires: Timestamp,
    /// Whether it may sign other certificates.
    pub is_authority: bool,
    /// Its public key, as a `SubjectPublicKeyInfo`.
    pub public_key: Vec<u8>,
    subject: Vec<u8>,
    issuer: Vec<u8>,
}

impl Certificate {
    /// Reads the first certificate of a text in PEM.
    ///
    /// # Errors
    /// When there is none, or it cannot be read.
    pub fn from_pem(text: &str) -> Result<Self, Unusable> {
        let der = CertificateDer::from_pem_slice(text.as_bytes());
        let der = der.map_err(|_| Unusable("is no certificate in PEM"))?;
        Self::read(&der, text).ok_or(Unusable("has a certificate that cannot be read"))
    }

    fn read(der: &[u8], text: &str) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let validity = certificate.validity();
        let time = |seconds| Timestamp::from_second(seconds).ok();
        Some(Self {
            text: text.trim().to_owned(),
            begins: time(validity.not_before.timestamp())?,
            expires: time(validity.not_after.timestamp())?,
            is_authority: certificate.is_ca(),
            public_key: certificate.public_key().raw.to_owned(),
            subject: certificate.subject().as_raw().to_owned(),
            issuer: certificate.issuer().as_raw().to_owned(),
        })
    }

    /// Its text, without spaces around it.
    pub fn pem(&self) -> &str {
        &self.text
    }

    /// Whether it is valid no longer.
    pub fn has_expired(&self, now: Timestamp) -> bool {
        now >= self.expires
    }

    /// The last day on which it is valid, as in `2026-11-28`.
    pub fn last_day(&self) -> String {
        self.expires.strftime("%Y-%m-%d").to_string()
    }

    /// When it should be renewed if its authority says nothing: after two thirds of its validity.
    pub fn renewal(&self) -> Timestamp {
        let validity = self.expires.duration_since(self.begins);
        let third = validity / 3;
        self.expires
            .checked_sub(third.max(SignedDuration::ZERO))
            .unwrap_or(self.expires)
    }

    fn is_issued_by(&self, other: &Self) -> bool {
        self.issuer == other.subject
    }

    fn is_self_issued(&self) -> bool {
        self.issuer == self.subject
    }
}

/// The certificates of a text in PEM, each as a text of its own that has nothing else: somebody may
/// have sent a key with them.
///
/// # Errors
/// When there is none, or one cannot be read.
pub fn single(text: &str) -> Result<Vec<String>, Unusable> {
    let mut found = Vec::new();
    for der in CertificateDer::pem_slice_iter(text.as_bytes()) {
        let der = der.map_err(|_| Unusable("is no certificate in PEM"))?;
        let read = X509Certificate::from_der(&der);
        if !read.is_ok_and(|(rest, _)| rest.is_empty()) {
            return Err(Unusable("has a certificate that cannot be read"));
        }
        found.push(pem(&der));
    }
    if found.is_empty() {
        return Err(Unusable("is no certificate in PEM"));
    }
    Ok(found)
}

/// A certificate in PEM (RFC 7468, section 5).
fn pem(der: &[u8]) -> String {
    let mut text = "-----BEGIN CERTIFICATE-----\n".to_owned();
    let encoded = STANDARD.encode(der);
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        let (line, others) = rest.split_at(rest.len().min(64));
        text.push_str(line);
        text.push('\n');
        rest = others;
    }
    text + "-----END CERTIFICATE-----\n"
}

/// A certificate and those that lead from it to its authority, in the order in which a server sends
/// them (RFC 8446, section 4.4.2): each was issued by the next.
///
/// Authorities order `others` in either way, and may name the certificate itself among them.
pub fn chain(leaf: &Certificate, others: &[Certificate]) -> String {
    let mut chain = vec![leaf];
    loop {
        let last = chain[chain.len() - 1];
        let next = others
            .iter()
            .find(|it| last.is_issued_by(it) && !chain.iter().any(|known| known.text == it.text));
        match next {
            Some(issuer) if !last.is_self_issued() => chain.push(issuer),
            _ => break,
        }
    }
    let texts = chain.into_iter().map(|it| format!("{}\n", it.pem()));
    texts.collect()
}

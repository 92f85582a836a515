//! Requests for certificates.

use core::net::IpAddr;

use rcgen::{CertificateParams, DistinguishedName, DnType};
use sha2::{Digest, Sha256};
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::pem::parse_x509_pem;
use x509_parser::prelude::FromDer;

use super::{PrivateKey, Subject, Unusable};

/// X.520's `x500UniqueIdentifier`. It tells two requests for one name apart.
const UNIQUE_IDENTIFIER: [u64; 4] = [2, 5, 4, 45];

/// The longest common name (`ub-common-name` of RFC 5280, appendix A.1).
const LONGEST_COMMON_NAME: usize = 64;

/// A request for a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningRequest {
    text: String,
    /// What the certificate is to be for, sorted.
    pub subjects: Vec<Subject>,
    /// The public key, as a `SubjectPublicKeyInfo`.
    pub public_key: Vec<u8>,
}

impl SigningRequest {
    /// Requests a certificate for a key. The first subject that fits is also the common name.
    ///
    /// Authorities answer one request once: to be asked again, as for a renewal, they need another
    /// `replaces`, which is the text of the certificate that this one will replace.
    ///
    /// # Errors
    /// When the key cannot sign.
    pub fn new(
        key: &PrivateKey,
        subjects: &[Subject],
        replaces: Option<&str>,
    ) -> Result<Self, rcgen::Error> {
        let names: Vec<String> = subjects.iter().map(ToString::to_string).collect();
        let mut name = DistinguishedName::new();
        if let Some(common) = names.iter().find(|it| it.len() <= LONGEST_COMMON_NAME) {
            name.push(DnType::CommonName, common.as_str());
        }
        let unique = unique_identifier(key, &names, replaces);
        name.push(DnType::CustomDnType(UNIQUE_IDENTIFIER.to_vec()), unique);
        let mut parameters = CertificateParams::new(names)?;
        parameters.distinguished_name = name;
        let request = parameters.serialize_request(&*key.pair)?;
        let mut subjects = subjects.to_vec();
        subjects.sort();
        Ok(Self {
            text: request.pem()?.replace('\r', "").trim().to_owned(),
            subjects,
            public_key: key.public_key(),
        })
    }

    /// Reads a request in PEM.
    ///
    /// # Errors
    /// When it is none.
    pub fn from_pem(text: &str) -> Result<Self, Unusable> {
        Self::read(text).ok_or(Unusable("is no certificate signing request in PEM"))
    }

    fn read(text: &str) -> Option<Self> {
        let (_, pem) = parse_x509_pem(text.as_bytes()).ok()?;
        let (_, request) = X509CertificationRequest::from_der(&pem.contents).ok()?;
        let mut subjects = Vec::new();
        for extension in request.requested_extensions().into_iter().flatten() {
            if let ParsedExtension::SubjectAlternativeName(names) = extension {
                subjects.extend(names.general_names.iter().filter_map(subject));
            }
        }
        subjects.sort();
        let information = request.certification_request_info;
        Some(Self {
            text: text.trim().to_owned(),
            subjects,
            public_key: information.subject_pki.raw.to_owned(),
        })
    }

    /// Its text, without spaces around it.
    pub fn pem(&self) -> &str {
        &self.text
    }
}

fn subject(name: &GeneralName<'_>) -> Option<Subject> {
    match name {
        GeneralName::DNSName(name) => Some(Subject::Domain(name.to_ascii_lowercase())),
        GeneralName::IPAddress(bytes) => {
            let four = <[u8; 4]>::try_from(*bytes).map(IpAddr::from);
            let address = four.or_else(|_| <[u8; 16]>::try_from(*bytes).map(IpAddr::from));
            address.ok().map(Subject::Address)
        }
        _ => None,
    }
}

/// In the form of a UUID, as the library `tls-certificates` makes it.
fn unique_identifier(key: &PrivateKey, names: &[String], replaces: Option<&str>) -> String {
    let mut hash = Sha256::new();
    hash.update(key.public_key());
    hash.update(names.join(" "));
    hash.update(replaces.unwrap_or_default());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.finalize()[..16]);
    let hex = format!("{:032x}", u128::from_be_bytes(bytes));
    [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ]
    .join("-")
}

//! Private keys.

use std::fmt;
use std::sync::Arc;

use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, PublicKeyData, RsaKeySize};
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject;

use super::Unusable;

/// A private key. Printing it shows nothing of it.
#[derive(Clone)]
pub struct PrivateKey {
    text: String,
    /// Both halves of the key.
    pub(super) pair: Arc<KeyPair>,
}

/// The kind of a new key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// RSA with 2048 bits, which every client and every authority takes.
    Rsa,
    /// ECDSA on the curve P-256: a handshake costs the server a tenth.
    Ecdsa,
}

impl Algorithm {
    /// The algorithm of that name, as the library `tls-certificates` names it.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "rsa" => Some(Self::Rsa),
            "ecdsa" => Some(Self::Ecdsa),
            _ => None,
        }
    }
}

impl PrivateKey {
    /// A new key.
    ///
    /// # Errors
    /// When the machine has no randomness.
    pub fn generate(algorithm: Algorithm) -> Result<Self, rcgen::Error> {
        let pair = match algorithm {
            Algorithm::Rsa => KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048),
            Algorithm::Ecdsa => KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256),
        }?;
        Ok(Self {
            text: pair.serialize_pem(),
            pair: Arc::new(pair),
        })
    }

    /// Reads a key in PEM: PKCS#8, or the older forms of RSA and EC keys.
    ///
    /// # Errors
    /// When there is none, or one that cannot be used. The message has nothing of the text.
    pub fn from_pem(text: &str) -> Result<Self, Unusable> {
        let der = PrivateKeyDer::from_pem_slice(text.as_bytes());
        let der = der.map_err(|_| Unusable("is no private key in PEM without a passphrase"))?;
        let pair = KeyPair::try_from(&der);
        let pair = pair.map_err(|_| Unusable("is no private key that can be used"))?;
        Ok(Self {
            text: text.to_owned(),
            pair: Arc::new(pair),
        })
    }

    /// The key in PEM, as it was given.
    pub fn pem(&self) -> &str {
        &self.text
    }

    /// The kind of the key; that of new keys where it is neither.
    pub fn algorithm(&self) -> Algorithm {
        if self.pair.is_compatible(&PKCS_RSA_SHA256) {
            Algorithm::Rsa
        } else {
            Algorithm::Ecdsa
        }
    }

    /// The public half, as a `SubjectPublicKeyInfo` (RFC 5280, section 4.1).
    pub fn public_key(&self) -> Vec<u8> {
        self.pair.subject_public_key_info()
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PrivateKey")
    }
}

impl PartialEq for PrivateKey {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for PrivateKey {}

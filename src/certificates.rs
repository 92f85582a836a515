//! Certificates, private keys and requests for certificates, as the texts (PEM) that charms pass on.
//!
//! Pure, but that a new key is random, and so is a signature of a key on an elliptic curve: a request
//! is therefore made once and kept.

mod certificate;
mod key;
mod request;
mod subject;

pub use certificate::{Certificate, chain, single};
pub use key::{Algorithm, PrivateKey};
pub use request::SigningRequest;
pub use subject::Subject;

/// Why a text is not what it should be. The message goes on from the name of the text, and has
/// nothing of its content.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unusable(&'static str);

#[cfg(test)]
pub(crate) mod tests;

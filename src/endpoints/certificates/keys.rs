//! The private keys of a unit.

use crate::certificates::PrivateKey;

/// The private keys of a unit. Printing them shows nothing of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnitKeys {
    /// That of the requests that are made now; `None` before the first.
    pub current: Option<PrivateKey>,
    /// The one before it, as long as a certificate of it is served.
    pub previous: Option<PrivateKey>,
}

impl UnitKeys {
    /// No keys.
    pub(in crate::endpoints) const NONE: &'static Self = &Self {
        current: None,
        previous: None,
    };

    /// The key with that public half.
    pub(super) fn with(&self, public_key: &[u8]) -> Option<&PrivateKey> {
        let keys = self.current.iter().chain(&self.previous);
        keys.into_iter().find(|it| it.public_key() == public_key)
    }
}

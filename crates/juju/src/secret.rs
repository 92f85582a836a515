//! Secrets that Juju keeps: of this charm, of others, of users.
//!
//! Values go to the tools through files that only this user can read, never through arguments, and
//! every value that passes here is masked in later log lines, statuses and errors.

mod wrappers;

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;

use crate::names::{RelationId, SecretId, UnitName};

/// The keys and values of one revision of a secret. Printing it shows the keys only.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct SecretContent(BTreeMap<String, String>);

impl SecretContent {
    /// Content for a new secret or revision.
    ///
    /// # Errors
    /// Names the first key that Juju would refuse: keys have at least 3 characters, lower-case
    /// letters, digits and hyphens, a letter first, a letter or digit last.
    pub fn new(
        values: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, InvalidSecretKey> {
        let values: BTreeMap<_, _> = values.into_iter().collect();
        match values.keys().find(|key| !is_secret_key(key)) {
            Some(key) => Err(InvalidSecretKey(key.clone())),
            None => Ok(Self(values)),
        }
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// The keys.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

impl fmt::Debug for SecretContent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}

/// A key that Juju would refuse.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a key for a secret: use at least 3 lower-case letters, digits and hyphens, \
     a letter first, a letter or digit last"
)]
pub struct InvalidSecretKey(pub String);

fn is_secret_key(key: &str) -> bool {
    let bytes = key.as_bytes();
    bytes.len() >= 3
        && bytes[0].is_ascii_lowercase()
        && bytes[bytes.len() - 1] != b'-'
        && bytes
            .iter()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

/// Names a secret: by id, or by the label that this unit or application gave to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretReference {
    /// By its id.
    Id(SecretId),
    /// By its label.
    Label(String),
}

/// Which revision of a secret to read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Revision {
    /// The one that this unit follows; the newest when it reads the secret for the first time.
    #[default]
    Tracked,
    /// The newest, without following it.
    Peek,
    /// The newest, which is followed from now on.
    Refresh,
}

/// The answer to reading a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretAnswer {
    /// Its content.
    Content(SecretContent),
    /// There is no such secret.
    NotFound,
    /// It is not granted to this application: `juju grant-secret` is missing.
    NotGranted,
}

/// Who owns a new secret.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SecretOwner {
    /// The application; only the leader may add and change it.
    #[default]
    Application,
    /// This unit.
    Unit,
}

/// How often Juju asks the owner for a new revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RotatePolicy {
    /// Never.
    Never,
    /// Every hour.
    Hourly,
    /// Every day.
    Daily,
    /// Every week.
    Weekly,
    /// Every month.
    Monthly,
    /// Every three months.
    Quarterly,
    /// Every year.
    Yearly,
}

impl RotatePolicy {
    fn name(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::Hourly => "hourly",
            Self::Daily => "daily",
            Self::Weekly => "weekly",
            Self::Monthly => "monthly",
            Self::Quarterly => "quarterly",
            Self::Yearly => "yearly",
        }
    }
}

/// What describes a secret; `None` leaves it as it is, or at Juju's default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecretOptions {
    /// The owner's own name for it.
    pub label: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// How often to renew it.
    pub rotate: Option<RotatePolicy>,
    /// When it expires: a time as in RFC 3339, or a Go duration such as `24h`.
    pub expire: Option<String>,
}

/// What Juju shows an owner about a secret.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct SecretInfo {
    /// The newest revision.
    pub revision: u32,
    /// The owner's label; may be empty.
    #[serde(default)]
    pub label: String,
    /// `application` or `unit`.
    pub owner: String,
    /// What it is for; may be empty.
    #[serde(default)]
    pub description: String,
    /// How often it is renewed; empty for never.
    #[serde(default)]
    pub rotation: String,
}

/// Who is given a secret, or loses it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretGrantee {
    /// The remote application of a relation, as long as the relation lasts.
    Relation(RelationId),
    /// One unit of it.
    Unit(RelationId, UnitName),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(key: &str) -> Result<SecretContent, InvalidSecretKey> {
        SecretContent::new([(key.to_owned(), "hunter2".to_owned())])
    }

    #[test]
    fn keys_are_those_that_juju_takes() {
        for good in ["key-one", "abc", "a12"] {
            assert!(content(good).is_ok(), "{good}");
        }
        for bad in ["", "ab", "UPPER", "1ab", "-ab", "ab-", "a_b", "a.b", "a=b"] {
            assert_eq!(content(bad), Err(InvalidSecretKey(bad.to_owned())));
        }
    }

    #[test]
    fn printing_shows_keys_only() {
        assert_eq!(
            format!("{:?}", content("key-one").unwrap()),
            "{\"key-one\"}"
        );
    }

    #[test]
    fn what_the_owner_is_told_is_read() {
        // Juju 4.0.15
        let printed = r#"{"jtev7r62i7q37irehseg":{"revision":1,"label":"mine","owner":"unit"}}"#;
        let secrets: BTreeMap<String, SecretInfo> = serde_json::from_str(printed).unwrap();
        let info = &secrets["jtev7r62i7q37irehseg"];
        assert_eq!((info.revision, info.label.as_str()), (1, "mine"));
    }
}

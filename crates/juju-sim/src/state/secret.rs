//! Secrets: who owns them, who may read them, who has read which revision.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Who a secret belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Owner {
    /// The person at the command line (`juju add-secret`).
    User,
    Application(String),
    Unit(String),
}

/// A grant to an application or unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Grant {
    /// The relation the grant ends with; `None` for a user's grant.
    pub(crate) relation: Option<u32>,
}

/// A secret with all its revisions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Secret {
    pub(crate) id: String,
    pub(crate) owner: Owner,
    /// The owner's label, or the name of a user's secret.
    pub(crate) label: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) rotate: Option<String>,
    pub(crate) expire: Option<String>,
    pub(crate) revisions: BTreeMap<u64, BTreeMap<String, String>>,
    /// By application or unit name.
    pub(crate) grants: BTreeMap<String, Grant>,
}

/// What a consumer remembers of a secret.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Consumed {
    pub(crate) label: Option<String>,
    /// The revision that reads return until they ask for a newer one.
    pub(crate) tracked: u64,
    /// The newest revision that `secret-changed` has reported.
    pub(crate) notified: u64,
}

impl Secret {
    pub(crate) fn latest(&self) -> u64 {
        self.revisions.keys().next_back().copied().unwrap_or(0)
    }

    /// Whether `unit` of `application` may change the secret. An application's secret is its
    /// leader's, which the caller checks.
    pub(crate) fn belongs_to(&self, application: &str, unit: &str) -> bool {
        match &self.owner {
            Owner::User => false,
            Owner::Application(name) => name == application,
            Owner::Unit(name) => name == unit,
        }
    }

    pub(crate) fn readable_by(&self, application: &str, unit: &str) -> bool {
        self.belongs_to(application, unit)
            || self.grants.contains_key(application)
            || self.grants.contains_key(unit)
    }
}

/// The identifier in `secret:ID`, `secret://MODEL/ID` or a bare `ID`; `None` if it has another
/// form.
pub(crate) fn parse_uri(text: &str) -> Option<String> {
    let path = match text.split_once(':') {
        Some(("secret", path)) => path,
        Some(_) => return None,
        None => text,
    };
    let id = match path.strip_prefix("//") {
        Some(rest) => rest.split_once('/')?.1,
        None => path,
    };
    let valid = id.len() == 20
        && id
            .bytes()
            .all(|byte| byte.is_ascii_digit() || (b'a'..=b'v').contains(&byte));
    valid.then(|| id.to_owned())
}

/// Whether a content key has Juju's form: at least three characters, lowercase letters, digits
/// and hyphens, starting with a letter and ending with a letter or digit.
pub(crate) fn valid_key(key: &str) -> bool {
    let bytes = key.as_bytes();
    bytes.len() >= 3
        && bytes.first().is_some_and(u8::is_ascii_lowercase)
        && bytes.last().is_some_and(|byte| *byte != b'-')
        && bytes
            .iter()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_comes_in_three_forms() {
        let id = "k5fo8pve76pgaih5eua0";
        for text in [
            id.to_owned(),
            format!("secret:{id}"),
            format!("secret://some-model/{id}"),
        ] {
            assert_eq!(parse_uri(&text).as_deref(), Some(id), "{text}");
        }
        for text in [
            "nosuch",
            "secret:nosuch",
            "http://x/k5fo8pve76pgaih5eua0",
            "",
        ] {
            assert_eq!(parse_uri(text), None, "{text}");
        }
    }

    #[test]
    fn keys_are_checked() {
        for key in ["key-one", "tls-crt", "abc"] {
            assert!(valid_key(key), "{key}");
        }
        for key in ["UPPER", "ab", "-ab", "ab-", "a_b", "1ab"] {
            assert!(!valid_key(key), "{key}");
        }
    }
}

//! The identity of a secret in its three forms.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{InvalidName, ModelUuid};

/// The identity of a secret.
///
/// Juju writes it as `secret:<id>` in configuration, as `secret://<model uuid>/<id>` when it adds
/// one, and bare in `secret-ids`; all three are read. The id alone is unique across models, so it
/// alone decides whether two are equal.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SecretId {
    model: Option<ModelUuid>,
    id: String,
}

impl SecretId {
    /// The 20 characters that name the secret.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The model that the secret lives in, where Juju said so.
    pub fn model(&self) -> Option<&ModelUuid> {
        self.model.as_ref()
    }
}

impl FromStr for SecretId {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let parse = || {
            let rest = text.strip_prefix("secret:").unwrap_or(text);
            let (model, id) = match rest.strip_prefix("//") {
                Some(qualified) => {
                    let (model, id) = qualified.split_once('/')?;
                    (Some(model.parse().ok()?), id)
                }
                None => (None, rest),
            };
            // Ids are 20 characters of Juju's base32hex alphabet (github.com/rs/xid).
            let is_id = id.len() == 20
                && id
                    .bytes()
                    .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'v'));
            is_id.then(|| Self {
                model,
                id: id.to_owned(),
            })
        };
        parse().ok_or_else(|| InvalidName {
            value: text.to_owned(),
            kind: "secret id",
            rule: "secret: and 20 characters of 0-9 and a-v, as juju add-secret prints it",
        })
    }
}

impl fmt::Display for SecretId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.model {
            Some(model) => write!(formatter, "secret://{model}/{}", self.id),
            None => write!(formatter, "secret:{}", self.id),
        }
    }
}

impl PartialEq for SecretId {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for SecretId {}

impl PartialOrd for SecretId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for SecretId {
    fn cmp(&self, other: &Self) -> Ordering {
        self.id.cmp(&other.id)
    }
}

impl Hash for SecretId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.id.hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_forms_of_a_secret_id_name_the_same_secret() {
        let bare: SecretId = "jtev7r62i7q37irehseg".parse().unwrap();
        let short: SecretId = "secret:jtev7r62i7q37irehseg".parse().unwrap();
        let long = "secret://499560ed-7ec9-4943-87f6-bce9af13ee04/jtev7r62i7q37irehseg";
        let qualified: SecretId = long.parse().unwrap();
        assert_eq!(bare, short);
        assert_eq!(short, qualified);
        assert_eq!(bare.to_string(), "secret:jtev7r62i7q37irehseg");
        assert_eq!(qualified.to_string(), long);
        for bad in [
            "",
            "secret:",
            "secret:nosuch",
            "secret://x",
            "--refresh",
            "JTEV7R62I7Q37IREHSEG",
        ] {
            assert!(bad.parse::<SecretId>().is_err(), "{bad:?}");
        }
    }
}

//! The names that Juju gives to things, checked once where they enter the charm.
//!
//! The rules are a little wider than Juju's own, because a name that Juju handed out is right by
//! definition: what is refused here could not be distinguished from an option or from another name.

mod secret_id;

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub use secret_id::SecretId;

/// A text is not a name of the expected kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{value:?} is not a valid {kind}: {rule}")]
pub struct InvalidName {
    /// What was read.
    pub value: String,
    /// What it should have been, such as `unit name`.
    pub kind: &'static str,
    /// What a valid one looks like.
    pub rule: &'static str,
}

/// Letters, digits, `-` and, with `underscore`, `_`; the first is a letter or, with
/// `leading_digit`, a digit. Constant, so that a name in the source is checked when compiling.
const fn is_plain_name(text: &str, underscore: bool, leading_digit: bool) -> bool {
    let bytes = text.as_bytes();
    if bytes.is_empty() || bytes[0] == b'-' || bytes[0] == b'_' {
        return false;
    }
    if !leading_digit && bytes[0].is_ascii_digit() {
        return false;
    }
    let mut index = 0;
    while index < bytes.len() {
        let byte = bytes[index];
        if !(byte.is_ascii_alphanumeric() || byte == b'-' || (underscore && byte == b'_')) {
            return false;
        }
        index += 1;
    }
    true
}

macro_rules! text_name {
    ($(#[$documentation:meta])* $name:ident, $kind:literal, $rule:literal, $is_valid:expr) => {
        $(#[$documentation])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Cow<'static, str>);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidName;

            fn from_str(text: &str) -> Result<Self, InvalidName> {
                Self::try_from(text.to_owned())
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidName;

            fn try_from(value: String) -> Result<Self, InvalidName> {
                let is_valid: fn(&str) -> bool = $is_valid;
                if is_valid(&value) {
                    Ok(Self(Cow::Owned(value)))
                } else {
                    Err(InvalidName { value, kind: $kind, rule: $rule })
                }
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0.into_owned()
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.pad(self.as_str())
            }
        }
    };
}

text_name!(
    /// The name of an application in a model, such as `istio-pilot`.
    ///
    /// Applications of other models are seen here under names such as `remote-0123abcd`.
    ApplicationName,
    "application name",
    "a letter, then letters, digits and hyphens",
    |text| is_plain_name(text, false, false)
);

text_name!(
    /// The name of a model, such as `istio-system`.
    ModelName,
    "model name",
    "letters, digits and hyphens, not a hyphen first",
    |text| is_plain_name(text, false, true)
);

text_name!(
    /// The identity of a model for its whole life, such as `499560ed-7ec9-4943-87f6-bce9af13ee04`.
    ModelUuid,
    "model UUID",
    "hexadecimal digits and hyphens",
    |text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
);

text_name!(
    /// The name of an endpoint as metadata.yaml declares it under provides, requires or peers.
    Endpoint,
    "endpoint name",
    "a letter, then letters, digits, hyphens and underscores",
    |text| is_plain_name(text, true, false)
);

impl Endpoint {
    /// An endpoint named in the source.
    ///
    /// Meant for constants: a bad name then fails to compile.
    ///
    /// # Panics
    /// Outside of constants, when the name is not valid; parse such names instead.
    pub const fn from_static(name: &'static str) -> Self {
        assert!(
            is_plain_name(name, true, false),
            "not a valid endpoint name"
        );
        Self(Cow::Borrowed(name))
    }
}

/// The name of a unit, such as `istio-pilot/0`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UnitName {
    application: ApplicationName,
    number: u32,
}

impl UnitName {
    /// The application that the unit belongs to.
    pub fn application(&self) -> &ApplicationName {
        &self.application
    }

    /// The number after the slash; on Kubernetes also the ordinal of the unit's pod.
    pub fn number(&self) -> u32 {
        self.number
    }
}

impl FromStr for UnitName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let parsed = text.split_once('/').and_then(|(application, number)| {
            Some(Self {
                application: application.parse().ok()?,
                number: parse_number(number)?,
            })
        });
        parsed.ok_or_else(|| InvalidName {
            value: text.to_owned(),
            kind: "unit name",
            rule: "an application name, a slash and a number",
        })
    }
}

impl fmt::Display for UnitName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.application, self.number)
    }
}

/// The identity of one relation in the model, such as `ingress:2`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RelationId {
    endpoint: Endpoint,
    number: u32,
}

impl RelationId {
    /// The endpoint of this application that the relation is made at.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The number after the colon, which is the same on both sides of the relation.
    pub fn number(&self) -> u32 {
        self.number
    }
}

impl FromStr for RelationId {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let parsed = text.split_once(':').and_then(|(endpoint, number)| {
            Some(Self {
                endpoint: endpoint.parse().ok()?,
                number: parse_number(number)?,
            })
        });
        parsed.ok_or_else(|| InvalidName {
            value: text.to_owned(),
            kind: "relation id",
            rule: "an endpoint name, a colon and a number",
        })
    }
}

impl fmt::Display for RelationId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.endpoint, self.number)
    }
}

macro_rules! text_conversions {
    ($($name:ident),*) => {$(
        impl TryFrom<String> for $name {
            type Error = InvalidName;

            fn try_from(value: String) -> Result<Self, InvalidName> {
                value.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.to_string()
            }
        }
    )*};
}

text_conversions!(UnitName, RelationId, SecretId);

/// Digits only: `u32::from_str` alone would also take a plus sign.
fn parse_number(text: &str) -> Option<u32> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        text.parse().ok()
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unit_names_have_an_application_and_a_number() {
        let unit: UnitName = "istio-pilot/12".parse().unwrap();
        assert_eq!(unit.application().as_str(), "istio-pilot");
        assert_eq!(unit.number(), 12);
        assert_eq!(unit.to_string(), "istio-pilot/12");
        for bad in [
            "", "rec", "rec/", "/0", "rec/-1", "rec/+1", "rec/0/1", "-rec/0", "rec/x",
        ] {
            assert!(bad.parse::<UnitName>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn relation_ids_have_an_endpoint_and_a_number() {
        let relation: RelationId = "want-ingress:2".parse().unwrap();
        assert_eq!(relation.endpoint().as_str(), "want-ingress");
        assert_eq!(relation.number(), 2);
        assert_eq!(relation.to_string(), "want-ingress:2");
        for bad in ["", "2", "ingress", "ingress:", ":2", "ingress:x", "--app:2"] {
            assert!(bad.parse::<RelationId>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn endpoints_may_have_underscores_and_applications_may_not() {
        const PEERS: Endpoint = Endpoint::from_static("my_peers");
        assert_eq!(PEERS.as_str(), "my_peers");
        assert_eq!(PEERS, "my_peers".parse().unwrap());
        assert!("my_peers".parse::<ApplicationName>().is_err());
        assert!("0abc".parse::<ApplicationName>().is_err());
        assert!("0abc".parse::<ModelName>().is_ok());
    }

    #[test]
    fn an_invalid_name_says_what_it_should_have_been() {
        let error = "rec".parse::<UnitName>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "\"rec\" is not a valid unit name: an application name, a slash and a number"
        );
    }

    #[test]
    fn names_are_plain_text_in_json() {
        let unit: UnitName = serde_json::from_str("\"rec/0\"").unwrap();
        assert_eq!(serde_json::to_string(&unit).unwrap(), "\"rec/0\"");
        assert!(serde_json::from_str::<UnitName>("\"rec\"").is_err());
    }
}

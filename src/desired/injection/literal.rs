//! Text that a Go template contains literally.

use std::fmt::Write as _;

use minijinja::Value;
use serde::{Serialize, Serializer};

/// A quoted text that YAML and Go templates read in the same way, whatever it contains.
///
/// Only printable ASCII is written as it is. The rest is escaped in the way that YAML (1.2, section
/// 5.7) and Go (string literals) share. So is the second of two opening braces: an image reference
/// cannot become an action of the template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Literal(String);

impl Literal {
    pub(super) fn new(text: &str) -> Self {
        let mut quoted = String::with_capacity(text.len() + 2);
        quoted.push('"');
        let mut previous = None;
        for character in text.chars() {
            let code = u32::from(character);
            let plain = matches!(character, ' '..='~')
                && !matches!(character, '"' | '\\')
                && (character, previous) != ('{', Some('{'));
            // Writing to a String cannot fail.
            let _ = match character {
                _ if plain => write!(quoted, "{character}"),
                _ if code <= 0xffff => write!(quoted, "\\u{code:04x}"),
                _ => write!(quoted, "\\U{code:08x}"),
            };
            previous = Some(character);
        }
        quoted.push('"');
        Self(quoted)
    }
}

impl Serialize for Literal {
    /// Passes the text to a template as it is.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Value::from_safe_string(self.0.clone()).serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn yaml_reads_it_back(text in any::<String>()) {
            let read: String = serde_yaml::from_str(&Literal::new(&text).0).unwrap();
            prop_assert_eq!(read, text);
        }

        #[test]
        fn it_opens_no_action(text in "[{}\"\\\\a]*") {
            prop_assert!(!Literal::new(&text).0.contains("{{"));
        }
    }

    #[test]
    fn an_image_stands_as_it_is() {
        let literal = Literal::new("registry.example:5000/istio/proxyv2:1.31.1");
        assert_eq!(literal.0, "\"registry.example:5000/istio/proxyv2:1.31.1\"");
    }
}

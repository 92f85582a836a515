//! YAML and JSON that people write: read as data, with what is easily overlooked in it.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Why a text cannot be used. Its words continue a sentence that begins with what the text is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum YamlFault {
    /// It is not YAML, from this line and column on.
    #[error("is not YAML (line {line}, column {column})")]
    NotYaml {
        /// Counted from 1.
        line: usize,
        /// Counted from 1.
        column: usize,
    },
    /// It is not YAML, or has keys or values that JSON does not have.
    #[error("is not YAML with text keys")]
    NotData,
    /// A map has a key twice, and nobody knows which value is meant.
    #[error("has the key {0:?} twice; leave one of them out")]
    KeyTwice(String),
}

/// Reads one document. A byte order mark before it, which editors of Windows write, is no part of it.
///
/// # Errors
/// When it is not YAML, or a key stands twice in a map.
pub fn parse(text: &str) -> Result<Value, YamlFault> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    // The parser's own text may repeat the input; only the place is useful.
    let tree: Tree = serde_yaml::from_str(text).map_err(|error| match error.location() {
        Some(place) => YamlFault::NotYaml {
            line: place.line(),
            column: place.column(),
        },
        None => YamlFault::NotData,
    })?;
    match tree.twice {
        None => Ok(tree.value),
        Some(key) => Err(YamlFault::KeyTwice(key)),
    }
}

/// A value, and a key that stands twice in one of its maps.
struct Tree {
    value: Value,
    twice: Option<String>,
}

impl From<Value> for Tree {
    fn from(value: Value) -> Self {
        Self { value, twice: None }
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Tree;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("data as JSON has it")
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Value::Null.into())
    }

    fn visit_none<E>(self) -> Result<Tree, E> {
        Ok(Value::Null.into())
    }

    fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
        Ok(Value::Bool(value).into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
        Ok(Value::from(value).into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Tree, E> {
        Ok(Value::from(value).into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Tree, E> {
        Ok(Number::from_f64(value)
            .map_or(Value::Null, Value::Number)
            .into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Tree, E> {
        Ok(Value::from(value).into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Tree, A::Error> {
        let mut twice = None;
        let mut list = Vec::new();
        while let Some(element) = elements.next_element::<Tree>()? {
            twice = twice.or(element.twice);
            list.push(element.value);
        }
        let value = Value::Array(list);
        Ok(Tree { value, twice })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Tree, A::Error> {
        let mut twice = None;
        let mut map = Map::new();
        while let Some((key, entry)) = entries.next_entry::<String, Tree>()? {
            twice = twice.or(entry.twice);
            if map.insert(key.clone(), entry.value).is_some() {
                twice = twice.or(Some(key));
            }
        }
        let value = Value::Object(map);
        Ok(Tree { value, twice })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_text() {
        let expected = Ok(json!({"global-tag": "1.31.1"}));
        assert_eq!(parse("\u{feff}global-tag: 1.31.1"), expected);
        assert_eq!(parse("\u{feff}{\"global-tag\": \"1.31.1\"}"), expected);
        assert_eq!(parse("\u{feff}"), Ok(Value::Null));
    }

    #[test]
    fn a_key_that_stands_twice_is_named_wherever_it_is() {
        for text in [
            "a: 1\nb: 2\na: 1",
            r#"{"a": 1, "b": 2, "a": 3}"#,
            "x: {y: [{a: 1, a: 2}]}",
        ] {
            let fault = parse(text).unwrap_err();
            assert_eq!(fault, YamlFault::KeyTwice("a".to_owned()), "{text}");
        }
        assert!(parse("x: {a: 1}\ny: {a: 1}").is_ok());
    }

    #[test]
    fn what_is_no_yaml_is_told_with_its_place() {
        let fault = parse("a: 1\nb: ]").unwrap_err();
        assert_eq!(fault.to_string(), "is not YAML (line 2, column 4)");
        assert!(parse("a: 1\n---\nb: 2").is_err());
    }

    proptest! {
        #[test]
        fn without_such_a_key_it_is_what_the_parser_reads(text in "[a-c0-9:{}\\[\\], .\n'-]{0,24}") {
            let expected = serde_yaml::from_str::<Value>(&text).ok();
            match parse(&text) {
                Ok(value) => prop_assert_eq!(Some(value), expected),
                Err(YamlFault::KeyTwice(_)) => {}
                Err(_) => prop_assert_eq!(None, expected),
            }
        }
    }
}

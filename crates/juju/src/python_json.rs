//! JSON as Python's `json.dumps` writes it, which charms in Python write into databags.
//!
//! Juju runs a hook on the other side whenever the text of a databag differs, also where the value
//! is the same. A charm that replaces one in Python therefore writes the same bytes: a space after
//! each comma and colon, and ASCII only (<https://docs.python.org/3/library/json.html>).

use std::io::{Result, Write};

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;

/// A value as Python writes it. Fields of a structure keep their order.
///
/// # Errors
/// When the value has no JSON, such as a map whose keys are not text.
pub fn to_string(value: &(impl Serialize + ?Sized)) -> serde_json::Result<String> {
    let mut json = Vec::new();
    value.serialize(&mut Serializer::with_formatter(&mut json, Python))?;
    // Only ASCII was written.
    Ok(json.into_iter().map(char::from).collect())
}

/// The defaults of `json.dumps`.
struct Python;

impl Formatter for Python {
    fn begin_array_value<W: Write + ?Sized>(&mut self, writer: &mut W, first: bool) -> Result<()> {
        separate(writer, first)
    }

    fn begin_object_key<W: Write + ?Sized>(&mut self, writer: &mut W, first: bool) -> Result<()> {
        separate(writer, first)
    }

    fn begin_object_value<W: Write + ?Sized>(&mut self, writer: &mut W) -> Result<()> {
        writer.write_all(b": ")
    }

    fn write_string_fragment<W: Write + ?Sized>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> Result<()> {
        for character in fragment.chars() {
            if matches!(character, ' '..='~') {
                write!(writer, "{character}")?;
                continue;
            }
            for unit in character.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
        }
        Ok(())
    }
}

fn separate<W: Write + ?Sized>(writer: &mut W, first: bool) -> Result<()> {
    if first {
        return Ok(());
    }
    writer.write_all(b", ")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;

    // The expected texts are what Python 3.13 prints.

    #[test]
    fn commas_and_colons_are_followed_by_a_space() {
        let value = json!({"a": [1, true, null], "b": {"c": 1.5}, "d": [], "e": {}});
        let expected = r#"{"a": [1, true, null], "b": {"c": 1.5}, "d": [], "e": {}}"#;
        assert_eq!(to_string(&value).unwrap(), expected);
    }

    #[test]
    fn everything_but_ascii_is_escaped() {
        let text = "\"/\\\u{8}\t\n\u{c}\r\u{1}\u{7f}é…😀";
        let expected = r#""\"/\\\b\t\n\f\r\u0001\u007f\u00e9\u2026\ud83d\ude00""#;
        assert_eq!(to_string(text).unwrap(), expected);
    }

    #[test]
    fn a_map_without_text_as_keys_is_refused() {
        assert!(to_string(&BTreeMap::from([((1, 2), 3)])).is_err());
    }
}

//! Writes YAML: for hook tools here, for databags in [`safe_dump`].
//!
//! Hook tools read `--file -` with Go's yaml.v2. What they get is JSON that a YAML 1.1 parser reads as
//! the same text. Nearly all JSON is YAML; what differs are characters that YAML refuses or folds, and
//! escapes of surrogate pairs, which it does not join.

mod implicit;
pub(crate) mod safe_dump;

use std::collections::BTreeMap;
use std::fmt::Write;

/// One map of texts, as one line.
pub(crate) fn text_map<K: AsRef<str>, V: AsRef<str>>(map: &BTreeMap<K, V>) -> String {
    let mut line = String::from("{");
    for (index, (key, value)) in map.iter().enumerate() {
        if index > 0 {
            line.push_str(", ");
        }
        quote(&mut line, key.as_ref());
        line.push_str(": ");
        quote(&mut line, value.as_ref());
    }
    line.push_str("}\n");
    line
}

fn quote(line: &mut String, text: &str) {
    line.push('"');
    for letter in text.chars() {
        match letter {
            '"' => line.push_str("\\\""),
            '\\' => line.push_str("\\\\"),
            '\n' => line.push_str("\\n"),
            '\t' => line.push_str("\\t"),
            '\r' => line.push_str("\\r"),
            // Control characters are refused, except that U+0085, U+2028 and U+2029 break the line;
            // U+FEFF is taken for a byte order mark. None of them is beyond U+FFFF.
            '\0'..='\u{1f}'
            | '\u{7f}'..='\u{9f}'
            | '\u{2028}'
            | '\u{2029}'
            | '\u{feff}'
            | '\u{fffe}'
            | '\u{ffff}' => {
                // Writing to a String cannot fail.
                let _ = write!(line, "\\u{:04x}", u32::from(letter));
            }
            _ => line.push(letter),
        }
    }
    line.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_json_with_plain_utf8() {
        let text = "a \"b\" \\ \n\t\r\u{0}\u{7f}\u{85}\u{2028}\u{feff} é 😀: {x}, [y] # z";
        let map = BTreeMap::from([("key-1", text), ("key-2", "")]);
        let line = text_map(&map);
        let read: BTreeMap<String, String> = serde_json::from_str(&line).unwrap();
        assert_eq!(read["key-1"], text);
        assert_eq!(read["key-2"], "");
        assert!(line.contains("é 😀"), "{line}");
        assert!(line.contains("\\u007f\\u0085\\u2028\\ufeff"), "{line}");
        assert_eq!(line.lines().count(), 1);
    }

    /// The reader here is libyaml's, of which Go's is a translation.
    #[test]
    fn a_yaml_reader_finds_every_character_again() {
        let all: String = ('\0'..='\u{ffff}')
            .chain(['\u{10000}', '😀', '\u{10ffff}'])
            .collect();
        let map = BTreeMap::from([("key", all.as_str()), ("~", "null"), ("- no", "1e3")]);
        let read: BTreeMap<String, String> = serde_yaml::from_str(&text_map(&map)).unwrap();
        assert_eq!(read.len(), 3);
        assert_eq!(read["~"], "null");
        assert_eq!(read["- no"], "1e3");
        let differs = read["key"]
            .chars()
            .zip(all.chars())
            .find(|(read, written)| read != written);
        assert_eq!(differs, None);
        assert_eq!(read["key"].len(), all.len());
    }
}

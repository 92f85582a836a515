//! YAML as `PyYAML`'s `safe_dump` writes it.
//!
//! Charms in Python write their databags with it. Where this one takes over from such a charm,
//! equal bytes mean no change, and no `relation-changed` for the other side.
//!
//! The bytes are equal for texts of printable ASCII that `PyYAML` leaves on one line, which it does
//! up to 80 columns, and longer where there is no space. Other texts are written in double quotes,
//! with escapes that differ from `PyYAML`'s and mean the same. Keys are names of fields, shorter
//! than the 128 bytes and not empty, where `PyYAML` would give them a line of their own.

use std::collections::BTreeMap;

use super::implicit::is_something_else;
use super::quote;

/// Characters that mean something at the start of a bare text.
const INDICATORS: &str = "#,[]{}&*!|>'\"%@`";

/// A mapping of texts, one per line, in the order of the keys.
pub(crate) fn mapping<K: AsRef<str>, V: AsRef<str>>(map: &BTreeMap<K, V>) -> String {
    if map.is_empty() {
        return "{}\n".to_owned();
    }
    let mut lines = String::new();
    for (key, value) in map {
        push(&mut lines, key.as_ref());
        lines.push_str(": ");
        push(&mut lines, value.as_ref());
        lines.push('\n');
    }
    lines
}

fn push(lines: &mut String, text: &str) {
    if !text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        quote(lines, text);
    } else if is_bare(text) {
        lines.push_str(text);
    } else {
        lines.push('\'');
        lines.push_str(&text.replace('\'', "''"));
        lines.push('\'');
    }
}

/// Whether a text of printable ASCII needs no quotes.
fn is_bare(text: &str) -> bool {
    let starts_badly = text.starts_with(|first| INDICATORS.contains(first))
        || ["- ", "? ", "---", "...", " "]
            .iter()
            .any(|start| text.starts_with(start));
    let holds_badly = text.contains(": ") || text.contains(" #");
    let ends_badly = text.ends_with([':', ' ']);
    let is_sign = matches!(text, "" | "-" | "?");
    !(is_sign || starts_badly || holds_badly || ends_badly || is_something_else(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> String {
        let line = mapping(&BTreeMap::from([("key", text)]));
        let value = line.strip_prefix("key: ").unwrap();
        value.strip_suffix('\n').unwrap().to_owned()
    }

    /// Texts as `PyYAML` 6.0.4 wrote them; those of one line are of one kind.
    #[test]
    fn texts_stand_bare() {
        for texts in [
            "istiod.kubeflow.svc http://a:1/#b /katib/ it's -a ?a :a -- .. a:b a#b < == ~a a,b[c]{d}",
            "y n N yEs nULL TRUe inf nan",
            "1e3 1.5e3 1.5e+ 1.2.3 1.31.4 10.152.183.1 . + -x +.5 -.nan ._1",
            "0b 0b2 0x 0xg 08 0o17 _1 a.5 1a.5 1:a.5",
            "1:60 1:30x 1::2 01:300 1:30.5e+1",
            "2026-1-2 226-11-23 2026-11-233 2026-11-23x01:02:03 2026-11-23T1:02",
            "2026-11-23T01:02:03+100 2026-11-23T01:02:03X",
        ] {
            for text in texts.split(' ') {
                assert_eq!(written(text), text);
            }
        }
        for text in [
            "a, b [c] {d}",
            "a -b",
            "2026-11-23 1:2:03",
            "2026-11-23T 1:02:03",
            "a :b",
        ] {
            assert_eq!(written(text), text);
        }
    }

    /// Texts that `PyYAML` 6.0.4 wrote in quotes; those of one line are of one kind.
    #[test]
    fn texts_are_quoted_that_would_mean_something_else() {
        for texts in [
            "- ? : --- ... ---a a: #a ,a [a ]a {a }a &a *a !a |a >a \"a %a @a `a",
            "~ = << yes Yes YES no No NO on On ON off Off OFF",
            "true True TRUE false False FALSE null Null NULL",
            "0 15012 -1 +1 1_000 1_ 017 0_7 00 0b101 -0b1 0x1F +0xa_b",
            "1:30 1:30:59 190:20:30 1:30.5 01:30.",
            "1. 1.5 -1.5 1_0.5_0 1.5e+3 1.5E-3 1.e+3 .5 .5_ .5e-3 09.5",
            ".inf -.Inf +.INF .nan .NaN .NAN",
            "2026-11-23 2026-11-23T01:02:03 2026-11-23t1:02:03 2026-1-2T01:02:03.",
            "2026-11-23T01:02:03.25 2026-11-23T01:02:03Z 2026-11-23T01:02:03-01:00",
        ] {
            for text in texts.split(' ') {
                assert_eq!(written(text), format!("'{text}'"));
            }
        }
        let time = "2026-11-23   1:02:03.5 +1";
        for text in ["", "- a", "? a", ": a", " a", "a ", "a: b", "a #b", time] {
            assert_eq!(written(text), format!("'{text}'"));
        }
        assert_eq!(written("'a"), "'''a'");
        assert_eq!(written("it's: 'b'"), "'it''s: ''b'''");
    }

    #[test]
    fn texts_beyond_printable_ascii_are_double_quoted() {
        for (text, expected) in [
            ("a\nb", r#""a\nb""#),
            ("é\t", r#""é\t""#),
            ("\u{85}", r#""\u0085""#),
        ] {
            assert_eq!(written(text), expected);
        }
    }

    #[test]
    fn keys_are_sorted_and_quoted_like_values() {
        let map = BTreeMap::from([("b", "1"), ("a-b", "x"), ("on", ""), ("a", "y"), ("B", "z")]);
        assert_eq!(mapping(&map), "B: z\na: y\na-b: x\nb: '1'\n'on': ''\n");
        assert_eq!(mapping(&BTreeMap::<&str, &str>::new()), "{}\n");
    }

    /// The reader is not `PyYAML`, but stumbles over the same missing quotes.
    #[test]
    fn whatever_is_written_is_read_back_as_it_was() {
        let mut texts = Vec::new();
        let signs = "-:?#,[]{}&*!|>'\"%@`~ a1.=<\n\t\u{85}é";
        for first in signs.chars() {
            for second in signs.chars() {
                texts.push(format!("{first}{second}"));
                texts.push(format!("a{first}{second}b"));
            }
        }
        for text in texts {
            let map = BTreeMap::from([(text.clone(), text)]);
            let yaml = mapping(&map);
            let read: BTreeMap<String, String> = serde_yaml::from_str(&yaml).unwrap();
            assert_eq!(read, map, "{yaml}");
        }
    }
}

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::json;

use super::*;

/// Texts of which many need care: few characters, most of them with a meaning in YAML.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        r"[-a-y:#|>&*!%@`'{}\[\],?~=.0-9 \n\t]{0,12}",
        r"( {0,3}[a-z#:-]{0,4} ?\n){1,4}[a-z ]{0,3}",
        "[yYnNoOfFsS]{1,3}|[tT]rue|[fF]alse|NULL|~|[+-]?[0-9_]{1,4}|0x1f|1e3|\\.inf|1:20|2020-01-02",
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map(text(), inner, 0..4).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn read(yaml: &str) -> Value {
    serde_yaml::from_str(yaml).unwrap_or_else(|error| panic!("{error}:\n{yaml}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn whatever_is_written_is_read_back_as_it_was(value in value()) {
        let yaml = to_string(&value);
        prop_assert_eq!(read(&yaml), value, "{}", yaml);
    }
}

#[test]
fn stands_as_people_write_it() {
    let value = json!({
        "name": "istiod",
        "args": ["discovery", "--domain", "cluster.local"],
        "list": [{"a": 1, "b": [true, null]}, [1, [2]], {}, []],
        "script": "if x; then\n  y\nfi\n",
        "annotations": {"istio.io/rev": "1.31.1", "on": "off", "url": "http://a:1/#b"},
        "empty": "",
        "text": "a: b",
    });
    let yaml = r#"annotations:
  istio.io/rev: "1.31.1"
  "on": "off"
  url: http://a:1/#b
args:
- discovery
- "--domain"
- cluster.local
empty: ""
list:
- a: 1
  b:
  - true
  - null
-
  - 1
  -
    - 2
- {}
- []
name: istiod
script: |
  if x; then
    y
  fi
text: "a: b"
"#;
    assert_eq!(to_string(&value), yaml);
}

/// Readers of YAML 1.1 take these for something else without quotes; the reader above does not.
#[test]
fn words_and_numbers_of_yaml_1_1_are_quoted() {
    for word in [
        "yes",
        "no",
        "on",
        "off",
        "y",
        "n",
        "Yes",
        "ON",
        "true",
        "null",
        "~",
        "0o17",
        "017",
        "1_0",
        "1:20",
        "0x1f",
        "+1",
        ".5",
        ".NaN",
        "=",
        "<<",
        "2020-01-02",
    ] {
        assert_eq!(to_string(&word.into()), format!("\"{word}\"\n"));
    }
}

#[test]
fn literal_blocks_keep_their_ends_and_leading_blanks() {
    for (text, yaml) in [
        ("a\nb", "|-\n  a\n  b\n"),
        ("a\n", "|\n  a\n"),
        ("a\n\n\n", "|+\n  a\n\n\n"),
        ("  a\n\n b\n", "|2\n    a\n\n   b\n"),
        ("\na\n", "|2\n\n  a\n"),
    ] {
        assert_eq!(to_string(&text.into()), yaml);
        assert_eq!(read(yaml), text);
    }
    for text in ["\n", "a \nb\n", "a\tb\n", "a\r\nb\r\n"] {
        assert!(to_string(&text.into()).starts_with('"'), "{text:?}");
    }
}

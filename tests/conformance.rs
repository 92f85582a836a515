//! What the tests of the Python charm ask for, line by line, and which test here holds it
//! (`tests/conformance/list.yaml`).

#![allow(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it must be"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

/// How many unit tests are asked for, in the order of their files.
const UNIT_TESTS: u32 = 89;
/// How many tests with a real Juju and cluster: I1, I2, and so on.
const INTEGRATION_TESTS: u32 = 14;

/// One line of the list.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// Its number, or the letter I and its number.
    line: Value,
    /// What it asks for.
    asks: String,
    /// The tests that hold it, as `file::function`.
    #[serde(default)]
    tests: Vec<String>,
    /// What of it they do not hold, or hold in another way.
    partly: Option<String>,
    /// Why nothing here holds it, or ever will.
    not: Option<String>,
    /// What is still missing.
    open: Option<String>,
}

impl Entry {
    fn name(&self) -> String {
        match &self.line {
            Value::String(text) => text.clone(),
            number => number.to_string(),
        }
    }
}

fn read(file: &str) -> Option<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    fs::read_to_string(path).ok()
}

fn list() -> Vec<Entry> {
    serde_yaml::from_str(&read("tests/conformance/list.yaml").unwrap()).unwrap()
}

/// Whether a file has a test of that name.
fn has_test(text: &str, function: &str) -> bool {
    let start = format!("fn {function}(");
    text.match_indices(&start).any(|(position, _)| {
        let before = text[..position].trim_end();
        let before = before.strip_suffix("async").unwrap_or(before).trim_end();
        before.ends_with("test]")
    })
}

/// Whether a file has a case of the real node with that title.
fn has_case(text: &str, title: &str) -> bool {
    !title.is_empty() && text.contains(".case(") && text.contains(&format!("\"{title}\""))
}

#[test]
fn every_line_is_there_once_in_order() {
    let units = (1..=UNIT_TESTS).map(|it| it.to_string());
    let integration = (1..=INTEGRATION_TESTS).map(|it| format!("I{it}"));
    let expected: Vec<String> = units.chain(integration).collect();
    let found: Vec<String> = list().iter().map(Entry::name).collect();
    assert_eq!(found, expected);
}

#[test]
fn every_line_is_held_or_says_why_it_is_not() {
    for entry in list() {
        let name = entry.name();
        let texts = [&entry.partly, &entry.not, &entry.open];
        let texts = texts.into_iter().flatten().chain([&entry.asks]);
        for text in texts {
            assert!(!text.trim().is_empty(), "line {name} has an empty text");
        }
        let kinds = [
            !entry.tests.is_empty(),
            entry.not.is_some(),
            entry.open.is_some(),
        ];
        let kinds = kinds.iter().filter(|it| **it).count();
        assert_eq!(kinds, 1, "line {name}: one of tests, not, open");
        let is_partly = entry.partly.is_some();
        assert!(
            !is_partly || !entry.tests.is_empty(),
            "line {name}: partly, by no test"
        );
    }
}

#[test]
fn every_test_that_is_named_exists() {
    let mut texts = BTreeMap::<String, String>::new();
    let mut missing = Vec::new();
    for entry in list() {
        for test in &entry.tests {
            let (file, function) = test.split_once("::").unwrap_or((test.as_str(), ""));
            let text = texts
                .entry(file.to_owned())
                .or_insert_with(|| read(file).unwrap_or_default());
            if !has_test(text, function) && !has_case(text, function) {
                missing.push(format!("line {}: there is no {test}", entry.name()));
            }
        }
    }
    assert!(missing.is_empty(), "\n{}", missing.join("\n"));
}

#[test]
fn only_tests_count() {
    let text = "#[test]\nfn one() {}\n#[tokio::test]\nasync fn two() {}\nfn three() {}\n";
    let found = ["one", "two", "three", "on", ""].map(|it| has_test(text, it));
    assert_eq!(found, [true, true, false, false, false]);
    assert!(has_case("report.case(\"a: b\", || run())", "a: b"));
    assert!(!has_case("report.case(\"a: b\", || run())", "a"));
    assert!(!has_case("say(\"a: b\")", "a: b"));
}

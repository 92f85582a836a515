//! Files of Istio's Go modules, which the Go tool fetches and verifies.

use std::{path::PathBuf, process::Command};

use serde::Deserialize;
use serde_json::Value;

/// The release whose API this crate has.
pub(crate) const VERSION: &str = "v1.31.1";

/// The folder of a module. The Go tool downloads it once and keeps it.
pub(crate) fn module(path: &str, version: &str) -> PathBuf {
    let module = format!("{path}@{version}");
    let output = Command::new("go")
        .args(["mod", "download", "-json", &module])
        .current_dir(std::env::temp_dir())
        .output()
        .unwrap_or_else(|error| panic!("this test needs Go to fetch {module}: {error}"));
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let folder = answer["Dir"].as_str();
    folder
        .unwrap_or_else(|| panic!("Go cannot fetch {module}: {answer}"))
        .into()
}

/// The definitions of one release of Istio's API.
pub(crate) fn definitions(version: &str) -> Vec<Value> {
    let file = module("istio.io/api", version)
        .join("kubernetes")
        .join("customresourcedefinitions.gen.yaml");
    let text = std::fs::read_to_string(&file)
        .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let documents = serde_yaml::Deserializer::from_str(&text);
    documents
        .map(|document| Value::deserialize(document).expect("a YAML document"))
        .filter(|document| !document.is_null())
        .collect()
}

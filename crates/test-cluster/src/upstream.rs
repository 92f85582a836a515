//! What releases of Istio ship.

use std::fs;

use anyhow::{Context, Result};
use serde::Deserialize as _;
use serde_json::Value;

use crate::programs;

/// The Go module with the definitions of Istio's resources, and the file with them in it.
const MODULE: &str = "istio.io/api";
const FILE: &str = "kubernetes/customresourcedefinitions.gen.yaml";

/// The definitions of Istio's resources, as a version of the Go module `istio.io/api` has them:
/// `istio_definitions("v1.31.1")`.
///
/// # Errors
/// When Go is missing, or has no such version.
pub fn istio_definitions(version: &str) -> Result<Vec<Value>> {
    let file = programs::release_folder(MODULE, version)?.join(FILE);
    let text = fs::read_to_string(&file)
        .with_context(|| format!("{MODULE} {version} has no file {FILE}"))?;
    yaml_documents(&text).with_context(|| format!("{FILE} of {MODULE} {version} is not YAML"))
}

/// Every document of a YAML text that is not empty.
///
/// # Errors
/// When one of them is not YAML.
pub fn yaml_documents(text: &str) -> Result<Vec<Value>> {
    let mut documents = Vec::new();
    for document in serde_yaml::Deserializer::from_str(text) {
        let document = Value::deserialize(document)?;
        if !document.is_null() {
            documents.push(document);
        }
    }
    Ok(documents)
}

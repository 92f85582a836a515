//! `cargo xtask crd-diff`: what the next release of Istio changes in its resources.

use std::env::temp_dir;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use istio_api::difference::differences;
use serde::Deserialize as _;
use serde_json::Value;
use test_cluster::programs;

use crate::workspace::{say, show};

/// The Go module with the definitions, and the file with them in it.
const MODULE: &str = "istio.io/api";
const FILE: &str = "kubernetes/customresourcedefinitions.gen.yaml";

/// The exit code when there are differences, as that of `istio-pilot plan`.
const DIFFERENT: u8 = 2;

/// Compares the definitions of this charm with those of a version of the module.
///
/// # Errors
/// When Go is missing, or has no such version.
pub(crate) fn run(version: &str) -> Result<ExitCode> {
    programs::check_go()?;
    let file = download(version)?.join(FILE);
    let text = fs::read_to_string(&file)
        .with_context(|| format!("{MODULE} {version} has no file {FILE}"))?;
    let upstream = serde_yaml::Deserializer::from_str(&text)
        .map(Value::deserialize)
        .collect::<Result<Vec<_>, _>>()
        .with_context(|| format!("{FILE} of {MODULE} {version} is no YAML"))?;
    let upstream: Vec<_> = upstream.into_iter().filter(|it| !it.is_null()).collect();
    let found = differences(&istio_api::custom_resource_definitions()?, &upstream);
    for difference in &found {
        show(&difference.to_string())?;
    }
    say(&format!(
        "{} differences from {MODULE} {version}",
        found.len()
    ));
    Ok(if found.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(DIFFERENT)
    })
}

/// The folder with the module's source, which the Go tool keeps.
fn download(version: &str) -> Result<PathBuf> {
    let output = Command::new("go")
        .args(["mod", "download", "-json", &format!("{MODULE}@{version}")])
        // Any folder will do that is in no module.
        .current_dir(temp_dir())
        .output()
        .context("cannot run go")?;
    let answer: Value = serde_json::from_slice(&output.stdout)
        .with_context(|| String::from_utf8_lossy(&output.stderr).trim().to_owned())?;
    match (answer["Dir"].as_str(), answer["Error"].as_str()) {
        (Some(folder), _) => Ok(folder.into()),
        (None, Some(error)) => bail!("{error}"),
        (None, None) => bail!("go has no {MODULE} {version}"),
    }
}

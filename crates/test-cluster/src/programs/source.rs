//! The source of Go modules, which the Go tool fetches, verifies and keeps.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// The folder with a module's source, which is read-only.
///
/// `module` is a path that the module of the command's folder requires, or `path@version`.
pub(super) fn download(go: &mut Command, module: &str) -> Result<PathBuf> {
    let output = go
        .args(["mod", "download", "-json", module])
        .output()
        .context("cannot run go")?;
    // On an error there is an answer too, which says more than the exit code.
    let answer: Value = serde_json::from_slice(&output.stdout)
        .with_context(|| String::from_utf8_lossy(&output.stderr).trim().to_owned())?;
    match (answer["Dir"].as_str(), answer["Error"].as_str()) {
        (Some(folder), _) => Ok(folder.into()),
        (None, Some(error)) => bail!("{error}"),
        (None, None) => bail!("go did not say where it put the source of {module}"),
    }
}

//! `cargo xtask crd-diff`: what the next release of Istio changes in its resources.

use std::process::ExitCode;

use anyhow::Result;
use istio_api::difference::differences;
use test_cluster::istio_definitions;

use crate::workspace::{say, show};

/// The exit code when there are differences, as that of `istio-pilot plan`.
const DIFFERENT: u8 = 2;

/// Compares the definitions of this charm with those of a version of the Go module `istio.io/api`.
///
/// # Errors
/// When Go is missing, or has no such version.
pub(crate) fn run(version: &str) -> Result<ExitCode> {
    let upstream = istio_definitions(version)?;
    let found = differences(&istio_api::custom_resource_definitions()?, &upstream);
    for difference in &found {
        show(&difference.to_string())?;
    }
    say(&format!(
        "{} differences from istio.io/api {version}",
        found.len()
    ));
    Ok(if found.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(DIFFERENT)
    })
}

//! Tools that checks need and that nobody has to install: they are put into the user's cache.

use std::path::PathBuf;

use anyhow::Result;
use test_cluster::command::output_of;
use test_cluster::tools::{install, python_environment};

use crate::workspace::{cargo, say};

const CARGO_DENY: &str = "0.20.2";
const CHARMCRAFT: &str = "4.5.0";

/// The file of cargo-deny, which is built unless it is there.
///
/// # Errors
/// When it cannot be downloaded or built.
pub(crate) fn cargo_deny() -> Result<PathBuf> {
    install(&format!("cargo-deny-{CARGO_DENY}"), |folder| {
        say("building cargo-deny, about 4 minutes the first time");
        let root = folder.display().to_string();
        output_of(cargo().args([
            "install",
            "--locked",
            "--quiet",
            // Compiles in half the time, and runs for less than a second either way.
            "--debug",
            "--root",
            &root,
            "--version",
            CARGO_DENY,
            "cargo-deny",
        ]))
        .map(drop)
    })
    .map(|folder| folder.join("bin/cargo-deny"))
}

/// The file of charmcraft, in a separate virtual Python environment that is made unless it is
/// there.
///
/// # Errors
/// When Python 3 is missing, or the Python package index cannot be reached.
pub(crate) fn charmcraft() -> Result<PathBuf> {
    let package = format!("charmcraft=={CHARMCRAFT}");
    python_environment(&format!("charmcraft-{CHARMCRAFT}"), [package])
        .map(|folder| folder.join("bin/charmcraft"))
}

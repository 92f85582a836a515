//! Tools that checks need and that nobody has to install: they are put into the user's cache.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use test_cluster::command::output_of;
use test_cluster::programs::cache_folder;

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
    install(&format!("charmcraft-{CHARMCRAFT}"), |folder| {
        say("installing charmcraft, about 2 minutes the first time");
        output_of(Command::new("python3").args(["-m", "venv"]).arg(folder))
            .context("cannot make a virtual Python environment")?;
        output_of(
            Command::new(folder.join("bin/python"))
                .args(["-m", "pip", "install", "--quiet"])
                .args(["--disable-pip-version-check", "--retries=1"])
                .arg(format!("charmcraft=={CHARMCRAFT}")),
        )
        .context("cannot install charmcraft from the Python package index")
        .map(drop)
    })
    .map(|folder| folder.join("bin/charmcraft"))
}

/// The folder of a tool, filled by `fill` unless that was done before.
///
/// Two runs at the same time do it once, and an interrupted one is done again.
fn install(name: &str, fill: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
    let tools = cache_folder()?.join("tools");
    let folder = tools.join(name);
    // Written last. A virtual environment cannot be renamed, so it is filled in its final place.
    let whole = folder.join("installed");
    if whole.is_file() {
        return Ok(folder);
    }
    fs::create_dir_all(&tools)?;
    let lock = File::create(tools.join(format!("{name}.lock")))?;
    lock.lock()?;
    if whole.is_file() {
        return Ok(folder);
    }
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fill(&folder)?;
    File::create(whole)?;
    Ok(folder)
}

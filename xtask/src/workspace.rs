//! Where things are, and how tasks report.

use std::env;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// The variable that makes a test program print how long each test took, and makes cargo build things
/// again.
pub(crate) const TEST_TIMES_VARIABLE: &str = "RUSTC_BOOTSTRAP";

/// The folder of the repository.
pub(crate) fn root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package).to_path_buf()
}

/// A cargo command in the repository's root.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    // A test that has this program build something has the variable.
    command.env_remove(TEST_TIMES_VARIABLE);
    // Cargo has set these for this program; ring's build script watches them, and would be run
    // again, with all that depends on it.
    for (name, _) in env::vars_os() {
        let is_of_package = name.to_str().is_some_and(|name| {
            name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
        });
        if is_of_package {
            command.env_remove(name);
        }
    }
    command
}

/// Shows the waiting person what is happening.
pub(crate) fn say(line: &str) {
    // There is nothing to be done about a closed standard error.
    let _ = writeln!(io::stderr(), "{line}");
}

/// Prints what a task is run for.
///
/// # Errors
/// When standard output is closed.
pub(crate) fn show(text: &str) -> Result<()> {
    Ok(writeln!(io::stdout(), "{text}")?)
}

/// Builds the program of a package of the same name, with one of cargo's profiles, and returns its
/// file.
///
/// # Errors
/// When it does not build.
pub(crate) fn build_program(package: &str, profile: &str) -> Result<PathBuf> {
    say(&format!("building {package}, profile {profile}"));
    let output = cargo()
        .args([
            "build",
            "--locked",
            "--quiet",
            "--package",
            package,
            "--bin",
            package,
        ])
        .args(["--profile", profile])
        .arg("--message-format=json-render-diagnostics")
        .stderr(Stdio::inherit())
        .output()
        .context("cannot run cargo")?;
    if !output.status.success() {
        bail!("{package} does not build");
    }
    // Only cargo knows where its target folder is.
    String::from_utf8(output.stdout)?
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["target"]["name"] == package)
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .with_context(|| format!("cargo did not say where it put {package}"))
}

//! The most memory that a run of the charm had.
//!
//! The system keeps it for the children of a process. So the charm's `dispatch` is this program,
//! which starts the charm: a process of its own for each run, with less memory than the charm.

use std::fs::{self, File, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};
use nix::sys::resource::{UsageWho, getrusage};

/// The file with a line for each run.
const FILE: &str = "peaks";
/// The file that lets the charm sleep.
const ASLEEP: &str = "asleep";

/// Writes a `dispatch` that runs the charm and notes its memory in `folder`.
///
/// # Errors
/// When the folder cannot be written.
pub(super) fn dispatch(folder: &Path, charm: &Path) -> Result<PathBuf> {
    let this = std::env::current_exe()?;
    let dispatch = folder.join("dispatch");
    let script = format!(
        "#!/bin/sh\n[ -e '{}' ] || exec '{}' note-peak-memory '{}' '{}'\n",
        folder.join(ASLEEP).display(),
        this.display(),
        folder.join(FILE).display(),
        charm.display()
    );
    fs::write(&dispatch, script)?;
    fs::set_permissions(&dispatch, Permissions::from_mode(0o755))?;
    Ok(dispatch)
}

/// From now on the `dispatch` of that folder does nothing.
///
/// # Errors
/// When the folder cannot be written.
pub(super) fn sleep(folder: &Path) -> Result<()> {
    Ok(fs::write(folder.join(ASLEEP), "")?)
}

/// The `dispatch` runs the charm again.
///
/// # Errors
/// When the folder cannot be written.
pub(super) fn wake(folder: &Path) -> Result<()> {
    Ok(fs::remove_file(folder.join(ASLEEP))?)
}

/// Runs a program, and adds the most memory that it or a child of it had, in bytes, to a file.
///
/// # Errors
/// When the program does not start, or the file cannot be written.
pub(crate) fn run(file: &Path, program: &Path) -> Result<ExitCode> {
    let status = Command::new(program)
        .status()
        .with_context(|| format!("cannot run {}", program.display()))?;
    let kibibytes = u64::try_from(getrusage(UsageWho::RUSAGE_CHILDREN)?.max_rss())?;
    let mut file = File::options().create(true).append(true).open(file)?;
    writeln!(file, "{}", kibibytes * 1024)?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(ExitCode::from(code.unwrap_or(1)))
}

/// The memory of all runs so far, in bytes.
pub(super) fn read(folder: &Path) -> Result<Vec<u64>> {
    let file = folder.join(FILE);
    if !file.exists() {
        return Ok(Vec::new());
    }
    let text = fs::read_to_string(file)?;
    text.lines().map(|line| Ok(line.parse()?)).collect()
}

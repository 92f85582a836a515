//! Tools that tests and checks need and that nobody has to install: they are put into the user's
//! cache.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use crate::command::output_of;
use crate::programs::{cache_folder, progress};

/// The folder of a tool, filled by `fill` unless that was done before.
///
/// Two processes at the same time do it once, and an interrupted one is done again.
///
/// # Errors
/// When `fill` fails, or the cache cannot be written.
pub fn install(name: &str, fill: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
    install_into(&cache_folder()?.join("tools"), name, fill)
}

fn install_into(
    tools: &Path,
    name: &str,
    fill: impl FnOnce(&Path) -> Result<()>,
) -> Result<PathBuf> {
    let folder = tools.join(name);
    // Written last. A virtual environment cannot be renamed, so it is filled in its final place.
    let whole = folder.join("installed");
    if whole.is_file() {
        return Ok(folder);
    }
    fs::create_dir_all(tools)?;
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

/// The folder of a virtual Python environment, which is made and gets its packages unless it is
/// there. `name` names what is in it; `packages` are arguments of `pip install`.
///
/// Another release of Python gets an environment of its own: it cannot use that of an earlier one.
///
/// # Errors
/// When Python 3 or its module `venv` is missing, or the Python package index cannot be reached or
/// does not have what is asked for.
pub fn python_environment<I>(name: &str, packages: I) -> Result<PathBuf>
where
    I: IntoIterator<Item: AsRef<OsStr>>,
{
    let version = "import platform; print(platform.python_version(), end='')";
    let version = output_of(Command::new("python3").args(["-c", version]))
        .context("Python 3 is needed, as python3")?;
    install(&format!("{name}-python{version}"), |folder| {
        progress(&format!(
            "installing {name}, up to 2 minutes the first time"
        ));
        output_of(Command::new("python3").args(["-m", "venv"]).arg(folder))
            .context("cannot make a virtual Python environment")?;
        output_of(
            Command::new(folder.join("bin/python"))
                .args(["-m", "pip", "install", "--quiet"])
                .args(["--disable-pip-version-check", "--retries=1"])
                .args(packages),
        )
        .with_context(|| format!("cannot install {name} from the Python package index"))
        .map(drop)
    })
}

/// The folder of a virtual Python environment with the packages of a file as `uv pip compile
/// --generate-hashes` writes it, made unless it is there. It gets these and no other packages.
/// Another content of the file gives another environment.
///
/// # Errors
/// As [`python_environment`], and when the file cannot be read or a package has another hash.
pub fn python_environment_of(name: &str, requirements: &Path) -> Result<PathBuf> {
    let content = fs::read_to_string(requirements)
        .with_context(|| format!("cannot read {}", requirements.display()))?;
    let name = format!("{name}-{}", short_hash([content.as_str()]));
    let options = [
        "--require-hashes",
        "--only-binary=:all:",
        "--no-deps",
        "--requirement",
    ];
    let options = options.map(OsStr::new).into_iter();
    python_environment(&name, options.chain([requirements.as_os_str()]))
}

/// A name for these texts, in this order: 16 hexadecimal digits of their hash.
pub(crate) fn short_hash<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    let digest = hasher.finalize();
    let (name, _) = digest.split_at(8);
    name.iter().fold(String::new(), |mut name, byte| {
        // Writing to a String cannot fail.
        let _ = write!(name, "{byte:02x}");
        name
    })
}

#[cfg(test)]
mod tests {
    use std::thread;

    use anyhow::bail;

    use super::*;

    #[test]
    fn a_tool_is_installed_once_also_by_several_at_the_same_time() {
        let tools = tempfile::tempdir().unwrap();
        let log = tools.path().join("log");
        let fill = |folder: &Path| {
            fs::create_dir(folder)?;
            let mut times = fs::read_to_string(&log).unwrap_or_default();
            times.push('x');
            fs::write(&log, times)?;
            Ok(())
        };
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| install_into(tools.path(), "tool", fill).unwrap());
            }
        });
        assert_eq!(fs::read_to_string(&log).unwrap(), "x");
    }

    #[test]
    fn what_an_interrupted_installation_left_is_done_again() {
        let tools = tempfile::tempdir().unwrap();
        let failed = install_into(tools.path(), "tool", |folder| {
            fs::create_dir(folder)?;
            fs::write(folder.join("half"), "")?;
            bail!("the reason");
        });
        assert_eq!(failed.unwrap_err().to_string(), "the reason");
        let folder = install_into(tools.path(), "tool", |folder| Ok(fs::create_dir(folder)?));
        assert!(!folder.unwrap().join("half").exists());
    }
}

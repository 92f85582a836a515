//! The program `tests/neighbours/play.py`, which plays charms with the libraries that they use.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use test_cluster::command::output_with_input;
use test_cluster::tools::python_environment_of;

/// The content of a databag.
pub(super) type Databag = BTreeMap<String, String>;

/// What is there before a hook `relation-changed`; the program says what each field means.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Document {
    pub(super) endpoint: String,
    pub(super) role: &'static str,
    pub(super) relation: u32,
    pub(super) versions: Option<Vec<String>>,
    pub(super) says: Option<Value>,
    #[serde(flatten)]
    pub(super) databags: Databags,
}

/// The databags of both sides, as the application `local` sees them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Databags {
    pub(super) local: Local,
    pub(super) remote: Remote,
}

/// The databags of the leader's side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Local {
    pub(super) name: String,
    pub(super) application: Databag,
    pub(super) unit: Databag,
}

/// The databags of the other side; those of units by their number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Remote {
    pub(super) name: String,
    pub(super) application: Databag,
    pub(super) units: BTreeMap<u32, Databag>,
}

/// What is there after the hook.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Answer {
    pub(super) application: Databag,
    pub(super) unit: Databag,
    read: Option<Value>,
    raised: Option<Exception>,
}

/// An exception of a library.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Exception {
    /// The name of its class, such as `UnversionedRelation`.
    #[serde(rename = "exception")]
    pub class: String,
    /// What it says.
    pub text: String,
    /// Whether charms catch it: to wait, or to be blocked. Any other fails the hook, and Juju then
    /// keeps nothing of what the hook wrote.
    pub caught: bool,
}

/// What a library makes of the databags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It has read what the other side says; `None` when that is nothing.
    Read(Option<Value>),
    /// It has raised an exception.
    Raised(Exception),
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(None) => write!(formatter, "read nothing"),
            Self::Read(Some(value)) => write!(formatter, "read {value}"),
            Self::Raised(Exception {
                class,
                text,
                caught,
            }) => {
                let verb = if *caught {
                    "raised"
                } else {
                    "hook failed with"
                };
                write!(formatter, "{verb} {class}: {text}")
            }
        }
    }
}

impl Answer {
    pub(super) fn verdict(self) -> Verdict {
        match self.raised {
            Some(exception) => Verdict::Raised(exception),
            None => Verdict::Read(self.read),
        }
    }
}

/// The Python environment of the libraries, which are installed into the user's cache unless they
/// are there.
///
/// # Errors
/// When Python 3 is missing, or the Python package index cannot be reached.
pub fn neighbour_libraries() -> Result<PathBuf> {
    python_environment_of("neighbours", &folder().join("requirements.txt"))
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/neighbours")
}

/// The program, with the libraries that it needs.
#[derive(Debug)]
pub(super) struct Library {
    python: PathBuf,
    program: PathBuf,
}

impl Library {
    /// Installs what is missing.
    ///
    /// # Errors
    /// As [`neighbour_libraries`].
    pub(super) fn prepare() -> Result<Self> {
        Ok(Self {
            python: neighbour_libraries()?.join("bin/python"),
            program: folder().join("play.py"),
        })
    }

    /// Plays one hook.
    ///
    /// # Errors
    /// When the program itself fails.
    pub(super) fn play(&self, document: &Document) -> Result<Answer> {
        let output = output_with_input(
            Command::new(&self.python)
                // Without files beside the program, and without packages of the user.
                .args(["-B", "-s"])
                .arg(&self.program)
                .env_remove("PYTHONPATH")
                // Versions are written in the order of a set, which is another in each process.
                .env("PYTHONHASHSEED", "0"),
            &serde_json::to_string(document)?,
        )?;
        let mut lines = output.lines();
        let answer = lines.next().context("the library gave no answer")?;
        ensure!(lines.next().is_none(), "too many answers: {output}");
        serde_json::from_str(answer).with_context(|| format!("not an answer: {answer}"))
    }
}

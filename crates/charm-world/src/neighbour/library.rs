//! The libraries, and the program `tests/neighbours/play.py`, which plays charms with them.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use test_cluster::command::output_with_input;
use test_cluster::tools::python_environment_of;

/// What a charm uses on the other side of a relation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Library {
    /// `serialized-data-interface`.
    SerializedData,
    /// The components of `charmed-kubeflow-chisme`, over the same. What is read is the status that
    /// such a charm shows.
    Chisme,
    /// Our own reading of the databag of `gateway-info`, as its library is not on the Python
    /// package index.
    GatewayInfo,
}

impl Library {
    /// The one that most charms use for an endpoint.
    ///
    /// # Errors
    /// When none is known.
    pub(super) fn of_endpoint(endpoint: &str) -> Result<Self> {
        Ok(match endpoint {
            "ingress" | "ingress-auth" | "istio-pilot" => Self::SerializedData,
            "gateway-info" => Self::GatewayInfo,
            _ => bail!("no library is known that charms use for {endpoint}"),
        })
    }

    /// The folder of its module, with the packages that have to be installed.
    fn family(self) -> &'static str {
        match self {
            Self::SerializedData | Self::Chisme | Self::GatewayInfo => "kubeflow",
        }
    }

    pub(super) fn module(self) -> &'static str {
        match self {
            Self::SerializedData => "serialized_data",
            Self::Chisme => "chisme",
            Self::GatewayInfo => "gateway_info",
        }
    }
}

/// The content of a databag.
pub(super) type Databag = BTreeMap<String, String>;

/// What is there before a hook `relation-changed`; the program says what each field means.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Document {
    pub(super) library: &'static str,
    pub(super) endpoint: String,
    pub(super) interface: String,
    pub(super) role: &'static str,
    pub(super) relation: u32,
    pub(super) versions: Option<Vec<String>>,
    pub(super) says: Option<Value>,
    pub(super) memory: Option<String>,
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
    pub(super) memory: Option<String>,
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

/// The families of libraries that cannot be installed together.
const FAMILIES: [&str; 1] = ["kubeflow"];

/// Installs all libraries into the user's cache, unless they are there.
///
/// # Errors
/// When Python 3 is missing, or the Python package index cannot be reached.
pub fn prepare_neighbours() -> Result<()> {
    FAMILIES.into_iter().try_for_each(|it| python(it).map(drop))
}

/// The Python that has the libraries of a family.
fn python(family: &str) -> Result<PathBuf> {
    let requirements = folder().join(family).join("requirements.txt");
    let environment = python_environment_of(&format!("neighbours-{family}"), &requirements)?;
    Ok(environment.join("bin/python"))
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/neighbours")
}

/// The program, with the libraries that it needs.
#[derive(Debug)]
pub(super) struct Program {
    python: PathBuf,
    family: &'static str,
    /// In which order Python's sets are, which is another in each process of a real charm.
    pub(super) hash_seed: u32,
}

impl Program {
    /// Installs what is missing.
    ///
    /// # Errors
    /// As [`prepare_neighbours`].
    pub(super) fn of(library: Library) -> Result<Self> {
        let family = library.family();
        Ok(Self {
            python: python(family)?,
            family,
            hash_seed: 0,
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
                .arg(folder().join("play.py"))
                .arg(self.family)
                .env_remove("PYTHONPATH")
                .env("PYTHONHASHSEED", self.hash_seed.to_string()),
            &serde_json::to_string(document)?,
        )?;
        let mut lines = output.lines();
        let answer = lines.next().context("the library gave no answer")?;
        ensure!(lines.next().is_none(), "too many answers: {output}");
        serde_json::from_str(answer).with_context(|| format!("not an answer: {answer}"))
    }
}

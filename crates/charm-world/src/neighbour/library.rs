//! The libraries, and the program `tests/neighbours/play.py`, which plays charms with them.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use test_cluster::command::{output_of, output_with_input};
use test_cluster::tools::python_environment_of;

/// The library that charms on the other side of an endpoint use.
const LIBRARIES: [(&str, Library); 15] = [
    ("certificates", Library::of_charmlibs("tls_certificates")),
    ("forward-auth", Library::of_charmlibs("forward_auth")),
    ("gateway-info", Library::of_kubeflow("gateway_info")),
    (
        "gateway-metadata",
        Library::of_charmlibs("gateway_metadata"),
    ),
    ("grafana-dashboard", Library::of_charmlibs("observability")),
    ("ingress", Library::of_kubeflow("serialized_data")),
    ("ingress-auth", Library::of_kubeflow("serialized_data")),
    (
        "istio-ingress-config",
        Library::of_charmlibs("istio_ingress_config"),
    ),
    (
        "istio-ingress-route",
        Library::of_charmlibs("istio_ingress_route"),
    ),
    ("istio-metadata", Library::of_charmlibs("istio_metadata")),
    ("istio-pilot", Library::of_kubeflow("serialized_data")),
    (
        "istio-request-auth",
        Library::of_charmlibs("istio_request_auth"),
    ),
    (
        "jwks-ca-cert",
        Library::of_charmlibs("certificate_transfer"),
    ),
    ("metrics-endpoint", Library::of_charmlibs("observability")),
    ("workload-tracing", Library::of_charmlibs("tracing")),
];

/// The families of libraries that cannot be installed together.
const FAMILIES: [&str; 2] = ["charmlibs", "kubeflow"];

/// What a charm uses on the other side of a relation, as the module in `tests/neighbours` says that
/// plays it; there is also what such a charm can say, and what it reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Library {
    /// The folder of the module, and of the packages that have to be installed.
    family: &'static str,
    pub(super) module: &'static str,
}

impl Library {
    /// The components of `charmed-kubeflow-chisme`, for endpoints whose libraries are otherwise
    /// used as they are. What is read is the status that such a charm shows.
    pub const CHISME: Self = Self::of_kubeflow("chisme");

    const fn of_charmlibs(module: &'static str) -> Self {
        let family = "charmlibs";
        Self { family, module }
    }

    const fn of_kubeflow(module: &'static str) -> Self {
        let family = "kubeflow";
        Self { family, module }
    }

    /// The one that most charms use for an endpoint.
    ///
    /// # Errors
    /// When none is known.
    pub(super) fn of_endpoint(endpoint: &str) -> Result<Self> {
        let library = LIBRARIES.into_iter().find(|(it, _)| *it == endpoint);
        let (_, library) = library
            .with_context(|| format!("no library is known that charms use for {endpoint}"))?;
        Ok(library)
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
    pub(super) judges: Option<Value>,
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

/// Installs all libraries into the user's cache, unless they are there.
///
/// # Errors
/// When Python 3 is missing, or the Python package index cannot be reached.
pub fn prepare_neighbours() -> Result<()> {
    FAMILIES.into_iter().try_for_each(|it| python(it).map(drop))
}

/// Plays both sides of each library against each other, so that one that has no story yet is known to
/// work.
///
/// # Errors
/// When they do not understand each other, and as [`prepare_neighbours`].
pub fn check_neighbours() -> Result<()> {
    FAMILIES.into_iter().try_for_each(|family| {
        output_of(player(family, &python(family)?).arg("check"))
            .with_context(|| format!("the libraries in tests/neighbours/{family}"))
            .map(drop)
    })
}

/// The program for a family, without files beside it and without packages of the user.
fn player(family: &str, python: &Path) -> Command {
    let mut command = Command::new(python);
    command
        .args(["-B", "-s"])
        .arg(folder().join("play.py"))
        .arg(family)
        .env_remove("PYTHONPATH");
    command
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
        Ok(Self {
            python: python(library.family)?,
            family: library.family,
            hash_seed: 0,
        })
    }

    /// Plays one hook.
    ///
    /// # Errors
    /// When the program itself fails.
    pub(super) fn play(&self, document: &Document) -> Result<Answer> {
        let output = output_with_input(
            player(self.family, &self.python).env("PYTHONHASHSEED", self.hash_seed.to_string()),
            &serde_json::to_string(document)?,
        )?;
        let mut lines = output.lines();
        let answer = lines.next().context("the library gave no answer")?;
        ensure!(lines.next().is_none(), "too many answers: {output}");
        serde_json::from_str(answer).with_context(|| format!("not an answer: {answer}"))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn every_endpoint_has_a_library_and_every_library_a_module_that_plays_it() -> Result<()> {
        let file = folder().join("../../metadata.yaml");
        let metadata: Value = serde_yaml::from_str(&fs::read_to_string(file)?)?;
        for role in ["provides", "requires"] {
            for endpoint in metadata[role].as_object().unwrap().keys() {
                Library::of_endpoint(endpoint)?;
            }
        }
        let libraries = LIBRARIES.into_iter().map(|(_, library)| library);
        for library in libraries.chain([Library::CHISME]) {
            assert!(FAMILIES.contains(&library.family));
            let family = folder().join(library.family);
            assert!(family.join(library.module).with_extension("py").is_file());
        }
        Ok(())
    }
}

//! What can go wrong in a simulated model.

use std::path::{Path, PathBuf};

/// Why an operation on a [`Model`](crate::Model) did not happen.
///
/// A hook that fails is not an error of the model: it shows in the unit's status and in the
/// [`Dispatch`](crate::Dispatch) record, as it would in Juju.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Juju itself would refuse this; the text is Juju's as far as it is known. Nothing changed.
    #[error("{0}")]
    Refused(String),
    /// The charm cannot be read or is not one that Juju would accept.
    #[error("cannot read charm {path}: {reason}")]
    Charm {
        /// The file or folder that was given.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A file, folder, socket or process of the simulation itself failed.
    #[error("cannot {action}: {source}")]
    Io {
        /// What was being done, and with which file.
        action: String,
        /// The system's answer.
        source: std::io::Error,
    },
    /// The saved model cannot be read back.
    #[error("cannot read the model in {path}: {reason}; start a new one in another folder")]
    Saved {
        /// The model's state file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The program that answers as every hook tool was not found.
    #[error(
        "cannot find the program juju-sim that answers as the hook tools (looked at {looked}); \
         build it with `cargo build -p juju-sim`, or name it in JUJU_SIM_PROGRAM"
    )]
    ToolProgram {
        /// The places that were tried.
        looked: String,
    },
    /// The Kubernetes cluster behind the model refused or did not answer.
    #[error("cannot {action}: {reason}")]
    Kubernetes {
        /// What was being done, and to which object.
        action: String,
        /// The client's or the API server's answer.
        reason: String,
    },
}

impl Error {
    pub(crate) fn refused(text: impl Into<String>) -> Self {
        Self::Refused(text.into())
    }

    /// For `map_err` around a file operation: `verb` and the path it is about.
    pub(crate) fn file<'a>(
        verb: &'a str,
        path: &'a Path,
    ) -> impl FnOnce(std::io::Error) -> Self + 'a {
        move |source| Self::Io {
            action: format!("{verb} {}", path.display()),
            source,
        }
    }

    pub(crate) fn io(action: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let action = action.into();
        move |source| Self::Io { action, source }
    }

    pub(crate) fn kubernetes<E: std::fmt::Display>(
        action: impl Into<String>,
    ) -> impl FnOnce(E) -> Self {
        let action = action.into();
        move |source| Self::Kubernetes {
            action,
            reason: source.to_string(),
        }
    }
}

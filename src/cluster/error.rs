//! What can go wrong between this charm and the API server, sorted by who can mend it.

use std::fmt;
use std::time::Duration;

use kube::core::Status;

/// What was being done to which object, for messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doing(String);

impl Doing {
    /// As in `applying` and `Deployment model/istiod`.
    pub fn new(verb: &str, what: impl fmt::Display) -> Self {
        Self(format!("{verb} {what}"))
    }
}

impl fmt::Display for Doing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A request that did not succeed.
#[derive(Debug, thiserror::Error)]
#[error("{doing}: {fault}")]
pub struct ClusterError {
    doing: Doing,
    fault: Fault,
}

/// The kinds of failure, as far as they are answered differently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The application lacks the right: it needs trust.
    Forbidden(String),
    /// The object, its kind or its namespace does not exist.
    NotFound(String),
    /// Other field managers own fields of the object.
    Conflict(Vec<FieldConflict>),
    /// What was read before has changed or gone since: an object, or a page of a list.
    Outdated(String),
    /// A field cannot be changed on an existing object.
    Immutable(String),
    /// The server does not accept the object.
    Invalid(String),
    /// The server did not answer, or could not just now.
    Unavailable(String),
    /// Anything else: a defect of this charm, or a server this charm does not know.
    Unexpected(String),
}

/// One field that another manager owns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldConflict {
    /// The field, as in `.spec.replicas`.
    pub field: String,
    /// The server's words, which name the other manager.
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Forbidden(text)
            | Self::NotFound(text)
            | Self::Outdated(text)
            | Self::Immutable(text)
            | Self::Invalid(text)
            | Self::Unavailable(text)
            | Self::Unexpected(text) => formatter.write_str(text),
            Self::Conflict(conflicts) => {
                let named: Vec<_> = conflicts
                    .iter()
                    .map(|it| format!("{} ({})", it.field, it.message))
                    .collect();
                write!(formatter, "others own {}", named.join(", "))
            }
        }
    }
}

impl ClusterError {
    /// Sorts a client's error.
    pub fn new(doing: &Doing, error: kube::Error) -> Self {
        let fault = match error {
            kube::Error::Api(status) => from_status(&status),
            kube::Error::Auth(error) => Fault::Forbidden(format!("the credentials fail: {error}")),
            kube::Error::SerdeError(error) => {
                Fault::Unexpected(format!("unreadable answer: {error}"))
            }
            other => Fault::Unavailable(root_cause(&other)),
        };
        Self {
            doing: doing.clone(),
            fault,
        }
    }

    /// No answer in time: the server is as good as away.
    pub fn late(doing: &Doing, waited: Duration) -> Self {
        Self {
            doing: doing.clone(),
            fault: Fault::Unavailable(format!("no answer within {waited:?}")),
        }
    }

    /// An answer that makes no sense.
    pub fn unexpected(doing: &Doing, text: &str) -> Self {
        Self {
            doing: doing.clone(),
            fault: Fault::Unexpected(text.to_owned()),
        }
    }

    /// The kind of failure.
    pub fn fault(&self) -> &Fault {
        &self.fault
    }

    /// Whether the object, its kind or its namespace does not exist.
    pub fn is_not_found(&self) -> bool {
        matches!(self.fault, Fault::NotFound(_))
    }

    /// Whether what a request is about does not exist, or not as it was read.
    pub fn is_gone(&self) -> bool {
        matches!(self.fault, Fault::NotFound(_) | Fault::Outdated(_))
    }

    /// Whether the application lacks the right.
    pub fn is_forbidden(&self) -> bool {
        matches!(self.fault, Fault::Forbidden(_))
    }

    /// Whether the same request may succeed a little later.
    pub fn is_transient(&self) -> bool {
        matches!(self.fault, Fault::Unavailable(_) | Fault::Outdated(_))
    }
}

/// The innermost cause, which says most: "connection refused", not "client error (Connect)".
fn root_cause(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

fn from_status(status: &Status) -> Fault {
    let message = status.message.clone();
    let causes = status
        .details
        .as_ref()
        .map_or(&[][..], |it| it.causes.as_slice());
    let conflicts: Vec<_> = causes
        .iter()
        .filter(|it| it.reason == "FieldManagerConflict")
        .map(|it| FieldConflict {
            field: it.field.clone(),
            message: it.message.clone(),
        })
        .collect();
    match status.code {
        // Admission plugins answer 403 too: quotas, Pod Security, a namespace that is going.
        403 if message.contains("is forbidden: ") && !is_rights(&message) => {
            Fault::Invalid(message)
        }
        401 | 403 => Fault::Forbidden(message),
        404 => Fault::NotFound(message),
        409 if !conflicts.is_empty() => Fault::Conflict(conflicts),
        409 | 410 => Fault::Outdated(message),
        // An unknown field in a server-side apply comes as 500 without a reason, for ever.
        500 if message.contains("field not declared in schema") => Fault::Invalid(message),
        422 if causes.iter().any(|it| it.message.contains("immutable"))
            || message.contains("cannot change roleRef") =>
        {
            Fault::Immutable(message)
        }
        400 | 413 | 422 => Fault::Invalid(message),
        429 | 500..=599 => Fault::Unavailable(message),
        _ => Fault::Unexpected(message),
    }
}

/// Whether the authorizer refused, in the words of kube-apiserver
/// (`User "x" cannot list resource ...`), or RBAC's check against escalation did.
fn is_rights(message: &str) -> bool {
    message.contains(" cannot ") || message.contains("attempting to grant RBAC permissions")
}

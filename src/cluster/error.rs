//! What can go wrong between this charm and the API server, sorted by who can put it right.

mod refusal;

pub use refusal::missing_right;

use std::fmt;
use std::time::Duration;

use kube::client::AuthError;

/// What is done to which object, for messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation(String);

impl Operation {
    /// As in `applying` and `Deployment model/istiod`.
    pub fn new(verb: &str, what: impl fmt::Display) -> Self {
        Self(format!("{verb} {what}"))
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A request that did not succeed.
#[derive(Debug, thiserror::Error)]
#[error("{operation}: {kind}")]
pub struct ClusterError {
    operation: Operation,
    kind: FailureKind,
}

/// The kinds of failure, as far as they are answered differently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// The application lacks the right: it needs trust.
    Forbidden(String),
    /// The server does not accept the credentials, whatever their rights.
    Unauthenticated(String),
    /// The cluster does not allow the object: a webhook, a policy, a quota, Pod Security.
    Denied(String),
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
    /// The server is away: nothing answered, or something in its place.
    Unavailable(String),
    /// The server is there, and could not do this just now.
    Failing(String),
    /// Anything else: a defect of this charm, or a server this charm does not know.
    Unexpected(String),
}

/// When a request that has failed may succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// In time.
    InTime,
    /// Soon or not at all: the server may have just started.
    AtFirst,
    /// Not before a person has done something.
    Never,
}

/// One field that another manager owns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldConflict {
    /// The field, as in `.spec.replicas`.
    pub field: String,
    /// The server's words, which name the other manager.
    pub message: String,
}

impl fmt::Display for FailureKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Forbidden(text)
            | Self::NotFound(text)
            | Self::Outdated(text)
            | Self::Immutable(text)
            | Self::Invalid(text)
            | Self::Unavailable(text)
            | Self::Failing(text)
            | Self::Unexpected(text) => formatter.write_str(text),
            Self::Unauthenticated(text) => {
                write!(formatter, "the credentials are not accepted: {text}")
            }
            Self::Denied(text) => write!(formatter, "the cluster refuses it: {text}"),
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
    pub fn new(operation: &Operation, error: kube::Error) -> Self {
        let kind = match error {
            kube::Error::Api(status) => refusal::kind(&status),
            kube::Error::Auth(error) => FailureKind::Unauthenticated(error.to_string()),
            kube::Error::Service(error) if error.is::<AuthError>() => {
                FailureKind::Unauthenticated(error.to_string())
            }
            kube::Error::FromUtf8(error) => {
                FailureKind::Unexpected(format!("unreadable answer: {error}"))
            }
            other => FailureKind::Unavailable(root_cause(&other)),
        };
        Self {
            operation: operation.clone(),
            kind,
        }
    }

    /// No answer in time: the server is as good as away.
    pub fn late(operation: &Operation, waited: Duration) -> Self {
        Self {
            operation: operation.clone(),
            kind: FailureKind::Unavailable(format!("no answer within {waited:?}")),
        }
    }

    /// The server answers, and so slowly that a hook does not get to its end.
    pub fn too_slow(waited: Duration) -> Self {
        let seconds = waited.as_secs();
        Self {
            operation: Operation::new("looking at", "the cluster"),
            kind: FailureKind::Unavailable(format!(
                "it answers too slowly: {seconds} s were not enough"
            )),
        }
    }

    /// An answer that is not the server's: the server is away.
    pub fn away(operation: &Operation, text: String) -> Self {
        Self {
            operation: operation.clone(),
            kind: FailureKind::Unavailable(text),
        }
    }

    /// An answer that makes no sense.
    pub fn unexpected(operation: &Operation, text: &str) -> Self {
        Self {
            operation: operation.clone(),
            kind: FailureKind::Unexpected(text.to_owned()),
        }
    }

    /// The kind of failure.
    pub fn kind(&self) -> &FailureKind {
        &self.kind
    }

    /// Whether the object, its kind or its namespace does not exist.
    pub fn is_not_found(&self) -> bool {
        matches!(self.kind, FailureKind::NotFound(_))
    }

    /// Whether what a request is about does not exist, or not as it was read.
    pub fn is_gone(&self) -> bool {
        matches!(
            self.kind,
            FailureKind::NotFound(_) | FailureKind::Outdated(_)
        )
    }

    /// Whether the application may not do this, for whatever reason.
    pub fn is_refused(&self) -> bool {
        matches!(
            self.kind,
            FailureKind::Forbidden(_) | FailureKind::Unauthenticated(_) | FailureKind::Denied(_)
        )
    }

    /// Whether the cluster does not take this very object, and may take others.
    pub fn is_about_the_object(&self) -> bool {
        matches!(
            self.kind,
            FailureKind::Denied(_)
                | FailureKind::Conflict(_)
                | FailureKind::Immutable(_)
                | FailureKind::Invalid(_)
        )
    }

    /// When the same request may succeed.
    pub fn retry(&self) -> Retry {
        match self.kind {
            FailureKind::Unauthenticated(_) => Retry::AtFirst,
            _ if self.is_transient() => Retry::InTime,
            _ => Retry::Never,
        }
    }

    /// Whether the same request may succeed a little later.
    pub fn is_transient(&self) -> bool {
        matches!(
            self.kind,
            FailureKind::Unavailable(_) | FailureKind::Failing(_) | FailureKind::Outdated(_)
        )
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

#[cfg(test)]
mod tests;

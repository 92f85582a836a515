//! What is asked but cannot be done.

use std::fmt;

use juju::names::RelationId;
use juju::relation::Relation;
use juju::serialized_data::Unreadable;

/// One thing that is asked but cannot be done, for the status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What the problem is about.
    pub subject: Subject,
    /// What is wrong, and how to fix it.
    pub message: String,
    /// Who has to act.
    pub remedy: Remedy,
}

/// What a problem is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The application itself; nothing is changed while there is such a problem.
    Application,
    /// A configuration option; nothing is changed while there is such a problem.
    Option(&'static str),
    /// A relation, which the message names; the other relations are served.
    Relation(RelationId),
}

/// Who has to act on a problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// A person.
    Person,
    /// Nobody: the other side of the relation is not that far yet.
    Time,
}

impl Problem {
    /// A value of an option that a person has to change.
    pub fn of_option(option: &'static str, message: impl Into<String>) -> Self {
        Self {
            subject: Subject::Option(option),
            message: message.into(),
            remedy: Remedy::Person,
        }
    }

    /// A property of the application, which a person cannot change without deploying it again.
    pub fn of_application(message: impl Into<String>) -> Self {
        Self {
            subject: Subject::Application,
            message: message.into(),
            remedy: Remedy::Person,
        }
    }

    /// Something that a relation asks for and that a person has to settle. The message goes on where
    /// the relation has been named.
    pub fn of_request(relation: &Relation, message: &str) -> Self {
        Self {
            subject: Subject::Relation(relation.id.clone()),
            message: format!("{relation}: {message}"),
            remedy: Remedy::Person,
        }
    }

    /// Something that the other side of a relation has not said yet.
    pub fn not_yet(relation: &Relation, message: &str) -> Self {
        Self {
            remedy: Remedy::Time,
            ..Self::of_request(relation, message)
        }
    }

    /// A databag that cannot be read, or cannot be read yet.
    pub fn of_relation(unreadable: &Unreadable) -> Self {
        Self {
            subject: Subject::Relation(unreadable.relation.clone()),
            message: unreadable.to_string(),
            remedy: if unreadable.is_expected() {
                Remedy::Time
            } else {
                Remedy::Person
            },
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.subject {
            Subject::Option(option) => write!(formatter, "{option}: {}", self.message),
            Subject::Application | Subject::Relation(_) => formatter.write_str(&self.message),
        }
    }
}

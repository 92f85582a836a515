//! What is asked and cannot be done.

use std::fmt;

use juju::names::RelationId;
use juju::serialized_data::Unreadable;

/// One thing that is asked and cannot be done, for the status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What it is about.
    pub subject: Subject,
    /// What is wrong, and who can mend it how.
    pub message: String,
    /// Who has to act.
    pub remedy: Remedy,
}

/// What a problem is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A configuration option; nothing is changed while there is such a problem.
    Option(&'static str),
    /// A relation; the others work on. The message names it.
    Relation(RelationId),
}

/// Who has to act upon a problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// A person.
    Person,
    /// Nobody: the other side of a relation has not come that far yet.
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

    /// A databag that cannot be read, or not yet.
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
            Subject::Relation(_) => formatter.write_str(&self.message),
        }
    }
}

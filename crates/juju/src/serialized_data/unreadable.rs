//! Why the other side of a relation is not understood.

use std::error::Error;
use std::fmt;

use super::schema::Violation;
use super::{DATA, SUPPORTED_VERSIONS, Version};
use crate::names::{ApplicationName, RelationId, UnitName};

/// What the other side of one relation wrote, or did not write yet, cannot be used.
///
/// As text it names the relation, the application, the key, what is wrong there, and what the other
/// side has to do. It never repeats what is in the databag, which may be a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// The relation.
    pub relation: RelationId,
    /// The application on the other side, where it is known.
    pub application: Option<ApplicationName>,
    /// The versions that this charm supports, in ascending order.
    pub supported: Vec<Version>,
    /// What is wrong.
    pub problem: Problem,
}

/// What is wrong with the databags of the other side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// It has listed no versions yet (`UnversionedRelation`).
    Unversioned,
    /// It lists none that this charm supports (`IncompatibleVersionsError`).
    NoCommonVersion,
    /// The versions are not a list (`InvalidSchemaVersionError`, or `RelationParseError`).
    VersionsNotAList,
    /// An item of the list is not a version (`InvalidSchemaVersionError`).
    NotAVersion {
        /// Its place in the list, counted from 1.
        position: usize,
    },
    /// A value is not one YAML document (`RelationParseError`).
    NotYaml {
        /// The key of the value.
        key: &'static str,
        /// The line and the column where it goes wrong, counted from 1.
        place: Option<(usize, usize)>,
    },
    /// The data is not a mapping (`RelationDataError`).
    NotAMapping,
    /// The data is not what the schema asks for (`RelationDataError`).
    Invalid(Violation),
    /// There is data where the interface has none (`MissingSchemaError`).
    DataNotAllowed {
        /// The unit in whose databag it is; `None` when it is the application's.
        unit: Option<UnitName>,
    },
}

impl Unreadable {
    /// Whether this is a usual state of a new relation, which ends when the other charm's hook
    /// runs.
    ///
    /// Otherwise somebody has to do something about the other application.
    pub fn is_expected(&self) -> bool {
        self.problem == Problem::Unversioned
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (with, other) = match &self.application {
            Some(application) => (format!(" with {application}"), application.as_str()),
            None => (String::new(), "the other application"),
        };
        let supported: Vec<String> = self.supported.iter().map(ToString::to_string).collect();
        let supported = supported.join(" or ");
        write!(formatter, "{}{with}: ", self.relation)?;
        match &self.problem {
            Problem::Unversioned => write!(
                formatter,
                "`{SUPPORTED_VERSIONS}` is not set yet; {other} must list {supported} there, as charms \
                 made for this interface do"
            ),
            Problem::NoCommonVersion => write!(
                formatter,
                "`{SUPPORTED_VERSIONS}` lists no version that is supported here; {other} must support \
                 {supported}: refresh one of the two charms"
            ),
            Problem::VersionsNotAList => write!(
                formatter,
                "`{SUPPORTED_VERSIONS}` is not a list; {other} must list versions there, such as v1"
            ),
            Problem::NotAVersion { position } => write!(
                formatter,
                "item {position} of `{SUPPORTED_VERSIONS}` is not a version; {other} must write each \
                 as the letter v and a whole number, such as v1"
            ),
            Problem::NotYaml { key, place } => {
                write!(formatter, "`{key}` is not YAML")?;
                if let Some((line, column)) = place {
                    write!(formatter, " at line {line}, column {column}")?;
                }
                write!(formatter, "; {other} must write one YAML document there")
            }
            Problem::NotAMapping => write!(
                formatter,
                "`{DATA}` is not a mapping; {other} must write names of fields with values there"
            ),
            Problem::Invalid(violation) => {
                write!(
                    formatter,
                    "`{DATA}` {violation}; {other} must write it as the interface says"
                )
            }
            Problem::DataNotAllowed { unit } => {
                write!(formatter, "`{DATA}` ")?;
                if let Some(unit) = unit {
                    write!(formatter, "of {unit} ")?;
                }
                write!(
                    formatter,
                    "is set, for which the interface has no schema; {other} must not set it"
                )
            }
        }
    }
}

impl Error for Unreadable {}

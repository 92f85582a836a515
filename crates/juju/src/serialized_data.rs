//! Databags in the encoding of the Python library serialized-data-interface, as its version 0.7.0
//! reads and writes them (`serialized_data_interface/sdi.py`).
//!
//! Each side lists in `_supported_versions` which versions of the interface it supports; the
//! highest that both list is used. What an application has to say is one YAML mapping under `data`.
//! Both keys are in the application's databag. Nothing is read from and nothing written to units'
//! databags.
//!
//! Where that library ends the hook with an exception, here only that relation has an
//! [`Unreadable`]; the others are not affected.

mod interface;
mod schema;
mod unreadable;

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value};

pub use interface::{Interface, InterfaceError};
pub use schema::{Schema, Type, Violation};
pub use unreadable::{Problem, Unreadable};

use crate::relation::{DatabagChanges, Relation};
use crate::yaml::safe_dump;

/// The key of a databag under which the supported versions are listed.
pub const SUPPORTED_VERSIONS: &str = "_supported_versions";

/// The key of a databag under which the data is.
pub const DATA: &str = "data";

/// A version of an interface, written `v1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(pub u32);

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "v{}", self.0)
    }
}

/// What the other side of a relation says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// The version that both sides use.
    pub version: Version,
    /// Its data, not empty; `None` when it has said nothing so far.
    pub data: Option<Map<String, Value>>,
}

impl Interface {
    /// What this application writes to a relation whose other side is not [read] yet, or to which
    /// it has nothing to say.
    ///
    /// [read]: Interface::read
    pub fn versions_only(&self) -> DatabagChanges {
        let list = self.versions().map(|version| format!("- {version}\n"));
        [(SUPPORTED_VERSIONS.to_owned(), Some(list.collect()))].into()
    }

    /// What this application writes to a relation, with data.
    pub fn with_data<K, V>(&self, data: &BTreeMap<K, V>) -> DatabagChanges
    where
        K: AsRef<str>,
        V: AsRef<str>,
    {
        let mut changes = self.versions_only();
        changes.insert(DATA.to_owned(), Some(safe_dump::mapping(data)));
        changes
    }

    /// Reads what the other side says, from [`Relation::remote_application`].
    ///
    /// A databag that was not read has nothing in it. Units' databags are checked where they were
    /// read, because no schema lets them hold data.
    ///
    /// # Errors
    /// When the other side has not listed its versions yet ([`Unreadable::is_expected`]), or when
    /// what it wrote cannot be used.
    pub fn read(&self, relation: &Relation) -> Result<Received, Unreadable> {
        self.read_databags(relation).map_err(|problem| Unreadable {
            relation: relation.id.clone(),
            application: relation.application.clone(),
            supported: self.versions().collect(),
            problem,
        })
    }

    fn read_databags(&self, relation: &Relation) -> Result<Received, Problem> {
        let databag = relation.remote_application.as_ref();
        let value = |key| databag.and_then(|databag| databag.get(key));
        let versions = value(SUPPORTED_VERSIONS).ok_or(Problem::Unversioned)?;
        let version = self.highest_common(versions)?;
        let data = match (value(DATA), self.schema(version)) {
            (Some(yaml), Some(schema)) => read_data(yaml, schema)?,
            (Some(yaml), None) if holds_data(yaml) => {
                return Err(Problem::DataNotAllowed { unit: None });
            }
            _ => None,
        };
        for (unit, databag) in relation.remote_units.iter().flatten() {
            if databag.get(DATA).is_some_and(holds_data) {
                let unit = Some(unit.clone());
                return Err(Problem::DataNotAllowed { unit });
            }
        }
        Ok(Received { version, data })
    }

    fn highest_common(&self, yaml: &str) -> Result<Version, Problem> {
        let Value::Array(items) = parse(SUPPORTED_VERSIONS, yaml)? else {
            return Err(Problem::VersionsNotAList);
        };
        let mut remote = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let position = index + 1;
            remote.push(read_version(item).ok_or(Problem::NotAVersion { position })?);
        }
        let common = self.versions().filter(|own| remote.contains(own));
        common.max().ok_or(Problem::NoCommonVersion)
    }
}

/// A version is written `v1` or `1`.
fn read_version(item: &Value) -> Option<Version> {
    let number = match item {
        Value::String(text) => {
            let digits = text.strip_prefix('v')?;
            let is_number = digits.bytes().all(|digit| digit.is_ascii_digit());
            is_number.then(|| digits.parse().ok())?
        }
        Value::Number(number) => number.as_u64().and_then(|number| number.try_into().ok()),
        _ => None,
    };
    number.map(Version)
}

fn read_data(yaml: &str, schema: &Schema) -> Result<Option<Map<String, Value>>, Problem> {
    match parse(DATA, yaml)? {
        nothing if is_nothing(&nothing) => Ok(None),
        Value::Object(data) => {
            schema.check_fields(&data).map_err(Problem::Invalid)?;
            Ok(Some(data))
        }
        _ => Err(Problem::NotAMapping),
    }
}

/// Whether a databag has anything under `data`, readable or not.
fn holds_data(yaml: &str) -> bool {
    parse(DATA, yaml).map_or(true, |value| !is_nothing(&value))
}

/// What Python takes for false counts as no data.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
    }
}

/// Reads YAML 1.2, where the other side writes 1.1. Of what `PyYAML` writes, one kind of text is
/// then misread: `1e3` or `+.5`, which only 1.2 takes for numbers.
///
/// An error keeps where the YAML is wrong, not what is there: it may be a credential.
fn parse(key: &'static str, yaml: &str) -> Result<Value, Problem> {
    serde_yaml::from_str(yaml).map_err(|error| {
        let place = error.location();
        let place = place.map(|place| (place.line(), place.column()));
        Problem::NotYaml { key, place }
    })
}

#[cfg(test)]
mod tests;

//! What `metadata.yaml` says of an endpoint whose databags are in this encoding.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::schema::Schema;
use super::{Version, read_version};

/// The versions of an interface that this charm supports, and what the other side says in each.
///
/// The default supports none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Interface {
    versions: BTreeMap<Version, Option<Schema>>,
}

/// Why an endpoint's entry in `metadata.yaml` says nothing of an interface.
#[derive(Debug, thiserror::Error)]
pub enum InterfaceError {
    /// The entry has no list of versions, or a schema that is not one.
    #[error("the endpoint has no `versions` and `schema` of an interface")]
    Malformed(#[from] serde_json::Error),
    /// An item of `versions` is not a version.
    #[error("`versions` has an item that is no version: {0}")]
    NotAVersion(Value),
}

/// The part of an endpoint's entry that matters here.
#[derive(Deserialize)]
struct Entry {
    versions: Vec<Value>,
    #[serde(default)]
    schema: BTreeMap<String, BTreeMap<String, RoleSchema>>,
}

/// What one role says: a schema of its application's data, or one for each kind of databag.
#[derive(Deserialize)]
#[serde(untagged)]
enum RoleSchema {
    ByBag { app: Schema },
    OfApplication(Schema),
}

impl Interface {
    /// Reads the entry of an endpoint in `metadata.yaml`.
    ///
    /// `other_role` is what the other side's charm says of the interface: `requires` where this one
    /// provides it, and `provides` where this one requires it. Of a version without a schema for
    /// that role, the other side lists that it supports it and says nothing else.
    ///
    /// # Errors
    /// When the entry says nothing of versions, or something that cannot be read.
    pub fn of_endpoint(entry: &Value, other_role: &str) -> Result<Self, InterfaceError> {
        let Entry {
            versions,
            mut schema,
        } = Entry::deserialize(entry)?;
        let read = versions.into_iter().map(|item| {
            let version = read_version(&item).ok_or(InterfaceError::NotAVersion(item))?;
            let roles = schema.remove(&version.to_string());
            let of_role = roles.and_then(|mut roles| roles.remove(other_role));
            let of_application = of_role.map(|schema| match schema {
                RoleSchema::ByBag { app } => app,
                RoleSchema::OfApplication(schema) => schema,
            });
            Ok((version, of_application))
        });
        let versions = read.collect::<Result<_, InterfaceError>>()?;
        Ok(Self { versions })
    }

    /// The versions that this charm supports, in ascending order.
    pub fn versions(&self) -> impl Iterator<Item = Version> {
        self.versions.keys().copied()
    }

    /// What the other side says in a version; `None` when it says nothing.
    pub(super) fn schema(&self, version: Version) -> Option<&Schema> {
        self.versions.get(&version)?.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn both_forms_of_a_role_are_read_and_a_missing_one_says_nothing() {
        let schema = json!({"type": "object", "required": ["service"]});
        let entry = json!({
            "interface": "ingress",
            "versions": ["v2", 1, "v3"],
            "schema": {
                "v1": {"requires": schema, "provides": {"type": "object"}},
                "v2": {"requires": {"app": schema}},
                "v3": {"provides": schema},
            },
        });
        let interface = Interface::of_endpoint(&entry, "requires").unwrap();
        let versions: Vec<_> = interface.versions().collect();
        assert_eq!(versions, [Version(1), Version(2), Version(3)]);
        let expected = Schema::deserialize(&schema).unwrap();
        assert_eq!(interface.schema(Version(1)), Some(&expected));
        assert_eq!(interface.schema(Version(2)), Some(&expected));
        assert_eq!(interface.schema(Version(3)), None);
    }

    #[test]
    fn an_entry_without_an_interface_is_an_error() {
        for entry in [
            json!({"interface": "ingress"}),
            json!({"versions": "v1"}),
            json!({"versions": ["one"]}),
            json!({"versions": ["v1"], "schema": {"v1": {"requires": {"type": "text"}}}}),
            json!({"versions": ["v1"], "schema": {"v1": {"requires": {"oneOf": []}}}}),
        ] {
            let interface = Interface::of_endpoint(&entry, "requires");
            assert!(interface.is_err(), "{entry}");
        }
    }
}

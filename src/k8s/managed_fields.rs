//! Who has set which fields of an object, as the API server records it in `metadata.managedFields`.
//!
//! The sets of fields have the form FieldsV1
//! (<https://kubernetes.io/docs/reference/using-api/server-side-apply/>).

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::object::Object;

/// The field manager of every object that this charm applies.
pub const FIELD_MANAGER: &str = "istio-pilot";
/// What changes an object on its way to be stored, for people: it leaves no trace here.
pub const ON_THE_WAY: &str = "a webhook or policy of this cluster";

/// The fields that one manager has set by one kind of operation.
#[derive(Clone, Copy, Debug)]
pub struct ManagedFields<'a>(&'a Value);

impl<'a> ManagedFields<'a> {
    /// The manager's name.
    pub fn manager(self) -> &'a str {
        self.0["manager"].as_str().unwrap_or_default()
    }

    /// Whether they were set by server-side apply, which removes fields that are no longer sent.
    pub fn is_applied(self) -> bool {
        self.0["operation"] == "Apply"
    }

    /// Whether they were set on the object itself and not on a subresource, such as its status.
    pub fn is_main(self) -> bool {
        self.0.get("subresource").is_none_or(|it| it == "")
    }

    /// Whether this charm has applied them.
    pub fn is_of_this_charm(self) -> bool {
        self.manager() == FIELD_MANAGER && self.is_applied() && self.is_main()
    }

    /// The fields, as FieldsV1.
    pub fn fields(self) -> Option<&'a Map<String, Value>> {
        self.0.get("fieldsV1")?.as_object()
    }

    /// The entry as it stands in the object.
    pub fn entry(self) -> &'a Value {
        self.0
    }
}

impl Object {
    /// Who has set which fields.
    pub fn managed_fields(&self) -> impl Iterator<Item = ManagedFields<'_>> {
        let entries = self.at("/metadata/managedFields").and_then(Value::as_array);
        entries.into_iter().flatten().map(ManagedFields)
    }

    /// The union of the fields that this charm has applied, as FieldsV1.
    ///
    /// There is one entry unless the version of the API has changed. Of a definition it is as large
    /// as the definition itself, so it is not copied.
    pub fn fields_of_this_charm(&self) -> Cow<'_, Map<String, Value>> {
        let ours = self.managed_fields().filter(|it| it.is_of_this_charm());
        let mut sets = ours.filter_map(ManagedFields::fields);
        let mut fields = sets.next().map_or_else(Cow::default, Cow::Borrowed);
        for more in sets {
            merge(fields.to_mut(), more);
        }
        fields
    }

    /// The managers that own the field at a path of FieldsV1, such as `f:data`, `f:values`.
    pub fn managers_of(&self, path: &[&str]) -> impl Iterator<Item = &str> {
        let owns = move |entry: &ManagedFields<'_>| {
            let mut steps = path.iter();
            let fields = entry.entry().get("fieldsV1");
            steps
                .try_fold(fields, |at, step| at.map(|it| it.get(*step)))
                .flatten()
                .is_some()
        };
        self.managed_fields()
            .filter(move |it| it.is_main() && owns(it))
            .map(ManagedFields::manager)
    }

    /// The other manager that changed the object itself last, if the server says so.
    pub fn last_other_manager(&self) -> Option<&str> {
        let others = self
            .managed_fields()
            .filter(|it| it.is_main() && it.manager() != FIELD_MANAGER);
        // All are in UTC and of one form, so the latest is the greatest text.
        let last = others.max_by_key(|it| it.entry()["time"].as_str().unwrap_or_default());
        last.map(ManagedFields::manager)
            .filter(|manager| !manager.is_empty())
    }

    /// Whether this charm has written the object, whichever application it ran for.
    pub fn is_written_by_this_charm(&self) -> bool {
        self.managed_fields()
            .any(|it| it.manager() == FIELD_MANAGER)
    }
}

/// Adds one FieldsV1 set to another.
pub fn merge(into: &mut Map<String, Value>, from: &Map<String, Value>) {
    for (key, value) in from {
        match (into.get_mut(key), value) {
            (Some(Value::Object(into)), Value::Object(from)) => merge(into, from),
            _ => {
                into.insert(key.clone(), value.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(managed_fields: &Value) -> Object {
        Object::from_value(json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "a", "managedFields": managed_fields},
        }))
        .unwrap()
    }

    fn entry(manager: &str, operation: &str, fields: &Value) -> Value {
        json!({"manager": manager, "operation": operation, "fieldsV1": fields})
    }

    #[test]
    fn the_fields_of_this_charm_are_those_that_it_applied_to_the_object_itself() {
        let mut status = entry(FIELD_MANAGER, "Apply", &json!({"f:status": {}}));
        status["subresource"] = json!("status");
        let object = object(&json!([
            entry(FIELD_MANAGER, "Apply", &json!({"f:data": {"f:a": {}}})),
            entry(FIELD_MANAGER, "Apply", &json!({"f:data": {"f:b": {}}})),
            entry(FIELD_MANAGER, "Update", &json!({"f:data": {"f:c": {}}})),
            entry("kubectl", "Apply", &json!({"f:data": {"f:d": {}}})),
            status,
        ]));
        let expected = json!({"f:data": {"f:a": {}, "f:b": {}}});
        assert_eq!(
            Value::Object(object.fields_of_this_charm().into_owned()),
            expected
        );
        assert!(object.is_written_by_this_charm());
    }

    #[test]
    fn the_last_other_manager_is_the_one_that_changed_the_object_last() {
        let at = |manager: &str, time: &str| {
            let mut entry = entry(manager, "Update", &json!({}));
            entry["time"] = json!(time);
            entry
        };
        let mut status = at("kube-controller-manager", "2026-01-04T00:00:00Z");
        status["subresource"] = json!("status");
        let object = object(&json!([
            at("kubectl-edit", "2026-01-02T00:00:00Z"),
            at("flux", "2026-01-01T00:00:00Z"),
            at(FIELD_MANAGER, "2026-01-03T00:00:00Z"),
            status,
        ]));
        assert_eq!(object.last_other_manager(), Some("kubectl-edit"));
    }

    #[test]
    fn junk_names_nobody() {
        for junk in [json!("junk"), json!([1, null, {"manager": 7}]), json!(null)] {
            let object = object(&junk);
            assert!(!object.is_written_by_this_charm());
            assert!(object.fields_of_this_charm().is_empty());
            assert_eq!(object.last_other_manager(), None);
        }
    }
}

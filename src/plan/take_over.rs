//! Passing the fields of the tools that this charm replaces to its own field manager.
//!
//! Server-side apply removes a field that its manager no longer sends. Fields that a former tool
//! set stay for ever unless their ownership moves first; clients may rewrite `managedFields`
//! (<https://kubernetes.io/docs/reference/using-api/server-side-apply/#transferring-ownership>).

use serde_json::{Map, Value, json};

use super::drift::{FIELD_MANAGER, merge_fields};
use super::ownership::REPLACED_MANAGERS;
use crate::object::Object;

/// The object's `managedFields` after the take-over; `None` when there is nothing to take.
pub fn take_over(live: &Object) -> Option<Value> {
    let entries = live.at("/metadata/managedFields")?.as_array()?;
    let main = |entry: &Value| entry.get("subresource").is_none_or(|it| it == "");
    let replaced = |entry: &Value| {
        main(entry)
            && REPLACED_MANAGERS
                .iter()
                .any(|manager| entry["manager"] == *manager)
    };
    if !entries.iter().any(replaced) {
        return None;
    }
    let ours = |entry: &Value| {
        main(entry) && entry["manager"] == FIELD_MANAGER && entry["operation"] == "Apply"
    };
    let mut fields = Map::new();
    let mut kept = Vec::new();
    for entry in entries {
        if replaced(entry) || ours(entry) {
            if let Some(Value::Object(more)) = entry.get("fieldsV1") {
                merge_fields(&mut fields, more);
            }
        } else {
            kept.push(entry.clone());
        }
    }
    kept.push(json!({
        "manager": FIELD_MANAGER,
        "operation": "Apply",
        "apiVersion": live.api_version(),
        "fieldsType": "FieldsV1",
        "fieldsV1": fields,
    }));
    Some(Value::Array(kept))
}

/// The live object as it will be after the take-over; `None` when there is nothing to take.
pub fn taken_over(live: &Object) -> Option<Object> {
    let fields = take_over(live)?;
    let mut object = live.clone();
    *object.at_mut("/metadata/managedFields")? = fields;
    Some(object)
}

//! Transfers the fields of the tools that this charm replaces to its own field manager.
//!
//! Server-side apply removes a field that its manager no longer sends. Fields that a former tool
//! has set stay for ever, unless their ownership is transferred first. Clients may rewrite
//! `managedFields` for that
//! (<https://kubernetes.io/docs/reference/using-api/server-side-apply/#transferring-ownership>).

use serde_json::{Map, Value, json};

use crate::k8s::managed_fields::{FIELD_MANAGER, ManagedFields, merge};
use crate::k8s::object::Object;

/// The field manager of the Python charm.
pub const PYTHON_CHARM: &str = "lightkube";
/// Field managers whose fields are transferred to this charm: the tools behind the installations it
/// replaces.
const REPLACED_MANAGERS: [&str; 3] = ["istio-operator", "istioctl", PYTHON_CHARM];

/// The object's `managedFields` with those of the replaced tools under this charm's name; `None`
/// when there is nothing to adopt.
pub fn adopted_managed_fields(live: &Object) -> Option<Value> {
    if !live.managed_fields().any(is_replaced) {
        return None;
    }
    let mut fields = Map::new();
    let mut kept = Vec::new();
    for entry in live.managed_fields() {
        if is_replaced(entry) || entry.is_of_this_charm() {
            if let Some(more) = entry.fields() {
                merge(&mut fields, more);
            }
        } else {
            kept.push(entry.entry().clone());
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

fn is_replaced(entry: ManagedFields<'_>) -> bool {
    entry.is_main() && REPLACED_MANAGERS.contains(&entry.manager())
}

/// Whether a field manager is this charm's, or that of an installation that it replaces.
pub fn is_installer(manager: &str) -> bool {
    manager == FIELD_MANAGER || REPLACED_MANAGERS.contains(&manager)
}

/// The live object as it will be after its fields are adopted; `None` when there is nothing to
/// adopt.
pub fn after_adoption(live: &Object) -> Option<Object> {
    let fields = adopted_managed_fields(live)?;
    let mut object = live.clone();
    *object.at_mut("/metadata/managedFields")? = fields;
    Some(object)
}

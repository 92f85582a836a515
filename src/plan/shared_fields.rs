//! Fields that this charm sets first and others keep from then on.

use serde_json::Value;

use crate::k8s::managed_fields::FIELD_MANAGER;
use crate::k8s::object::Object;

/// Leaves `failurePolicy` out of a validating webhook once istiod has set it.
///
/// istiod changes it from `Ignore` to `Fail` when it can validate. Sending it after that would
/// change it back. Not sending it while it is still ours would make it `Fail` too early, because
/// that is the API's default.
pub(super) fn leave_failure_policy(wanted: &mut Object, live: &Object) {
    let Some(webhooks) = wanted.at_mut("/webhooks").and_then(Value::as_array_mut) else {
        return;
    };
    for webhook in webhooks {
        let ours = webhook["name"]
            .as_str()
            .is_some_and(|name| owns_failure_policy(live, name));
        if let (false, Value::Object(webhook)) = (ours, webhook) {
            webhook.remove("failurePolicy");
        }
    }
}

fn owns_failure_policy(live: &Object, webhook: &str) -> bool {
    let exists = live
        .at("/webhooks")
        .and_then(Value::as_array)
        .is_some_and(|webhooks| webhooks.iter().any(|it| it["name"] == webhook));
    let key = format!("k:{}", serde_json::json!({ "name": webhook }));
    let owned = live.managed_fields().any(|entry| {
        entry.manager() == FIELD_MANAGER
            && entry.entry()["fieldsV1"]["f:webhooks"][&key]["f:failurePolicy"].is_object()
    });
    // A webhook that does not exist yet has no other manager.
    owned || !exists
}

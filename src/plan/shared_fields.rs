//! Fields that this charm sets first and others keep from then on.

use serde_json::Value;

use super::adoption::is_installer;
use crate::k8s::managed_fields::{FIELD_MANAGER, ON_THE_WAY};
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

/// Takes over what a controller of the cluster adds to the selectors of webhooks, as those of some
/// cloud providers do with everybody's: it would add it again each time. Returns what was added by
/// whom, in words; `None` where nothing was.
///
/// What people and other installations of Istio change is drift.
pub(super) fn keep_narrower_selectors(wanted: &mut Object, live: &Object) -> Option<String> {
    let by = live.last_other_manager();
    if by.is_some_and(|it| it.starts_with("kubectl") || is_installer(it)) {
        return None;
    }
    let live = live.at("/webhooks").and_then(Value::as_array)?;
    let webhooks = wanted.at_mut("/webhooks").and_then(Value::as_array_mut)?;
    let mut is_narrower = false;
    for webhook in webhooks {
        let Some(live) = live.iter().find(|it| it["name"] == webhook["name"]) else {
            continue;
        };
        for selector in ["namespaceSelector", "objectSelector"] {
            if narrows(&live[selector], &webhook[selector]) {
                webhook[selector] = live[selector].clone();
                is_narrower = true;
            }
        }
    }
    let who = by.unwrap_or(ON_THE_WAY);
    is_narrower.then(|| format!("{who} adds to its selectors, so that it is called for less"))
}

/// Whether a label selector asks for all that another one asks for, and for more.
fn narrows(selector: &Value, other: &Value) -> bool {
    let labels = |it: &Value| it["matchLabels"].as_object().cloned().unwrap_or_default();
    let expressions = |it: &Value| {
        it["matchExpressions"]
            .as_array()
            .cloned()
            .unwrap_or_default()
    };
    let (own_labels, own_expressions) = (labels(selector), expressions(selector));
    let (other_labels, other_expressions) = (labels(other), expressions(other));
    let has_label = |(key, value): (&String, &Value)| own_labels.get(key) == Some(value);
    let has_all = other_labels.iter().all(has_label)
        && other_expressions
            .iter()
            .all(|it| own_expressions.contains(it));
    let has_more =
        own_labels.len() > other_labels.len() || own_expressions.len() > other_expressions.len();
    has_all && has_more
}

//! How long a pod that was injected just before the switch may take to appear.
//!
//! Once istiod has injected it, the webhooks of others may hold the pod before it is stored, each
//! for as long as its `timeoutSeconds`
//! (<https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#timeouts>).

use std::time::Duration;

use serde_json::Value;

use crate::k8s::object::Object;

/// How long pods may take to appear where no other webhook sees them.
const UNHINDERED: Duration = Duration::from_secs(1);
/// The timeout of a webhook that does not say.
const DEFAULT_TIMEOUT: u64 = 10;
/// The longest timeout that the API allows.
const LONGEST_TIMEOUT: u64 = 30;

/// What may hold a pod between its injection and its appearance for the longest time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlowestWebhook {
    /// The configuration of the webhook; `None` where no other webhook sees pods.
    pub name: Option<String>,
    /// How long it may hold a pod.
    pub timeout: Duration,
}

impl SlowestWebhook {
    /// The slowest webhook of all configurations but our own, whose names are `ours`.
    pub fn of<'a>(configurations: impl IntoIterator<Item = &'a Object>, ours: &[&str]) -> Self {
        let others = configurations
            .into_iter()
            .filter(|it| !ours.contains(&it.id().name.as_str()));
        let timeouts = others.filter_map(|it| Some((longest_timeout(it)?, &it.id().name)));
        match timeouts.max() {
            Some((seconds, name)) => Self {
                name: Some(name.clone()),
                timeout: Duration::from_secs(seconds).max(UNHINDERED),
            },
            None => Self {
                name: None,
                timeout: UNHINDERED,
            },
        }
    }
}

/// The longest timeout, in seconds, of a configuration's webhooks that see new pods.
fn longest_timeout(configuration: &Object) -> Option<u64> {
    let webhooks = configuration.at("/webhooks").and_then(Value::as_array);
    let seeing = webhooks.into_iter().flatten().filter(|it| sees_pods(it));
    let timeouts = seeing.map(|it| it["timeoutSeconds"].as_u64().unwrap_or(DEFAULT_TIMEOUT));
    timeouts.max().map(|it| it.min(LONGEST_TIMEOUT))
}

/// Whether a rule of a webhook matches the creation of pods. Selectors are not looked at: they may
/// match some pods.
fn sees_pods(webhook: &Value) -> bool {
    let rules = webhook["rules"].as_array();
    rules.into_iter().flatten().any(|rule| {
        has_any(&rule["operations"], &["CREATE", "*"])
            && has_any(&rule["apiGroups"], &["", "*"])
            && has_any(&rule["apiVersions"], &["v1", "*"])
            && has_any(&rule["resources"], &["pods", "*", "*/*"])
    })
}

fn has_any(list: &Value, wanted: &[&str]) -> bool {
    let texts = list.as_array().into_iter().flatten();
    texts
        .filter_map(Value::as_str)
        .any(|it| wanted.contains(&it))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn configuration(name: &str, webhooks: &Value) -> Object {
        Object::from_value(json!({
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingWebhookConfiguration",
            "metadata": {"name": name}, "webhooks": webhooks,
        }))
        .unwrap()
    }

    fn of_pods(timeout: &Value) -> Value {
        json!({
            "timeoutSeconds": timeout,
            "rules": [{
                "operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"],
                "resources": ["pods"],
            }],
        })
    }

    #[track_caller]
    fn check(webhooks: &[Value], expected: u64) {
        let configuration = configuration("kyverno", &json!(webhooks));
        let slowest = SlowestWebhook::of([&configuration], &["ours"]);
        assert_eq!(
            slowest.timeout,
            Duration::from_secs(expected),
            "{webhooks:?}"
        );
        assert_eq!(slowest.name.is_some(), expected > 1);
    }

    #[test]
    fn a_webhook_may_hold_pods_as_long_as_its_timeout() {
        check(&[], 1);
        check(&[of_pods(&json!(5)), of_pods(&json!(15))], 15);
        check(&[of_pods(&Value::Null)], 10);
        check(&[of_pods(&json!(3600))], 30);
        let mut everything = of_pods(&json!(7));
        everything["rules"][0] = json!({
            "operations": ["*"], "apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*/*"],
        });
        check(&[everything], 7);
    }

    #[test]
    fn a_webhook_that_does_not_see_new_pods_holds_none() {
        for (field, other) in [
            ("operations", "UPDATE"),
            ("apiGroups", "apps"),
            ("apiVersions", "v2"),
            ("resources", "pods/exec"),
        ] {
            let mut webhook = of_pods(&json!(5));
            webhook["rules"][0][field] = json!([other]);
            check(&[webhook], 1);
        }
        check(&[json!("junk"), json!({"rules": 7}), Value::Null], 1);
    }

    #[test]
    fn our_own_webhook_has_injected_already() {
        let ours = configuration("ours", &json!([of_pods(&json!(9))]));
        let other = configuration("other", &json!([of_pods(&json!(4))]));
        let slowest = SlowestWebhook::of([&ours, &other], &["ours"]);
        let expected = SlowestWebhook {
            name: Some("other".to_owned()),
            timeout: Duration::from_secs(4),
        };
        assert_eq!(slowest, expected);
    }
}

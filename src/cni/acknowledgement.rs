//! Asking an istiod which init container it gives to pods now.
//!
//! Each replica reads the injection configuration on its own, 10 to 150 ms after it has changed. A
//! pod created on trial reaches only one of them, so each is sent an `AdmissionReview` of its own.

use k8s_openapi::ByteString;
use serde_json::{Value, json};

use crate::control_plane::{ISTIO_INIT, ISTIO_VALIDATION, Injection};

/// The port of istiod's webhooks.
pub const WEBHOOK_PORT: u16 = 15017;
/// The request path of istiod's injection webhook.
pub const WEBHOOK_PATH: &str = "inject";

/// The question: an admission review of a pod that asks for injection.
///
/// Nothing is created by asking.
pub fn question(namespace: &str) -> Value {
    json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": "istio-pilot-charm",
            "kind": {"group": "", "version": "v1", "kind": "Pod"},
            "resource": {"group": "", "version": "v1", "resource": "pods"},
            "namespace": namespace,
            "operation": "CREATE",
            "dryRun": true,
            "userInfo": {},
            "object": {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {
                    "name": "istio-pilot-charm-question",
                    "namespace": namespace,
                    "labels": {"sidecar.istio.io/inject": "true"},
                },
                "spec": {"containers": [{"name": "app", "image": "app"}]},
            },
        },
    })
}

/// The answer: what the istiod gives; `None` when the answer shows neither init container.
pub fn answer(review: &Value) -> Option<Injection> {
    let patch: ByteString =
        serde_json::from_value(review.pointer("/response/patch")?.clone()).ok()?;
    let patch: Value = serde_json::from_slice(&patch.0).ok()?;
    let operations = patch.as_array()?;
    let adds = |name: &str| {
        operations
            .iter()
            .any(|operation| names(&operation["value"], name))
    };
    if adds(ISTIO_VALIDATION) {
        Some(Injection::IstioValidation)
    } else if adds(ISTIO_INIT) {
        Some(Injection::IstioInit)
    } else {
        None
    }
}

/// Whether a patch's value is, or lists, a container of that name.
fn names(value: &Value, name: &str) -> bool {
    match value {
        Value::Array(items) => items.iter().any(|item| names(item, name)),
        Value::Object(fields) => fields.get("name").is_some_and(|it| it == name),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn review(patch: &Value) -> Value {
        let bytes = ByteString(patch.to_string().into_bytes());
        json!({"response": {"allowed": true, "patch": bytes}})
    }

    #[test]
    fn the_init_container_is_found_added_alone_or_in_a_list() {
        let alone = json!([{"op": "add", "path": "/spec/initContainers/-", "value": {"name": "istio-init"}}]);
        assert_eq!(answer(&review(&alone)), Some(Injection::IstioInit));
        let list = json!([
            {"op": "add", "path": "/spec/containers/1", "value": {"name": "istio-proxy"}},
            {"op": "add", "path": "/spec/initContainers", "value": [{"name": "istio-validation"}]},
        ]);
        assert_eq!(answer(&review(&list)), Some(Injection::IstioValidation));
    }

    #[test]
    fn anything_else_is_no_answer() {
        assert_eq!(answer(&json!({"response": {"allowed": true}})), None);
        assert_eq!(
            answer(&json!({"response": {"patch": "no base64 at all"}})),
            None
        );
        assert_eq!(answer(&review(&json!({"not": "a patch"}))), None);
        assert_eq!(answer(&json!("junk")), None);
    }
}

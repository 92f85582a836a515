//! What others write into a cluster: nodes, pods, and the server's own fields.

use k8s_openapi::api::core::v1::{Node, Pod};
use serde_json::{Value, json};

/// A node, whose condition `Ready` is so.
pub(crate) fn node(name: &str, ready: &str) -> Node {
    serde_json::from_value(json!({
        "metadata": {"name": name},
        "status": {"conditions": [{"type": "Ready", "status": ready}]},
    }))
    .unwrap()
}

/// The node agent's pod on a node, which is ready.
pub(super) fn agent_pod(node: &Node) -> Pod {
    let node = node.metadata.name.as_deref().unwrap();
    serde_json::from_value(json!({
        "metadata": {"name": format!("agent-{node}"), "uid": format!("uid-{node}")},
        "spec": {"nodeName": node, "containers": []},
        "status": {"conditions": [
            {"type": "PodScheduled", "status": "True"}, {"type": "Ready", "status": "True"},
        ]},
    }))
    .unwrap()
}

/// A pod of istiod that is ready.
pub(super) fn ready_istiod(version: &str) -> Pod {
    serde_json::from_value(json!({
        "metadata": {"name": "istiod-older"},
        "spec": {"containers": [{"name": "discovery", "image": format!("hub/pilot:{version}")}]},
        "status": {"conditions": [
            {"type": "PodScheduled", "status": "True"}, {"type": "Ready", "status": "True"},
        ]},
    }))
    .unwrap()
}

/// A pod that waits for `istio-validation`.
pub(crate) fn waiting_pod(name: &str) -> Pod {
    serde_json::from_value(json!({
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {"containers": [], "initContainers": [{"name": "istio-validation"}]},
        "status": {"phase": "Pending"},
    }))
    .unwrap()
}

/// The fields of a value as FieldsV1. Webhooks are known by their names; every other list is taken
/// as a whole.
pub(super) fn fields_of(value: &Value) -> Value {
    let Value::Object(fields) = value else {
        return json!({});
    };
    let below = |(key, value): (&String, &Value)| {
        let below = match (key.as_str(), value) {
            ("webhooks", Value::Array(webhooks)) => webhooks.iter().map(by_name).collect(),
            _ => fields_of(value),
        };
        (format!("f:{key}"), below)
    };
    Value::Object(fields.iter().map(below).collect())
}

fn by_name(item: &Value) -> (String, Value) {
    (
        format!("k:{}", json!({"name": item["name"]})),
        fields_of(item),
    )
}

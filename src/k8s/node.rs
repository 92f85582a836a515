//! Facts that can be read from a node.

use k8s_openapi::api::core::v1::{Node, NodeSystemInfo};

/// A node's name.
pub fn name(node: &Node) -> &str {
    node.metadata.name.as_deref().unwrap_or_default()
}

/// Whether the node's condition `Ready` is true.
pub fn is_ready(node: &Node) -> bool {
    let conditions = node.status.as_ref().and_then(|it| it.conditions.as_ref());
    conditions
        .into_iter()
        .flatten()
        .any(|condition| condition.type_ == "Ready" && condition.status == "True")
}

/// What a node's kubelet reports of its system.
pub fn system_info(node: &Node) -> Option<&NodeSystemInfo> {
    node.status.as_ref()?.node_info.as_ref()
}

/// Whether no pod of a DaemonSet can run on the node: those of Virtual Kubelet (AKS virtual nodes)
/// and EKS Fargate.
pub fn is_virtual(node: &Node) -> bool {
    let label = |key: &str| node.metadata.labels.as_ref()?.get(key).map(String::as_str);
    label("type") == Some("virtual-kubelet")
        || label("eks.amazonaws.com/compute-type") == Some("fargate")
}

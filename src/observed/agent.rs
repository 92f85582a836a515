//! How far the node agent is on the nodes.

use k8s_openapi::api::core::v1::{Event, Node, Pod};

use crate::k8s::{node, pod};

/// What shows how far the node agent is.
#[derive(Clone, Debug, Default)]
pub struct AgentState {
    /// Pods of node agents in our namespace.
    pub pods: Vec<Pod>,
    /// All nodes.
    pub nodes: Vec<Node>,
    /// Warnings in our namespace.
    pub events: Vec<Event>,
    /// The Pod Security level that our namespace enforces; `None` when it does not say.
    pub pod_security: Option<String>,
}

impl AgentState {
    /// How many pods of the node agent remain on nodes that can still end them. A node that is not
    /// Ready keeps its pods until it is back, and it may never be.
    pub fn remaining_pods(&self) -> usize {
        self.pods.iter().filter(|pod| self.can_end(pod)).count()
    }

    fn can_end(&self, pod: &Pod) -> bool {
        let Some(name) = pod::node(pod) else {
            return true;
        };
        let node = self.nodes.iter().find(|node| node::name(node) == name);
        node.is_some_and(node::is_ready)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_pod_on_a_node_that_is_not_ready_is_not_waited_for() {
        let pod = |node: &str| {
            serde_json::from_value(json!({
                "metadata": {"name": "agent"}, "spec": {"nodeName": node, "containers": []},
            }))
            .unwrap()
        };
        let node = |name: &str, ready: &str| {
            serde_json::from_value(json!({
                "metadata": {"name": name},
                "status": {"conditions": [{"type": "Ready", "status": ready}]},
            }))
            .unwrap()
        };
        let state = AgentState {
            pods: vec![pod("up"), pod("down"), pod("deleted")],
            nodes: vec![node("up", "True"), node("down", "Unknown")],
            ..AgentState::default()
        };
        assert_eq!(state.remaining_pods(), 1);
    }

    #[test]
    fn a_pod_without_a_node_is_waited_for() {
        let pod = json!({"metadata": {"name": "agent"}, "spec": {"containers": []}});
        let state = AgentState {
            pods: vec![serde_json::from_value(pod).unwrap()],
            ..AgentState::default()
        };
        assert_eq!(state.remaining_pods(), 1);
    }
}

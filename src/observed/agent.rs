//! How far the node agent is on the nodes.

use std::collections::BTreeSet;

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

/// The node that a pod is on, as far as it matters to the pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// It is on no node yet.
    Nowhere,
    /// Its node is Ready.
    Ready,
    /// Its node exists and is not Ready: it may come back, with what was on it.
    Away,
    /// Its node does not exist any more.
    Gone,
}

impl AgentState {
    /// Where a pod is.
    pub fn place(&self, pod: &Pod) -> Place {
        let Some(name) = pod::node(pod) else {
            return Place::Nowhere;
        };
        match self.nodes.iter().find(|node| node::name(node) == name) {
            Some(node) if node::is_ready(node) => Place::Ready,
            Some(_) => Place::Away,
            None => Place::Gone,
        }
    }

    /// How many pods of the node agent remain on nodes that exist.
    pub fn remaining_pods(&self) -> usize {
        let remains = |pod: &&Pod| self.place(pod) != Place::Gone;
        self.pods.iter().filter(remains).count()
    }

    /// The nodes that exist, are not Ready and have a pod of the node agent. When such a node comes
    /// back, its runtime calls the plugin for every pod, so the node agent has to be there to take
    /// it away.
    pub fn away(&self) -> BTreeSet<String> {
        let away = self
            .pods
            .iter()
            .filter(|pod| self.place(pod) == Place::Away);
        away.filter_map(pod::node).map(str::to_owned).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(node: Option<&str>) -> Pod {
        let pod = json!({
            "metadata": {"name": "agent"}, "spec": {"nodeName": node, "containers": []},
        });
        serde_json::from_value(pod).unwrap()
    }

    #[test]
    fn a_pod_on_a_node_that_may_come_back_remains() {
        let node = |name: &str, ready: &str| {
            serde_json::from_value(json!({
                "metadata": {"name": name},
                "status": {"conditions": [{"type": "Ready", "status": ready}]},
            }))
            .unwrap()
        };
        let pods = [Some("up"), Some("down"), Some("deleted"), None].map(pod);
        let state = AgentState {
            pods: pods.to_vec(),
            nodes: vec![node("up", "True"), node("down", "Unknown")],
            ..AgentState::default()
        };
        let places = pods.map(|it| state.place(&it));
        let expected = [Place::Ready, Place::Away, Place::Gone, Place::Nowhere];
        assert_eq!(places, expected);
        assert_eq!(state.remaining_pods(), 3);
        assert_eq!(state.away(), BTreeSet::from(["down".to_owned()]));
    }
}

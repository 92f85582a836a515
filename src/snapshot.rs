//! The cluster as it was at one moment.

use k8s_openapi::api::core::v1::{Event, Node, Pod};

use crate::control_plane::Injection;
use crate::injector::NewPods;
use crate::k8s::object::{Object, ObjectId};
use crate::names;
use crate::plan::LiveObjects;

/// The objects of a cluster that matter to one application.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// Ours, what stands where ours shall be, and every other control plane and node agent.
    pub live: LiveObjects,
    /// The istiods of our namespace.
    pub istiods: Vec<Pod>,
}

impl Snapshot {
    /// The node agent's DaemonSet in a namespace.
    pub fn daemon_set(&self, namespace: &str) -> Option<&Object> {
        self.find("apps", "DaemonSet", namespace, names::NODE_AGENT)
    }

    /// The Deployment of istiod in a namespace.
    pub fn istiod(&self, namespace: &str) -> Option<&Object> {
        self.find("apps", "Deployment", namespace, names::ISTIOD)
    }

    /// What the injection configuration of a namespace gives to pods; `None` when there is none,
    /// or it cannot be read.
    pub fn injection(&self, namespace: &str) -> Option<Injection> {
        let config = self.find("", "ConfigMap", namespace, names::INJECTOR_CONFIG)?;
        NewPods::of(config).map(|it| it.injection)
    }

    fn find(&self, group: &str, kind: &str, namespace: &str, name: &str) -> Option<&Object> {
        self.live.get(&ObjectId {
            group: group.to_owned(),
            kind: kind.to_owned(),
            namespace: Some(namespace.to_owned()),
            name: name.to_owned(),
        })
    }
}

/// What says how far the node agent is.
#[derive(Clone, Debug, Default)]
pub struct AgentFacts {
    /// Pods of node agents in our namespace.
    pub pods: Vec<Pod>,
    /// All nodes.
    pub nodes: Vec<Node>,
    /// Warnings in our namespace.
    pub events: Vec<Event>,
    /// The Pod Security level that our namespace enforces; `None` when it does not say.
    pub pod_security: Option<String>,
}

//! How far the node agent's rollout is, and what holds it.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{Event, Node, Pod};

use crate::object::Object;
use crate::pods;
use crate::readiness::{DaemonSetCounts, daemon_set_counts};

/// What was read of the node agent.
#[derive(Clone, Copy, Debug)]
pub struct RolloutFacts<'a> {
    /// The live DaemonSet.
    pub daemon_set: &'a Object,
    /// Its pods.
    pub pods: &'a [Pod],
    /// All nodes.
    pub nodes: &'a [Node],
    /// Events about the DaemonSet and its pods.
    pub events: &'a [Event],
    /// The Pod Security level that the namespace enforces; `None` when it does not say.
    pub pod_security: Option<&'a str>,
}

/// How far the rollout is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rollout {
    /// Whether the plugin is on every node that counts.
    pub ready: bool,
    /// The DaemonSet's own numbers.
    pub counts: DaemonSetCounts,
    /// What only a person can mend.
    pub fault: Option<Fault>,
    /// Nodes that hold the rollout, with the reason in words.
    pub held_by: BTreeMap<String, String>,
    /// A node, and its pod, that runs and does not become ready: its log may say why.
    pub running: Option<(String, String)>,
}

/// Why a node agent cannot start until a person does something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A directory does not exist on some nodes.
    PathMissing {
        /// The missing directories.
        paths: BTreeSet<String>,
        /// The nodes without them.
        nodes: BTreeSet<String>,
    },
    /// The namespace's Pod Security level refuses the node agent.
    PodSecurity,
    /// The configuration directory holds no configuration that the plugin could be added to.
    NoConfiguration {
        /// A node where it is so.
        node: String,
    },
}

/// Judges a rollout.
///
/// A node that is not Ready does not hold it; a cordoned Ready node does. Nodes that the
/// DaemonSet's controller leaves out (taints, another operating system) have no pod and do not count.
pub fn rollout(facts: RolloutFacts<'_>) -> Rollout {
    let counts = daemon_set_counts(facts.daemon_set);
    let not_ready_nodes: BTreeSet<&str> = facts
        .nodes
        .iter()
        .filter(|node| !pods::is_node_ready(node))
        .filter_map(|node| node.metadata.name.as_deref())
        .collect();
    let revision_pods: Vec<&Pod> = facts
        .pods
        .iter()
        .filter(|pod| pod.metadata.deletion_timestamp.is_none())
        .collect();
    let mut held_by = BTreeMap::new();
    let mut running = None;
    let mut missing: (BTreeSet<String>, BTreeSet<String>) = Default::default();
    for pod in revision_pods.iter().filter(|pod| !pods::is_ready(pod)) {
        let node = pods::node(pod).unwrap_or("(no node yet)").to_owned();
        if not_ready_nodes.contains(node.as_str()) {
            continue;
        }
        let paths = missing_paths(pod, facts.events);
        if !paths.is_empty() {
            missing.0.extend(paths);
            missing.1.insert(node.clone());
        }
        let why = pods::why_not_ready(pod, facts.events);
        if why == pods::NOT_READY
            && let Some(name) = &pod.metadata.name
        {
            running.get_or_insert((node.clone(), name.clone()));
        }
        held_by.insert(node, why);
    }
    let created = u32::try_from(revision_pods.len()).unwrap_or(u32::MAX);
    let complete = counts.observed && created >= counts.desired && counts.updated >= counts.desired;
    let fault = if !missing.0.is_empty() {
        Some(Fault::PathMissing {
            paths: missing.0,
            nodes: missing.1,
        })
    } else if created < counts.desired && refused_by_pod_security(facts) {
        Some(Fault::PodSecurity)
    } else {
        None
    };
    Rollout {
        ready: complete && held_by.is_empty(),
        counts,
        fault,
        held_by,
        running,
    }
}

/// Whether the node agent's log says that it waits for a configuration to add the plugin to
/// (`cni/pkg/install/cniconfig.go`, Istio 1.31).
pub fn waits_for_configuration(log: &str) -> bool {
    log.contains("cannot find existing CNI network config")
}

/// The directories that kubelet did not find for this pod.
///
/// Kubernetes 1.32 says `hostPath type check failed: PATH is not a directory`; 1.37 goes on with
/// what it found there instead, and has a comma in place of the colon where it found nothing
/// (`pkg/volume/hostpath/host_path.go`).
fn missing_paths(pod: &Pod, events: &[Event]) -> Vec<String> {
    pods::events_of(pod, events)
        .filter(|event| event.reason.as_deref() == Some("FailedMount"))
        .filter_map(|event| event.message.as_deref())
        .flat_map(|message| message.split("hostPath type check failed").skip(1))
        .filter_map(|rest| rest.split_once(" is not a directory"))
        .map(|(path, _)| path.trim_start_matches([':', ',', ' ']).to_owned())
        .collect()
}

/// An event stays after its cause is gone, so the namespace's own word comes first. One without a
/// word has the cluster's default, which only the event tells.
fn refused_by_pod_security(facts: RolloutFacts<'_>) -> bool {
    if facts.pod_security == Some("privileged") {
        return false;
    }
    let uid = facts
        .daemon_set
        .at("/metadata/uid")
        .and_then(serde_json::Value::as_str);
    facts.events.iter().any(|event| {
        event.involved_object.uid.as_deref() == uid
            && event.reason.as_deref() == Some("FailedCreate")
            && event
                .message
                .as_deref()
                .is_some_and(|it| it.contains("violates PodSecurity"))
    })
}

#[cfg(test)]
mod tests;

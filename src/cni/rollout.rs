//! How far the node agent's rollout is, and what holds it up.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{Event, Node, Pod};

use crate::k8s::object::Object;
use crate::k8s::rollout::NodeCounts;
use crate::k8s::{node, pod};
use crate::text::up_to_three;

/// What was read about the node agent.
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
    pub counts: NodeCounts,
    /// What only a person can fix.
    pub fault: Option<AgentFault>,
    /// Nodes that hold up the rollout, with the reason in words.
    pub held_by: BTreeMap<String, String>,
    /// Why missing pods cannot be created, for example because of a quota or a webhook.
    pub refusal: Option<String>,
    /// Nodes whose pods run but do not become ready, with the names of these pods: their logs may
    /// say why.
    pub running: BTreeMap<String, String>,
    /// Whether a container fails on some node, rather than still starting.
    pub fails: bool,
}

impl Rollout {
    /// A complete rollout, which nothing holds up.
    pub fn complete(counts: NodeCounts) -> Self {
        Self {
            ready: true,
            counts,
            fault: None,
            held_by: BTreeMap::new(),
            refusal: None,
            running: BTreeMap::new(),
            fails: false,
        }
    }

    /// What holds up the rollout, in words: the reason that most nodes share, with up to three of
    /// them.
    pub fn reason(&self) -> Option<String> {
        let mut nodes_of: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (node, why) in &self.held_by {
            nodes_of.entry(why).or_default().push(node);
        }
        // Of reasons with equally many nodes, the alphabetically first.
        let most = nodes_of
            .into_iter()
            .rev()
            .max_by_key(|(_, nodes)| nodes.len());
        let refusal = || self.refusal.clone();
        most.map(|(why, nodes)| format!("{}: {why}", up_to_three(nodes)))
            .or_else(refusal)
    }
}

/// Why a node agent cannot start until a person does something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AgentFault {
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
        /// The nodes where that is so.
        nodes: BTreeSet<String>,
    },
}

/// The rollout that these facts show.
///
/// Neither a node that is not Ready nor one that is gone holds it up; a cordoned Ready node does.
/// Nodes that the DaemonSet's controller passes over (taints, another operating system) have no pod
/// and do not count.
pub fn rollout(facts: RolloutFacts<'_>) -> Rollout {
    let mut counts = NodeCounts::of(facts.daemon_set);
    let ready_nodes: BTreeSet<&str> = facts
        .nodes
        .iter()
        .filter(|node| node::is_ready(node))
        .filter_map(|node| node.metadata.name.as_deref())
        .collect();
    let counting = |pod: &&Pod| pod::node(pod).is_none_or(|node| ready_nodes.contains(node));
    let staying: Vec<&Pod> = facts
        .pods
        .iter()
        .filter(|pod| pod.metadata.deletion_timestamp.is_none())
        .collect();
    let mut held_by = BTreeMap::new();
    let mut running = BTreeMap::new();
    let mut fails = false;
    let mut missing: (BTreeSet<String>, BTreeSet<String>) = Default::default();
    for pod in staying.iter().copied().filter(counting) {
        if pod::is_ready(pod) {
            continue;
        }
        let node = pod::node(pod).unwrap_or("(no node yet)").to_owned();
        let paths = missing_paths(pod, facts.events);
        if !paths.is_empty() {
            missing.0.extend(paths);
            missing.1.insert(node.clone());
        }
        fails |= pod::container_failure(pod).is_some();
        let why = pod::why_not_ready(pod, facts.events);
        if why == pod::NOT_READY
            && let Some(name) = &pod.metadata.name
        {
            running.insert(node.clone(), name.clone());
        }
        held_by.insert(node, why);
    }
    let created = u32::try_from(staying.len()).unwrap_or(u32::MAX);
    // The DaemonSet's own number lags behind its pods.
    let ready = staying.iter().filter(|pod| pod::is_ready(pod)).count();
    let ready = u32::try_from(ready).unwrap_or(u32::MAX);
    counts.ready = counts.ready.max(ready.min(counts.desired));
    let complete = counts.observed && created >= counts.desired && counts.updated >= counts.desired;
    let refusal = refusal(facts).filter(|_| created < counts.desired);
    Rollout {
        ready: complete && held_by.is_empty(),
        counts,
        fault: fault(missing, refusal),
        held_by,
        refusal: refusal.map(str::to_owned),
        running,
        fails,
    }
}

/// What only a person can fix: directories that are missing on nodes, or the reason why pods are
/// refused.
fn fault(
    (paths, nodes): (BTreeSet<String>, BTreeSet<String>),
    refusal: Option<&str>,
) -> Option<AgentFault> {
    if !paths.is_empty() {
        return Some(AgentFault::PathMissing { paths, nodes });
    }
    let is_pod_security = refusal.is_some_and(|it| it.contains(POD_SECURITY));
    is_pod_security.then_some(AgentFault::PodSecurity)
}

/// Whether the node agent's log says that it waits for a configuration to add the plugin to
/// (`cni/pkg/install/cniconfig.go`, Istio 1.31).
pub fn waits_for_configuration(log: &str) -> bool {
    log.contains("cannot find existing CNI network config")
}

/// The directories that kubelet did not find for this pod.
///
/// Kubernetes 1.32 says `hostPath type check failed: PATH is not a directory`. Kubernetes 1.37 adds
/// what it found there instead; where it found nothing, it has a comma in place of the colon
/// (`pkg/volume/hostpath/host_path.go`).
fn missing_paths(pod: &Pod, events: &[Event]) -> Vec<String> {
    pod::failed_mounts(pod, events)
        .flat_map(|message| message.split("hostPath type check failed").skip(1))
        .filter_map(|rest| rest.split_once(" is not a directory"))
        .map(|(path, _)| path.trim_start_matches([':', ',', ' ']).to_owned())
        .collect()
}

/// What Pod Security's refusals contain
/// (`PodSecurity` in `k8s.io/pod-security-admission/admission`, Kubernetes 1.37).
const POD_SECURITY: &str = "violates PodSecurity";

/// Why the DaemonSet's controller could not create a pod, according to its last event.
///
/// An event stays after its cause is gone, so the namespace's own Pod Security label comes before
/// it. A namespace without that label has the cluster's default, which only the event shows.
fn refusal(facts: RolloutFacts<'_>) -> Option<&str> {
    let is_privileged = facts.pod_security == Some("privileged");
    pod::messages_about(facts.daemon_set.uid(), "FailedCreate", facts.events)
        .filter(|message| !(is_privileged && message.contains(POD_SECURITY)))
        .last()
}

#[cfg(test)]
mod tests;

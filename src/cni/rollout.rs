//! How far the node agent's rollout is, and what holds it up.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{Event, Node, Pod};

use crate::k8s::admission::PodRefusal;
use crate::k8s::object::Object;
use crate::k8s::rollout::NodeCounts;
use crate::k8s::{event, node, pod};
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
    /// Whether the plugin is on every node that counts for the switch: nodes that have joined since
    /// the rollout began do not, as long as nothing fails there.
    pub ready: bool,
    /// Whether there is a pod of the newest specification for every node.
    pub complete: bool,
    /// The DaemonSet's own numbers, without nodes that can run no node agent.
    pub counts: NodeCounts,
    /// What only a person can fix.
    pub fault: Option<AgentFault>,
    /// Ready nodes without a ready node agent, with the reason in words.
    pub held_by: BTreeMap<String, String>,
    /// Why missing pods cannot be created, for example because of a quota or a webhook.
    pub refusal: Option<String>,
    /// Nodes whose pods run but do not become ready, with the names of these pods: their logs may
    /// say why.
    pub running: BTreeMap<String, String>,
    /// Nodes that can run no node agent.
    pub unable: BTreeSet<String>,
}

impl Rollout {
    /// A complete rollout, which nothing holds up.
    pub fn complete(counts: NodeCounts) -> Self {
        Self {
            ready: true,
            complete: true,
            counts,
            fault: None,
            held_by: BTreeMap::new(),
            refusal: None,
            running: BTreeMap::new(),
            unable: BTreeSet::new(),
        }
    }

    /// Whether the plugin is on every Ready node, those that joined later included.
    pub fn is_everywhere(&self) -> bool {
        self.complete && self.held_by.is_empty()
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
    /// The cluster refuses its pods.
    Refused(PodRefusal),
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
/// and do not count, and neither do those that can run no node agent.
pub fn rollout(facts: RolloutFacts<'_>) -> Rollout {
    let mut counts = NodeCounts::of(facts.daemon_set);
    let staying = facts
        .pods
        .iter()
        .filter(|pod| pod.metadata.deletion_timestamp.is_none());
    let staying: Vec<&Pod> = staying.collect();
    let created = number(staying.len());
    let complete = counts.observed && created >= counts.desired && counts.updated >= counts.desired;
    let refusal = refusal(facts).filter(|_| created < counts.desired);
    let node_of = |pod: &Pod| {
        let name = pod::node(pod)?;
        facts.nodes.iter().find(|node| node::name(node) == name)
    };
    let (unable, able): (Vec<&Pod>, Vec<&Pod>) = staying
        .into_iter()
        .partition(|pod| node_of(pod).is_some_and(node::is_virtual));
    // The DaemonSet's own number lags behind its pods.
    let ready = able.iter().filter(|pod| pod::is_ready(pod)).count();
    counts.desired = counts.desired.saturating_sub(number(unable.len()));
    counts.ready = counts.ready.max(number(ready)).min(counts.desired);

    let mut held = Held::default();
    for pod in able.iter().filter(|pod| !pod::is_ready(pod)) {
        let node = node_of(pod);
        // A pod without a node is one for which none was found.
        if node.map_or(pod::node(pod).is_none(), node::is_ready) {
            let is_joining = ready > 0 && node.is_some_and(|node| is_younger(node, facts));
            held.add(pod, is_joining, facts.events);
        }
    }
    Rollout {
        ready: complete && held.switch_by.is_empty(),
        complete,
        counts,
        fault: fault(held.missing_paths, held.missing_on, refusal),
        held_by: held.by,
        refusal: refusal.map(str::to_owned),
        running: held.running,
        unable: unable
            .into_iter()
            .filter_map(pod::node)
            .map(str::to_owned)
            .collect(),
    }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// Whether a node has joined the cluster after the rollout began.
fn is_younger(node: &Node, facts: RolloutFacts<'_>) -> bool {
    let joined = node.metadata.creation_timestamp.as_ref().map(|it| it.0);
    let began = facts.daemon_set.created_at();
    joined
        .zip(began)
        .is_some_and(|(joined, began)| joined > began)
}

/// What holds up a rollout.
#[derive(Default)]
struct Held {
    by: BTreeMap<String, String>,
    /// Those of the nodes that hold up the switch.
    switch_by: BTreeSet<String>,
    running: BTreeMap<String, String>,
    missing_paths: BTreeSet<String>,
    missing_on: BTreeSet<String>,
}

impl Held {
    /// Adds a pod that is not ready, on a Ready node or on none.
    fn add(&mut self, pod: &Pod, is_joining: bool, events: &[Event]) {
        let node = pod::node(pod).unwrap_or("(no node yet)").to_owned();
        let paths = missing_paths(pod, events);
        let fails = !paths.is_empty() || pod::container_failure(pod).is_some();
        if !paths.is_empty() {
            self.missing_paths.extend(paths);
            self.missing_on.insert(node.clone());
        }
        if !is_joining || fails {
            self.switch_by.insert(node.clone());
        }
        let why = pod::why_not_ready(pod, events);
        if why == pod::NOT_READY
            && let Some(name) = &pod.metadata.name
        {
            self.running.insert(node.clone(), name.clone());
        }
        self.by.insert(node, why);
    }
}

/// What only a person can fix: directories that are missing on nodes, or the reason why pods are
/// refused.
fn fault(
    paths: BTreeSet<String>,
    nodes: BTreeSet<String>,
    refusal: Option<&str>,
) -> Option<AgentFault> {
    if !paths.is_empty() {
        return Some(AgentFault::PathMissing { paths, nodes });
    }
    refusal.and_then(PodRefusal::of).map(AgentFault::Refused)
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

/// Why the DaemonSet's controller could not create a pod, according to its last event.
///
/// An event stays after its cause is gone, so the namespace's own Pod Security label comes before
/// it. A namespace without that label has the cluster's default, which only the event shows.
fn refusal(facts: RolloutFacts<'_>) -> Option<&str> {
    let is_privileged = facts.pod_security == Some("privileged");
    let is_old =
        |message: &str| is_privileged && PodRefusal::of(message) == Some(PodRefusal::PodSecurity);
    pod::events_about(facts.daemon_set.uid(), "FailedCreate", facts.events)
        .filter_map(|event| Some((event::last_time(event), event.message.as_deref()?)))
        .filter(|(_, message)| !is_old(message))
        .max_by_key(|(time, _)| *time)
        .map(|(_, message)| message)
}

#[cfg(test)]
mod tests;

//! Nodes with their node agents.

use std::collections::BTreeSet;
use std::time::Duration;

use k8s_openapi::api::core::v1::{Event, Node, Pod};
use serde_json::{Value, json};

use super::pods::ModelPod;
use super::units::Looked;
use super::{Fault, Model};
use crate::assess::agent::has_same_template;
use crate::istio::names;
use crate::k8s::kind::DAEMON_SET;
use crate::k8s::object::Object;

/// The node agent's pod on a node.
#[derive(Clone, Debug)]
struct Agent {
    is_ready: bool,
    is_leaving: bool,
}

/// What keeps a node agent from running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    Crashes,
    CannotMount,
}

/// A node.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is true or not whatever the others are"
)]
pub(super) struct ModelNode {
    pub(super) name: String,
    pub(super) is_ready: bool,
    /// Whether it can run no node agent.
    pub(super) is_virtual: bool,
    joined_at: Duration,
    agent: Option<Agent>,
    pub(super) trouble: Option<Trouble>,
    /// Whether the runtime calls the plugin.
    has_plugin: bool,
    /// Whether it has joined after the rollout of the node agent began, and none has been ready on
    /// it since.
    pub(super) is_joining: bool,
    /// What had happened when it came back without the plugin, if no node agent has been ready on
    /// it since.
    came_back: Option<u64>,
    /// Whether somebody has deleted the DaemonSet, and no node agent has been ready on it since.
    pub(super) is_robbed: bool,
}

impl ModelNode {
    pub(super) fn new(name: &str, joined_at: Duration) -> Self {
        Self {
            name: name.to_owned(),
            is_ready: true,
            is_virtual: false,
            joined_at,
            agent: None,
            trouble: None,
            has_plugin: false,
            is_joining: false,
            came_back: None,
            is_robbed: false,
        }
    }

    pub(super) fn has_agent(&self) -> bool {
        self.agent.is_some()
    }

    pub(super) fn has_ready_agent(&self) -> bool {
        self.agent.as_ref().is_some_and(|it| it.is_ready)
    }

    /// The DaemonSet goes, and with it, by and by, its pods.
    pub(super) fn end_agent(&mut self) {
        if let Some(agent) = &mut self.agent {
            agent.is_leaving = true;
        }
    }

    /// Kubelet brings the node agent a step further.
    pub(super) fn run_kubelet(&mut self) {
        if !self.is_ready {
            return;
        }
        match &mut self.agent {
            // It takes the plugin away when it ends.
            Some(agent) if agent.is_leaving => {
                self.agent = None;
                self.has_plugin = false;
            }
            Some(agent) if !self.is_virtual && self.trouble.is_none() => {
                agent.is_ready = true;
                self.has_plugin = true;
                self.is_joining = false;
                self.came_back = None;
                self.is_robbed = false;
            }
            Some(_) | None => {}
        }
    }

    /// The node agent fails; what it has installed stays.
    pub(super) fn fail_agent(&mut self, trouble: Option<Trouble>) {
        self.trouble = trouble;
        if let Some(agent) = &mut self.agent {
            agent.is_ready = false;
        }
    }

    pub(super) fn come_back(&mut self, count: u64) {
        if !self.is_ready && !self.has_plugin {
            self.came_back = Some(count);
        }
        self.is_ready = true;
    }

    /// Whether pods that wait for the plugin start, or everybody knows that they do not yet.
    ///
    /// What the switch does not wait for, by the contract, are nodes that run no node agent, nodes that
    /// join while it is rolled out or on, and nodes that were away when it was switched on.
    pub(super) fn is_served(&self, switched_on_by: u64) -> bool {
        let was_away = self.came_back.is_some_and(|it| it > switched_on_by);
        self.has_plugin || self.is_virtual || self.is_joining || was_away || self.is_robbed
    }

    fn as_node(&self) -> Node {
        let labels = if self.is_virtual {
            json!({"type": "virtual-kubelet"})
        } else {
            json!({})
        };
        let ready = if self.is_ready { "True" } else { "Unknown" };
        serde_json::from_value(json!({
            "metadata": {
                "name": self.name, "labels": labels,
                "creationTimestamp": timestamp(self.joined_at),
            },
            "status": {"conditions": [{"type": "Ready", "status": ready}]},
        }))
        .unwrap()
    }

    fn as_pod(&self) -> Option<Pod> {
        let agent = self.agent.as_ref()?;
        let is_ready = agent.is_ready && self.is_ready;
        let deleted = agent.is_leaving.then_some("2026-01-01T00:00:00Z");
        let ready = if is_ready { "True" } else { "False" };
        let statuses = match self.trouble {
            Some(Trouble::Crashes) => json!([{
                "name": "install-cni", "image": "cni", "imageID": "", "ready": false,
                "restartCount": 3, "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                "lastState": {"terminated": {"exitCode": 1}},
            }]),
            Some(Trouble::CannotMount) | None => json!([]),
        };
        let pod = json!({
            "metadata": {
                "name": format!("agent-{}", self.name), "uid": self.uid_of_agent(),
                "deletionTimestamp": deleted,
            },
            "spec": {"nodeName": self.name, "containers": []},
            "status": {
                "conditions": [
                    {"type": "PodScheduled", "status": "True"}, {"type": "Ready", "status": ready},
                ],
                "containerStatuses": statuses,
            },
        });
        serde_json::from_value(pod).ok()
    }

    fn uid_of_agent(&self) -> String {
        format!("uid-{}", self.name)
    }

    fn as_event(&self) -> Option<Event> {
        self.agent.as_ref()?;
        let fails = self.trouble == Some(Trouble::CannotMount);
        let event = fails.then(|| {
            json!({
                "metadata": {}, "involvedObject": {"uid": self.uid_of_agent()},
                "reason": "FailedMount",
                "message": "hostPath type check failed: /opt/cni/bin is not a directory",
            })
        });
        serde_json::from_value(event?).ok()
    }
}

/// That time after the beginning, as Kubernetes writes it.
fn timestamp(since: Duration) -> String {
    let seconds = since.as_secs();
    let (minutes, hours) = (seconds / 60, seconds / 3600);
    let (day, hour) = (1 + hours / 24, hours % 24);
    format!(
        "2026-01-{day:02}T{hour:02}:{:02}:{:02}Z",
        minutes % 60,
        seconds % 60
    )
}

impl Model {
    /// The DaemonSet was applied: another template replaces its pods.
    pub(super) fn daemon_set_applied(&mut self, before: Option<&Object>) {
        let kept = match before {
            Some(before) => before.at("/metadata").cloned(),
            None => Some(json!({"creationTimestamp": timestamp(self.time)})),
        };
        let kept = kept.unwrap_or_default();
        self.cluster
            .change_named(&DAEMON_SET, names::NODE_AGENT, |it| {
                for field in ["creationTimestamp", "deletionTimestamp", "finalizers"] {
                    if !kept[field].is_null() {
                        it["metadata"][field] = kept[field].clone();
                    }
                }
            });
        let after = self.daemon_set().unwrap();
        match before {
            None => {
                self.others.has_finalizer = false;
                // Nodes that are there when the rollout begins are no longer new.
                self.nodes.iter_mut().for_each(|it| it.is_joining = false);
            }
            Some(before) if !has_same_template(before, after) => {
                for node in &mut self.nodes {
                    node.fail_agent(node.trouble);
                    node.has_plugin = false;
                }
            }
            Some(_) => {}
        }
    }

    /// Who needs the node agent now.
    pub(super) fn what_is_needed(&self) -> Looked {
        let needs_it = |pod: &&ModelPod| {
            // An edit, or an istiod that was given up, gives pods what nobody can see coming.
            let is_seen = !pod.is_excused || pod.appears_at <= self.time;
            pod.needs_plugin() && is_seen && pod.can_start(&self.nodes)
        };
        let in_need = self.pods.iter().filter(needs_it);
        let with_agent = self.nodes.iter().filter(|it| it.has_agent());
        let away = with_agent.clone().filter(|it| !it.is_ready);
        let names = |nodes: &mut dyn Iterator<Item = &ModelNode>| -> BTreeSet<String> {
            nodes.map(|it| it.name.clone()).collect()
        };
        Looked {
            in_need: in_need.map(|it| it.name.clone()).collect(),
            away: names(&mut away.into_iter()),
            with_agent: names(&mut with_agent.into_iter()),
            is_relied_on: self.others.rely,
            ..Looked::default()
        }
    }

    /// The DaemonSet's controller makes pods, and everything is shown as the API server shows it.
    pub(super) fn show_nodes(&mut self) {
        let daemon_set = self.daemon_set();
        let exists = daemon_set.is_some();
        let makes_pods = daemon_set.is_some_and(|it| !it.is_being_deleted());
        for node in self
            .nodes
            .iter_mut()
            .filter(|it| makes_pods && it.agent.is_none())
        {
            node.agent = Some(Agent {
                is_ready: false,
                is_leaving: false,
            });
        }
        self.cluster.agent.nodes = self.nodes.iter().map(ModelNode::as_node).collect();
        self.cluster.agent.pods = self.nodes.iter().filter_map(ModelNode::as_pod).collect();
        self.cluster.agent.events = self.nodes.iter().filter_map(ModelNode::as_event).collect();
        let time = self.time;
        let waiting = self
            .pods
            .iter()
            .filter(|it| it.needs_plugin() && it.appears_at <= time);
        self.cluster.pending = waiting.map(ModelPod::as_pod).collect();
        if exists {
            self.show_daemon_set();
        }
        self.blind();
    }

    /// Hides what a defect makes the unit overlook.
    fn blind(&mut self) {
        let agent = &mut self.cluster.agent;
        match self.fault {
            Some(Fault::OverlooksPods) => self.cluster.pending.clear(),
            Some(Fault::OverlooksAgentPods) => agent.pods.clear(),
            Some(Fault::OverlooksNodesAway) => {
                let back = self.nodes.iter().cloned().map(|node| ModelNode {
                    is_ready: true,
                    ..node
                });
                agent.nodes = back.map(|it| it.as_node()).collect();
            }
            Some(Fault::BelievesAgents) => {
                let ready = self.nodes.iter().cloned().map(|mut node| {
                    node.trouble = None;
                    if let Some(agent) = &mut node.agent {
                        agent.is_ready = true;
                    }
                    node
                });
                agent.pods = ready.filter_map(|it| it.as_pod()).collect();
            }
            _ => {}
        }
    }

    fn show_daemon_set(&mut self) {
        let staying = self
            .nodes
            .iter()
            .filter_map(|node| Some((node, node.agent.as_ref()?)));
        let staying = staying.filter(|(_, agent)| !agent.is_leaving);
        let ready = staying
            .clone()
            .filter(|(node, agent)| node.is_ready && agent.is_ready);
        let status = json!({
            "observedGeneration": 1, "desiredNumberScheduled": self.nodes.len(),
            "updatedNumberScheduled": staying.clone().count(), "numberReady": ready.count(),
        });
        let live = self.daemon_set();
        if live.and_then(|it| it.at("/status")) != Some(&status) {
            self.cluster
                .change_named(&DAEMON_SET, names::NODE_AGENT, |it: &mut Value| {
                    it["status"] = status.clone();
                });
        }
    }
}

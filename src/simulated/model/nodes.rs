//! Nodes with their node agents, and pods on their way to them.

use std::time::Duration;

use k8s_openapi::api::core::v1::{Node, Pod};
use serde_json::{Value, json};

use super::Model;
use crate::assess::agent::has_same_template;
use crate::istio::{Injection, names};
use crate::k8s::kind::DAEMON_SET;
use crate::k8s::object::Object;
use crate::simulated::waiting_pod;

/// The node agent's pod on a node.
#[derive(Clone, Debug)]
pub(super) struct Agent {
    is_ready: bool,
    is_leaving: bool,
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
    /// Whether the runtime calls the plugin.
    pub(super) has_plugin: bool,
    /// Whether it has joined, or come back, and no node agent has been ready on it since.
    pub(super) is_joining: bool,
}

/// A pod that has been injected, and waits for its sandbox.
#[derive(Clone, Debug)]
pub(super) struct ModelPod {
    name: String,
    pub(super) injection: Injection,
    /// Whether the charm had configured what it got.
    pub(super) by_charm: bool,
    /// When a webhook lets it appear.
    appears_at: Duration,
    pub(super) node: Option<String>,
}

impl ModelNode {
    pub(super) fn new(name: &str, joined_at: Duration) -> Self {
        Self {
            name: name.to_owned(),
            is_ready: true,
            is_virtual: false,
            joined_at,
            agent: None,
            has_plugin: false,
            is_joining: false,
        }
    }

    pub(super) fn has_agent(&self) -> bool {
        self.agent.is_some()
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
            Some(agent) if !self.is_virtual => {
                agent.is_ready = true;
                self.has_plugin = true;
                self.is_joining = false;
            }
            Some(_) | None => {}
        }
    }

    /// The node agent fails; what it has installed stays.
    pub(super) fn fail_agent(&mut self) {
        if let Some(agent) = &mut self.agent {
            agent.is_ready = false;
        }
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
        let pod = json!({
            "metadata": {
                "name": format!("agent-{}", self.name), "uid": format!("uid-{}", self.name),
                "deletionTimestamp": deleted,
            },
            "spec": {"nodeName": self.name, "containers": []},
            "status": {"conditions": [
                {"type": "PodScheduled", "status": "True"}, {"type": "Ready", "status": ready},
            ]},
        });
        serde_json::from_value(pod).ok()
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
        let created = match before {
            Some(before) => before.at("/metadata/creationTimestamp").cloned(),
            None => Some(Value::from(timestamp(self.time))),
        };
        self.cluster
            .change_named(&DAEMON_SET, names::NODE_AGENT, |it| {
                it["metadata"]["creationTimestamp"] = created.clone().into();
            });
        let after = self.live(&DAEMON_SET, names::NODE_AGENT).unwrap();
        if before.is_some_and(|before| !has_same_template(before, after)) {
            for node in &mut self.nodes {
                node.fail_agent();
                node.has_plugin = false;
            }
        }
    }

    /// The DaemonSet's controller makes pods, and everything is shown as the API server shows it.
    pub(super) fn show_nodes(&mut self) {
        let exists = self.live(&DAEMON_SET, names::NODE_AGENT).is_some();
        for node in self
            .nodes
            .iter_mut()
            .filter(|it| exists && it.agent.is_none())
        {
            node.agent = Some(Agent {
                is_ready: false,
                is_leaving: false,
            });
        }
        self.cluster.agent.nodes = self.nodes.iter().map(ModelNode::as_node).collect();
        self.cluster.agent.pods = self.nodes.iter().filter_map(ModelNode::as_pod).collect();
        let time = self.time;
        let waiting = self
            .pods
            .iter()
            .filter(|it| it.injection == Injection::IstioValidation && it.appears_at <= time);
        self.cluster.pending = waiting.map(ModelPod::as_pod).collect();
        if exists {
            self.show_daemon_set();
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
        let live = self.live(&DAEMON_SET, names::NODE_AGENT);
        if live.and_then(|it| it.at("/status")) != Some(&status) {
            self.cluster
                .change_named(&DAEMON_SET, names::NODE_AGENT, |it| {
                    it["status"] = status.clone();
                });
        }
    }

    /// An istiod injects a new pod, which appears after that part, in percent, of the longest time.
    pub(super) fn create_pod(&mut self, istiod: usize, part: u32) {
        let istiod = &self.istiods[istiod % self.istiods.len()];
        let Some((injection, by_charm)) = istiod.view.filter(|_| istiod.answers) else {
            return;
        };
        if self.is_scaled_to_zero || self.cluster_has_no_webhook() {
            return;
        }
        let longest = self.holds.unwrap_or(Duration::from_secs(1));
        self.names += 1;
        self.pods.push(ModelPod {
            name: format!("p{}", self.names),
            injection,
            by_charm,
            appears_at: self.time + longest * part / 100,
            node: None,
        });
        self.tell(&format!("p{} is injected with {injection:?}", self.names));
    }

    fn cluster_has_no_webhook(&self) -> bool {
        let webhook = crate::k8s::kind::MUTATING_WEBHOOK;
        self.live(&webhook, "istio-sidecar-injector-mesh").is_none()
    }

    /// A pod goes a step further: it is bound to a node, and then its sandbox is made.
    pub(super) fn move_pod(&mut self, number: usize, node: usize) {
        let time = self.time;
        let mut moving = self
            .pods
            .iter()
            .enumerate()
            .filter(|(_, it)| it.appears_at <= time);
        let count = moving.clone().count();
        let Some((index, pod)) = moving.nth(number % count.max(1)) else {
            return;
        };
        let Some(on) = pod.node.clone() else {
            let ready: Vec<_> = self.nodes.iter().filter(|it| it.is_ready).collect();
            if let Some(node) = ready.get(node % ready.len().max(1)) {
                self.pods[index].node = Some(node.name.clone());
            }
            return;
        };
        match self.nodes.iter().find(|it| it.name == on) {
            // Kubernetes deletes pods of nodes that are gone.
            None => drop(self.pods.remove(index)),
            Some(node) if node.is_ready => {
                let node = node.clone();
                let pod = self.pods.remove(index);
                self.check_sandbox(&pod, &node);
            }
            Some(_) => {}
        }
    }
}

impl ModelPod {
    fn as_pod(&self) -> Pod {
        let mut pod = waiting_pod(&self.name);
        pod.spec.as_mut().unwrap().node_name.clone_from(&self.node);
        pod
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

//! What must hold whatever happens.

use juju::Status;

use super::nodes::{ModelNode, ModelPod};
use super::{GUARANTEE, Model, Options};
use crate::istio::{Injection, names};
use crate::k8s::kind::{DAEMON_SET, SERVICE_ACCOUNT};
use crate::k8s::object::ObjectId;

impl Model {
    /// A pod that waits for the plugin is started only where the plugin is, or where a node agent is
    /// still to come.
    pub(super) fn check_sandbox(&mut self, pod: &ModelPod, node: &ModelNode) {
        let is_served = node.has_plugin || node.is_joining || node.is_virtual;
        let needs_plugin = pod.injection == Injection::IstioValidation && pod.by_charm;
        self.tell(&format!("{} starts on {}", pod.name(), node.name));
        if needs_plugin && !is_served {
            self.violated(&format!("{} is stranded on {}", pod.name(), node.name));
        }
    }

    /// Nothing of the node agent goes while a pod or a node needs it.
    pub(super) fn check_deletion(&mut self, id: &ObjectId) {
        if id.is(&DAEMON_SET) {
            let can_start = |pod: &&ModelPod| {
                let node = pod.node.as_ref();
                node.is_none_or(|name| {
                    self.nodes
                        .iter()
                        .any(|node| node.name == *name && node.is_ready)
                })
            };
            let needs_it =
                |pod: &&ModelPod| pod.injection == Injection::IstioValidation && pod.by_charm;
            let pod = self.pods.iter().filter(needs_it).find(can_start);
            if let Some(name) = pod.map(|it| it.name().to_owned()) {
                self.violated(&format!("the node agent goes while {name} needs it"));
            }
            let away = self.nodes.iter().find(|it| !it.is_ready && it.has_agent());
            if let Some(name) = away.map(|it| it.name.clone()) {
                self.violated(&format!("the node agent goes while {name} is away"));
            }
        }
        if id.is(&SERVICE_ACCOUNT) && id.name == names::NODE_AGENT_ACCOUNT {
            let with_agent = self.nodes.iter().find(|it| it.has_agent());
            if let Some(name) = with_agent.map(|it| it.name.clone()) {
                self.violated(&format!("its rights go while the node agent is on {name}"));
            }
        }
    }

    /// `active` is said only if the cluster injects as configured.
    pub(super) fn check_status(&mut self, options: Options, status: &Status) {
        if !matches!(status, Status::Active(text) if text != "standby") {
            return;
        }
        if self.configured() != Some(options.injection()) {
            self.violated(&format!("{status}, and pods get {:?}", self.configured()));
        }
        if self.is_scaled_to_zero {
            self.violated(&format!("{status}, and no istiod is there"));
        }
    }

    /// Nothing is written after leadership was lost for longer than Juju guarantees it.
    pub(super) fn check_leadership(&mut self, unit: usize) {
        let lost = self.units[unit].lost_at;
        if lost.is_some_and(|lost| self.time.saturating_sub(lost) > GUARANTEE) {
            self.violated(&format!("unit {unit} writes and has not led for long"));
        }
    }
}

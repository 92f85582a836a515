//! Pods on their way to their sandboxes.

use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;

use super::Model;
use super::istiods::View;
use super::nodes::ModelNode;
use crate::istio::{Injection, names};
use crate::k8s::kind::MUTATING_WEBHOOK;
use crate::simulated::waiting_pod;

/// A pod that has been injected, and waits for its sandbox.
#[derive(Clone, Debug)]
pub(super) struct ModelPod {
    pub(super) name: String,
    injection: Injection,
    /// Whether nobody could keep a node agent for it.
    pub(super) is_excused: bool,
    /// When a webhook lets it appear.
    pub(super) appears_at: Duration,
    pub(super) node: Option<String>,
}

impl ModelPod {
    /// Whether it waits for the plugin.
    pub(super) fn needs_plugin(&self) -> bool {
        self.injection == Injection::IstioValidation
    }

    /// Whether it may start as things are: it is on a Ready node, or on none.
    pub(super) fn can_start(&self, nodes: &[ModelNode]) -> bool {
        let is_ready = |name: &String| nodes.iter().any(|it| it.name == *name && it.is_ready);
        self.node.as_ref().is_none_or(is_ready)
    }

    pub(super) fn as_pod(&self) -> Pod {
        let mut pod = waiting_pod(&self.name);
        pod.spec.as_mut().unwrap().node_name.clone_from(&self.node);
        pod
    }
}

impl Model {
    /// An istiod injects a new pod, which appears after that part, in percent, of the longest time.
    pub(super) fn create_pod(&mut self, istiod: usize, part: u32) {
        let istiod = &self.istiods[istiod % self.istiods.len()];
        let view = istiod.view.filter(|_| !istiod.hangs);
        let (Some(view), true) = (view, self.injects()) else {
            return;
        };
        let View {
            injection,
            is_charms,
        } = view;
        let longest = self.others.holds.unwrap_or(Duration::from_secs(1));
        self.names += 1;
        self.pods.push(ModelPod {
            name: format!("p{}", self.names),
            injection,
            is_excused: !is_charms,
            appears_at: self.time + longest * part / 100,
            node: None,
        });
        self.tell(&format!("p{} is injected with {injection:?}", self.names));
    }

    /// Whether anything injects.
    pub(super) fn injects(&self) -> bool {
        let name = names::mutating_webhook("mesh");
        !self.is_scaled_to_zero && self.live(&MUTATING_WEBHOOK, &name).is_some()
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

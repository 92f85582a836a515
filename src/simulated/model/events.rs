//! What can happen.

use std::time::Duration;

use proptest::prelude::*;

use super::nodes::ModelNode;
use super::{GUARANTEE, Model, Options};
use crate::istio::Injection;

/// Something that happens.
#[derive(Clone, Debug)]
pub(super) enum Event {
    Configure(Options),
    /// One step of a unit's hook.
    Hook(usize),
    /// The hook of the leader is killed after so many more writes.
    Kill(usize),
    Lead(usize),
    Time(u64),
    Kubelet(usize),
    AgentFails(usize),
    NodeGoesAway(usize),
    NodeComesBack(usize),
    NodeIsDeleted(usize),
    NodeJoins {
        is_virtual: bool,
    },
    IstiodTakesUp(usize),
    IstiodAnswers(usize, bool),
    IstiodIsScaled(u32),
    SomebodyEdits(Injection),
    DaemonSetIsRefused(bool),
    WebhookHolds(Option<u64>),
    PodIsCreated(usize, u32),
    PodMoves(usize, usize),
}

/// Any event; those that happen often come often.
pub(super) fn event() -> impl Strategy<Value = Event> {
    let options = prop_oneof![
        Just(Options::Off),
        Just(Options::On),
        Just(Options::OtherPaths)
    ];
    let injection = prop_oneof![Just(Injection::IstioInit), Just(Injection::IstioValidation)];
    let node = 0..5_usize;
    let two = 0..2_usize;
    prop_oneof![
        40 => two.clone().prop_map(Event::Hook),
        20 => node.clone().prop_map(Event::Kubelet),
        14 => (two.clone(), 0..=100_u32).prop_map(|(it, part)| Event::PodIsCreated(it, part)),
        24 => (0..4_usize, node.clone()).prop_map(|(pod, node)| Event::PodMoves(pod, node)),
        14 => (1..20_000_u64).prop_map(Event::Time),
        8 => two.clone().prop_map(Event::IstiodTakesUp),
        4 => options.prop_map(Event::Configure),
        2 => (0..30_usize).prop_map(Event::Kill),
        2 => two.clone().prop_map(Event::Lead),
        2 => node.clone().prop_map(Event::AgentFails),
        2 => node.clone().prop_map(Event::NodeGoesAway),
        3 => node.clone().prop_map(Event::NodeComesBack),
        1 => node.prop_map(Event::NodeIsDeleted),
        1 => any::<bool>().prop_map(|is_virtual| Event::NodeJoins { is_virtual }),
        1 => (two, any::<bool>()).prop_map(|(it, answers)| Event::IstiodAnswers(it, answers)),
        1 => (0..2_u32).prop_map(Event::IstiodIsScaled),
        1 => injection.prop_map(Event::SomebodyEdits),
        1 => any::<bool>().prop_map(Event::DaemonSetIsRefused),
        1 => proptest::option::of(1..12_u64).prop_map(Event::WebhookHolds),
    ]
}

impl Model {
    /// Lets it happen.
    pub(super) fn happen(&mut self, event: &Event) {
        if !matches!(
            event,
            Event::Hook(_) | Event::PodIsCreated(..) | Event::PodMoves(..)
        ) {
            self.tell(&format!("{event:?}"));
        }
        match *event {
            Event::Configure(options) => self.options = options,
            Event::Hook(unit) => self.take_step(unit),
            Event::Kill(writes) => self.killed_after = Some(writes),
            Event::Lead(unit) => self.lead(unit),
            Event::Time(milliseconds) => self.time += Duration::from_millis(milliseconds),
            Event::Kubelet(node) => self.with_node(node, ModelNode::run_kubelet),
            Event::AgentFails(node) => self.with_node(node, ModelNode::fail_agent),
            Event::NodeGoesAway(node) => self.with_node(node, |it| it.is_ready = false),
            Event::NodeComesBack(node) => self.with_node(node, |it| {
                it.is_joining |= !it.is_ready && !it.has_plugin;
                it.is_ready = true;
            }),
            Event::NodeIsDeleted(node) if self.nodes.len() > 1 => {
                let node = node % self.nodes.len();
                self.nodes.remove(node);
            }
            Event::NodeJoins { is_virtual } if self.nodes.len() < 5 => {
                self.names += 1;
                let mut node = ModelNode::new(&format!("n{}", self.names), self.time);
                (node.is_virtual, node.is_joining) = (is_virtual, true);
                self.nodes.push(node);
            }
            Event::NodeIsDeleted(_) | Event::NodeJoins { .. } => {}
            Event::IstiodTakesUp(istiod) => self.take_up(istiod),
            Event::IstiodAnswers(istiod, answers) => {
                self.istiods[istiod].answers = answers;
                // It reads the configuration before it answers again.
                self.take_up(istiod);
            }
            Event::IstiodIsScaled(replicas) => self.scale_istiod(replicas),
            Event::SomebodyEdits(injection) => self.edit_injection(injection),
            Event::DaemonSetIsRefused(refuses) => self.refuse_daemon_set(refuses),
            Event::WebhookHolds(seconds) => self.set_webhook(seconds.map(Duration::from_secs)),
            Event::PodIsCreated(istiod, part) => self.create_pod(istiod, part),
            Event::PodMoves(pod, node) => self.move_pod(pod, node),
        }
    }

    fn with_node(&mut self, number: usize, change: impl FnOnce(&mut ModelNode)) {
        let count = self.nodes.len();
        change(&mut self.nodes[number % count]);
    }

    /// Juju makes another unit the leader, once nobody may rely on the old answer any more.
    fn lead(&mut self, unit: usize) {
        let relies = self.units[self.leader].told_at.map(|it| it + GUARANTEE);
        if unit == self.leader || relies.is_some_and(|until| self.time < until) {
            return;
        }
        self.units[self.leader].lost_at = Some(self.time);
        self.units[unit].lost_at = None;
        self.leader = unit;
    }

    /// Nothing happens any more but what has begun: the leader's hooks come to rest, and with
    /// nothing in the way at what is configured.
    pub(super) fn come_to_rest(&mut self) {
        let mut last = None;
        for _ in 0..12 {
            let writes = self.writes;
            let status = self.run_hook();
            if last.as_ref() == Some(&status) && self.writes == writes {
                return self.check_rest(&status);
            }
            last = Some(status);
        }
        self.violated(&format!("it does not come to rest: {last:?}"));
    }

    /// One whole hook of the leader, while everything that has begun goes on.
    fn run_hook(&mut self) -> String {
        self.killed_after = None;
        for _ in 0..400 {
            self.take_step(self.leader);
            if self.units[self.leader].hook.is_none() {
                break;
            }
            self.time += Duration::from_secs(1);
            for node in &mut self.nodes {
                node.run_kubelet();
            }
            for istiod in 0..self.istiods.len() {
                self.take_up(istiod);
            }
            for pod in 0..self.pods.len() {
                self.move_pod(pod, pod);
            }
        }
        self.units[self.leader].hook = None;
        let line = self.story.last().cloned().unwrap_or_default();
        line.split_once(" s  ")
            .map_or(line.clone(), |(_, text)| text.to_owned())
    }

    fn check_rest(&mut self, status: &str) {
        let is_healthy = !self.is_scaled_to_zero
            && self.cluster.refuses.is_empty()
            && self.istiods.iter().all(|it| it.answers)
            && self.nodes.iter().all(|it| it.is_ready);
        let expected = match self.options {
            Options::Off => "active: CNI off",
            Options::On | Options::OtherPaths => "active: CNI on",
        };
        if is_healthy && !status.contains(expected) {
            self.violated(&format!("at rest it is {status}, not {expected}"));
        }
    }

    fn set_webhook(&mut self, holds: Option<Duration>) {
        // Pods that are held already were held by the other.
        if self.pods.iter().any(|it| it.node.is_none()) {
            return;
        }
        self.holds = holds;
        self.cluster.set_slow_webhook(holds);
    }
}

//! What can happen.

use std::time::Duration;

use proptest::prelude::*;

use super::nodes::{ModelNode, Trouble};
use super::others::REFUSABLE;
use super::{Model, Options};
use crate::istio::Injection;

/// Something that happens.
#[derive(Clone, Debug)]
pub(super) enum Event {
    Configure(Options),
    /// The leader, or the other unit, goes on with its hook: a look, or so many writes.
    Hook {
        leads: bool,
        writes: usize,
    },
    /// A hook is killed after so many more writes.
    Kill(usize),
    LeaderChanges,
    Time(u64),
    Kubelet(usize),
    AgentFails(usize, Option<Trouble>),
    TroubleEnds(usize),
    NodeGoesAway(usize),
    NodeComesBack(usize),
    NodeIsDeleted(usize),
    NodeJoins {
        is_virtual: bool,
    },
    IstiodTakesUp(usize),
    IstiodHangs(usize, bool),
    IstiodIsScaled(u32),
    SomebodyEdits(Option<Injection>),
    SomethingReverts(Option<Injection>),
    SomebodyDeletesDaemonSet,
    DaemonSetIsKept(bool),
    OthersRelyOnAgent(bool),
    Refused(Option<&'static str>),
    WebhookHolds(Option<u64>),
    /// Everything that was wrong is put right.
    AllIsWell,
    PodIsCreated(usize, u32),
    PodMoves(usize, usize),
}

/// Any event; those that happen often come often.
pub(super) fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        60 => hook(),
        60 => world(),
        14 => (1..20_000_u64).prop_map(Event::Time),
        5 => options().prop_map(Event::Configure),
        22 => mischief(),
    ]
}

fn hook() -> impl Strategy<Value = Event> {
    let leads = prop_oneof![5 => Just(true), 1 => Just(false)];
    let writes = prop_oneof![Just(1), 2..40_usize];
    (leads, writes).prop_map(|(leads, writes)| Event::Hook { leads, writes })
}

fn options() -> impl Strategy<Value = Options> {
    prop_oneof![
        6 => Just(Options::Off),
        6 => Just(Options::On),
        5 => Just(Options::OtherPaths),
        1 => Just(Options::Removal),
    ]
}

/// What goes on all the time.
fn world() -> impl Strategy<Value = Event> {
    let (node, two) = (0..5_usize, 0..2_usize);
    prop_oneof![
        20 => node.clone().prop_map(Event::Kubelet),
        14 => (two.clone(), 0..=100_u32).prop_map(|(it, part)| Event::PodIsCreated(it, part)),
        24 => (0..4_usize, node).prop_map(|(pod, node)| Event::PodMoves(pod, node)),
        8 => two.prop_map(Event::IstiodTakesUp),
    ]
}

/// What happens now and then.
fn mischief() -> impl Strategy<Value = Event> {
    let (node, two) = (0..5_usize, 0..2_usize);
    let trouble = proptest::option::of(prop_oneof![
        Just(Trouble::Crashes),
        Just(Trouble::CannotMount)
    ]);
    let injection = || prop_oneof![Just(Injection::IstioInit), Just(Injection::IstioValidation)];
    let rarely = |it| prop_oneof![1 => proptest::option::of(it), 2 => Just(None)];
    prop_oneof![
        4 => Just(Event::AllIsWell),
        2 => (0..30_usize).prop_map(Event::Kill),
        3 => Just(Event::LeaderChanges),
        2 => (node.clone(), trouble).prop_map(|(it, trouble)| Event::AgentFails(it, trouble)),
        2 => node.clone().prop_map(Event::TroubleEnds),
        2 => node.clone().prop_map(Event::NodeGoesAway),
        3 => node.clone().prop_map(Event::NodeComesBack),
        1 => node.prop_map(Event::NodeIsDeleted),
        1 => any::<bool>().prop_map(|is_virtual| Event::NodeJoins { is_virtual }),
        1 => (two, any::<bool>()).prop_map(|(it, hangs)| Event::IstiodHangs(it, hangs)),
        1 => (0..2_u32).prop_map(Event::IstiodIsScaled),
        1 => proptest::option::of(injection()).prop_map(Event::SomebodyEdits),
        1 => rarely(injection()).prop_map(Event::SomethingReverts),
        1 => Just(Event::SomebodyDeletesDaemonSet),
        1 => any::<bool>().prop_map(Event::DaemonSetIsKept),
        1 => prop_oneof![1 => Just(true), 2 => Just(false)].prop_map(Event::OthersRelyOnAgent),
        1 => refused().prop_map(Event::Refused),
        1 => proptest::option::of(1..12_u64).prop_map(Event::WebhookHolds),
    ]
}

fn refused() -> impl Strategy<Value = Option<&'static str>> {
    proptest::option::of(proptest::sample::select(&REFUSABLE))
}

impl Model {
    /// Lets it happen.
    pub(super) fn happen(&mut self, event: &Event) {
        self.count += 1;
        if !matches!(
            event,
            Event::Hook { .. } | Event::PodIsCreated(..) | Event::PodMoves(..)
        ) {
            self.tell(&format!("{event:?}"));
        }
        let count = self.count;
        match *event {
            Event::Configure(options) => self.configure(options),
            Event::Hook { leads, writes } => {
                self.revert();
                let unit = if leads { self.leader } else { 1 - self.leader };
                self.run_unit(unit, writes);
            }
            Event::Kill(writes) => self.killed_after = Some(writes),
            Event::LeaderChanges => self.lead(1 - self.leader),
            Event::Time(milliseconds) => self.time += Duration::from_millis(milliseconds),
            Event::Kubelet(node) => self.with_node(node, ModelNode::run_kubelet),
            Event::AgentFails(node, trouble) => {
                self.with_node(node, |it| it.fail_agent(trouble));
            }
            Event::TroubleEnds(node) => self.with_node(node, |it| it.trouble = None),
            Event::NodeGoesAway(node) => self.with_node(node, |it| it.is_ready = false),
            Event::NodeComesBack(node) => self.with_node(node, |it| it.come_back(count)),
            Event::NodeIsDeleted(node) => self.delete_node(node),
            Event::NodeJoins { is_virtual } => self.add_node(is_virtual),
            Event::IstiodTakesUp(istiod) => self.take_up(istiod),
            Event::IstiodHangs(istiod, hangs) => self.hang(istiod, hangs),
            Event::IstiodIsScaled(replicas) => self.scale_istiod(replicas),
            Event::SomebodyEdits(injection) => self.edit_injection(injection),
            Event::SomethingReverts(injection) => self.others.reverts_to = injection,
            Event::SomebodyDeletesDaemonSet => self.rob(),
            Event::DaemonSetIsKept(is_set) => self.set_finalizer(is_set),
            Event::OthersRelyOnAgent(relies) => self.set_other_control_plane(relies),
            Event::Refused(name) => self.refuse(name),
            Event::WebhookHolds(seconds) => self.set_webhook(seconds.map(Duration::from_secs)),
            Event::AllIsWell => self.all_is_well(),
            Event::PodIsCreated(istiod, part) => self.create_pod(istiod, part),
            Event::PodMoves(pod, node) => self.move_pod(pod, node),
        }
    }

    fn with_node(&mut self, number: usize, change: impl FnOnce(&mut ModelNode)) {
        let count = self.nodes.len();
        change(&mut self.nodes[number % count]);
    }

    fn delete_node(&mut self, number: usize) {
        let count = self.nodes.len();
        if count > 1 {
            self.nodes.remove(number % count);
        }
    }

    fn add_node(&mut self, is_virtual: bool) {
        if self.nodes.len() < 5 {
            self.names += 1;
            let mut node = ModelNode::new(&format!("n{}", self.names), self.time);
            (node.is_virtual, node.is_joining) = (is_virtual, true);
            self.nodes.push(node);
        }
    }
}

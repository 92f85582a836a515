//! A model of the switch: nodes, kubelets, istiods, pods, other people and two units of the
//! application take random steps, and some things must hold whatever happens.
//!
//! What a unit does is decided by the real code, from what it would see. A look is one step, and each
//! write that follows from it another: in between anything may happen, and the other unit may lead.

mod events;
mod invariants;
mod istiods;
mod nodes;
mod others;
mod pods;
mod rest;
mod units;

use std::sync::OnceLock;
use std::time::Duration;

use super::{BOTH_PATHS, KUBERNETES, Simulated, intent};
use crate::desired::Desired;
use crate::intent::Intent;
use crate::istio::{Injection, names};
use crate::k8s::kind::{CONFIG_MAP, DAEMON_SET, Kind};
use crate::k8s::object::{Object, ObjectId};
use crate::observed::new_pods::NewPods;
use crate::step::deadlines::Timeouts;
use istiods::Istiod;
use nodes::ModelNode;
use others::Others;
use pods::ModelPod;
use units::Unit;

/// What is asked of the application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Options {
    Off,
    On,
    OtherPaths,
    /// It is being removed.
    Removal,
}

impl Options {
    /// What pods should get; `None` when nothing should be there that injects.
    fn injection(self) -> Option<Injection> {
        match self {
            Self::Off => Some(Injection::IstioInit),
            Self::On | Self::OtherPaths => Some(Injection::IstioValidation),
            Self::Removal => None,
        }
    }

    fn timeouts(self) -> Timeouts {
        match self {
            Self::Removal => Timeouts::default().of_removal(),
            Self::Off | Self::On | Self::OtherPaths => Timeouts::default(),
        }
    }

    /// What these options want of the cluster.
    fn desired(self) -> &'static Desired<'static> {
        static DESIRED: OnceLock<[Desired<'static>; 4]> = OnceLock::new();
        let other = [
            ("cni-bin-dir", "/other/bin"),
            ("cni-conf-dir", "/other/net.d"),
        ];
        let desired = |intent: Intent| {
            let intent: &'static Intent = Box::leak(Box::new(intent));
            Desired::new(intent, Vec::new(), KUBERNETES)
                .unwrap()
                .without_definitions()
        };
        let all = DESIRED.get_or_init(|| {
            let off = intent(&[]);
            let nothing = Intent::nothing(off.identity.clone());
            [off, intent(&BOTH_PATHS), intent(&other), nothing].map(desired)
        });
        &all[self as usize]
    }
}

/// A defect that a unit is given on purpose: the model must find it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(test), expect(dead_code, reason = "tests of the model itself"))]
enum Fault {
    /// It relies on what it was told about its leadership for ever.
    TrustsItsLeadership,
    /// It writes what it had decided before another unit led.
    TrustsItsView,
    /// It writes over what it has not seen.
    WritesOverAnything,
    /// It does not see pods that have not started.
    OverlooksPods,
    /// It takes nodes that are away for nodes that are back.
    OverlooksNodesAway,
    /// It believes that istiods take up a change at once.
    BelievesIstiods,
    /// It takes every node agent for ready.
    BelievesAgents,
    /// It does not see the pods of the node agent.
    OverlooksAgentPods,
}

/// Everything that there is.
struct Model {
    cluster: Simulated,
    fault: Option<Fault>,
    time: Duration,
    /// How many things have happened.
    count: u64,
    options: Options,
    nodes: Vec<ModelNode>,
    pods: Vec<ModelPod>,
    istiods: Vec<Istiod>,
    is_scaled_to_zero: bool,
    /// Whether the injection configuration is as the charm has written it.
    is_configured_by_charm: bool,
    /// The look that led to the last switch on.
    switched_on_by: u64,
    others: Others,
    units: [Unit; 2],
    leader: usize,
    /// After how many more writes a hook is killed.
    killed_after: Option<usize>,
    names: u32,
    /// What has happened, for whoever reads a violation.
    story: Vec<String>,
    violation: Option<String>,
    writes: usize,
}

impl Model {
    fn new(fault: Option<Fault>) -> Self {
        let mut cluster = Simulated::new(&[]);
        cluster.agent.nodes.clear();
        Self {
            cluster,
            fault,
            time: Duration::ZERO,
            count: 0,
            options: Options::Off,
            nodes: (1..=3)
                .map(|it| ModelNode::new(&format!("n{it}"), Duration::ZERO))
                .collect(),
            pods: Vec::new(),
            istiods: vec![Istiod::default(), Istiod::default()],
            is_scaled_to_zero: false,
            is_configured_by_charm: true,
            switched_on_by: 0,
            others: Others::default(),
            units: Default::default(),
            leader: 0,
            killed_after: None,
            names: 3,
            story: Vec::new(),
            violation: None,
            writes: 0,
        }
    }

    fn tell(&mut self, line: &str) {
        let seconds = self.time.as_secs_f32();
        self.story.push(format!("{seconds:7.1} s  {line}"));
    }

    fn violated(&mut self, what: &str) {
        self.tell(&format!("VIOLATED: {what}"));
        self.violation.get_or_insert_with(|| what.to_owned());
    }

    fn live(&self, kind: &Kind, name: &str) -> Option<&Object> {
        self.cluster.live.get(&ObjectId::new(kind, "mesh", name))
    }

    fn daemon_set(&self) -> Option<&Object> {
        self.live(&DAEMON_SET, names::NODE_AGENT)
    }

    /// What the injection configuration says; `None` where nobody can read it.
    fn configured(&self) -> Option<Injection> {
        let config = self.live(&CONFIG_MAP, names::INJECTOR_CONFIG)?;
        Some(NewPods::of(config)?.injection)
    }
}

#[cfg(test)]
mod tests;

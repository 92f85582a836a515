//! One look at the cluster, and what it means in words.

use super::observe::Collection;
use crate::cluster::watch::Watched;
use crate::cni::Phase;
use crate::cni::rollout::Rollout;
use crate::decide::{self, Awaited, Settings};
use crate::names;
use crate::plan::Plan;
use crate::snapshot::{AgentFacts, Snapshot};

/// What one look at the cluster gave.
pub(super) struct Look {
    pub(super) snapshot: Snapshot,
    pub(super) phase: Phase,
    pub(super) rollout: Option<Rollout>,
    pub(super) plan: Plan,
    pub(super) awaited: Vec<Awaited>,
    pub(super) watches: Vec<Watched>,
}

impl Look {
    /// On how many nodes the node agent is ready, and of how many, while the CNI is on.
    pub(super) fn agent_numbers(&self) -> Option<(u32, u32)> {
        let rollout = self.rollout.as_ref().filter(|_| self.phase == Phase::On)?;
        Some((rollout.counts.ready, rollout.counts.desired))
    }
}

/// What a phase waits for.
pub(super) fn watched(phase: Phase) -> Vec<Collection> {
    use Collection::{Agents, Istiods, Kind, Nodes, Pending, Warnings};
    let mut watched = vec![
        Kind("CustomResourceDefinition"),
        Kind("Deployment"),
        Istiods,
    ];
    match phase {
        Phase::RollingOut | Phase::On => {
            watched.extend([Kind("DaemonSet"), Agents, Nodes, Warnings]);
        }
        Phase::Draining => watched.push(Pending),
        Phase::Removing => watched.extend([Kind("DaemonSet"), Agents]),
        Phase::Off => {}
    }
    watched
}

pub(super) fn rolling_out(rollout: Option<&Rollout>) -> Option<Awaited> {
    let Some(rollout) = rollout else {
        let progress = format!("{} is not created yet", names::NODE_AGENT);
        return Some(Awaited {
            progress,
            reason: None,
        });
    };
    if rollout.ready {
        return None;
    }
    let (ready, desired) = (rollout.counts.ready, rollout.counts.desired);
    let progress = format!("{} {ready}/{desired} nodes", names::NODE_AGENT);
    let reason = rollout.reason();
    Some(Awaited { progress, reason })
}

pub(super) fn leaving(facts: Option<&AgentFacts>) -> Awaited {
    let left = facts.map_or(0, decide::pods_left);
    let progress = format!("{} is going ({left} pods left)", names::NODE_AGENT);
    Awaited {
        progress,
        reason: None,
    }
}

pub(super) fn progress_of(phase: Phase, settings: &Settings, count: usize) -> String {
    let what = match phase {
        Phase::Off => "applying the control plane",
        Phase::RollingOut => "installing the CNI node agent",
        Phase::On => "switching injection to the CNI node agent",
        Phase::Draining if settings.wants_agent() => {
            "switching the CNI off to change the node agent"
        }
        Phase::Draining | Phase::Removing => "switching the CNI off",
    };
    format!("{what} ({count} objects)")
}

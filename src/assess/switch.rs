//! What each phase of the CNI switch waits for.

use std::time::Duration;

use super::awaited::Awaited;
use super::injects_istio_init;
use crate::cni::Phase;
use crate::cni::acknowledgement;
use crate::cni::drain::pod_name;
use crate::cni::rollout::Rollout;
use crate::desired::Desired;
use crate::k8s::pod;
use crate::observed::Observed;
use crate::observed::agent::AgentState;

/// What a phase waits for, and when to look again although no watch has reported anything.
pub(super) fn awaited(
    desired: &Desired<'_>,
    phase: Phase,
    observed: &Observed,
    rollout: Option<&Rollout>,
) -> (Vec<Awaited>, Option<Duration>) {
    match phase {
        Phase::Draining if injects_istio_init(desired, observed) => draining(observed),
        Phase::Draining if desired.intent().is_removal() => (Vec::new(), None),
        // First the injection configuration goes back; the next observation shows what follows.
        Phase::Draining => (vec![Awaited::InjectionChange], None),
        Phase::Removing => (vec![removing(observed)], None),
        Phase::RollingOut => (rolling_out(rollout), None),
        Phase::On => (serving(rollout), None),
        // Only a removal comes here before they are back: it has not waited any longer.
        Phase::Off => {
            let stays = "the rights of the CNI node agent stay";
            (nodes_away(observed, stays).into_iter().collect(), None)
        }
    }
}

fn rolling_out(rollout: Option<&Rollout>) -> Vec<Awaited> {
    let Some(rollout) = rollout else {
        return vec![Awaited::AgentCreation];
    };
    if rollout.ready {
        return Vec::new();
    }
    vec![of_rollout(rollout)]
}

/// A node that has joined after the switch counts too: pods there do not start without the node
/// agent.
fn serving(rollout: Option<&Rollout>) -> Vec<Awaited> {
    let unfinished = rollout.filter(|it| !it.is_everywhere());
    unfinished.map(of_rollout).into_iter().collect()
}

fn of_rollout(rollout: &Rollout) -> Awaited {
    Awaited::AgentRollout {
        ready: rollout.counts.ready,
        desired: rollout.counts.desired,
        reason: rollout.reason(),
    }
}

fn removing(observed: &Observed) -> Awaited {
    let state = observed.agent.as_ref();
    Awaited::AgentRemoval {
        remaining: state.map(AgentState::remaining_pods),
        away: state.map(AgentState::away).unwrap_or_default(),
        finalizers: observed
            .daemon_set()
            .filter(|it| it.is_being_deleted())
            .map(|it| it.finalizers().map(str::to_owned).collect())
            .unwrap_or_default(),
    }
}

/// What still keeps the node agent after injection has gone back to `istio-init`.
fn draining(observed: &Observed) -> (Vec<Awaited>, Option<Duration>) {
    let drain = &observed.drain;
    let holding = drain.holding.as_deref().unwrap_or_default();
    if !holding.is_empty() {
        let holding = holding.iter().cloned();
        let holding = holding.map(Awaited::Acknowledgement).collect();
        return (holding, Some(acknowledgement::POLL));
    }
    let relying = drain.relying.as_deref().unwrap_or_default();
    if !relying.is_empty() {
        return (vec![Awaited::OtherControlPlanes(relying.to_vec())], None);
    }
    let pods: Vec<_> = observed.pods_in_need().collect();
    if let Some(first) = pods.first() {
        let awaited = Awaited::PodsInNeed {
            reason: pod::why_not_ready(first, &[]),
            pods: pods.iter().map(|pod| pod_name(pod)).collect(),
        };
        return (vec![awaited], None);
    }
    let remaining = drain.until_last_pod().filter(|it| !it.is_zero());
    if let (Some(remaining), Some(webhook)) = (remaining, &drain.slowest_webhook) {
        return (vec![Awaited::Stragglers(webhook.clone())], Some(remaining));
    }
    let away = nodes_away(observed, "the CNI node agent stays");
    (away.into_iter().collect(), None)
}

fn nodes_away(observed: &Observed, stays: &'static str) -> Option<Awaited> {
    let nodes = observed.agent.as_ref()?.away();
    (!nodes.is_empty()).then_some(Awaited::NodesAway { nodes, stays })
}

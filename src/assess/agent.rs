//! The node agent: whether it is as desired, how far it is, and which of its objects must stay.

use std::collections::BTreeSet;

use crate::cni::rollout::{self, Rollout, RolloutFacts};
use crate::cni::{Agent, Phase};
use crate::desired::Desired;
use crate::intent::Intent;
use crate::k8s::kind::DAEMON_SET;
use crate::k8s::object::{LiveObjects, Object, ObjectId};
use crate::k8s::rollout::NodeCounts;
use crate::observed::agent::AgentState;
use crate::observed::{Effect, Observed};
use crate::plan::adoption::after_adoption;
use crate::plan::ownership::{Ownership, is_foreign, may_delete, ownership};
use crate::plan::{Plan, Urgency, drift};

/// The label that all objects of the node agent carry, as in upstream's charts.
const COMPONENT: &str = "app.kubernetes.io/name";
/// Its value on objects of the node agent.
const NODE_AGENT_COMPONENT: &str = "istio-cni";

/// Whether an object belongs to the node agent.
pub(super) fn is_of_agent(object: &Object) -> bool {
    object.label(COMPONENT) == Some(NODE_AGENT_COMPONENT)
}

/// The live DaemonSet that counts as this application's; during a removal, only one that it made.
pub(super) fn daemon_set<'a>(intent: &Intent, observed: &'a Observed) -> Option<&'a Object> {
    let daemon_set = observed.daemon_set()?;
    let is_ours = if intent.is_removal() {
        may_delete(daemon_set, &intent.identity)
    } else {
        !is_foreign(daemon_set, &intent.identity)
    };
    is_ours.then_some(daemon_set)
}

/// Whether the state of the node agent's pods matters for the phase.
pub(super) fn needs_state(intent: &Intent, observed: &Observed) -> bool {
    match daemon_set(intent, observed) {
        // Where objects of it remain, its pods may remain too.
        None => observed.live.values().any(|object| {
            is_of_agent(object) && ownership(object, &intent.identity) == Ownership::Ours
        }),
        Some(daemon_set) => !NodeCounts::of(daemon_set).is_complete(),
    }
}

/// The rollout of the node agent, if there is one. Its state is not read while the DaemonSet itself
/// says that all its pods are ready.
pub(super) fn rollout(intent: &Intent, observed: &Observed) -> Option<Rollout> {
    let daemon_set = daemon_set(intent, observed)?;
    let Some(state) = &observed.agent else {
        return Some(Rollout::complete(NodeCounts::of(daemon_set)));
    };
    let AgentState {
        pods,
        nodes,
        events,
        pod_security,
    } = state;
    Some(rollout::rollout(RolloutFacts {
        daemon_set,
        pods,
        nodes,
        events,
        pod_security: pod_security.as_deref(),
    }))
}

/// The state of the node agent.
pub(super) fn agent(
    desired: &Desired<'_>,
    observed: &Observed,
    rollout: Option<&Rollout>,
) -> Agent {
    let state = observed.agent.as_ref();
    let has_pods = state.is_some_and(|it| it.remaining_pods() > 0);
    let live = daemon_set(desired.intent(), observed);
    let is_there = live.is_some_and(|it| !it.is_being_deleted());
    match live {
        _ if observed.overdue.agent_pods && !(is_there && observed.may_serve_others()) => {
            Agent::Absent
        }
        Some(live) if live.is_being_deleted() => Agent::Leaving,
        Some(live) => Agent::Present {
            has_desired_template: needs_no_new_pods(desired, live, observed),
            ready: rollout.is_some_and(|it| it.ready),
        },
        None if has_pods => Agent::Leaving,
        None => Agent::Absent,
    }
}

/// Whether the live DaemonSet can become the desired one without new pods.
///
/// A working node agent does not go for one that the cluster would refuse: then the live one stays.
fn needs_no_new_pods(desired: &Desired<'_>, live: &Object, observed: &Observed) -> bool {
    let Some(wanted) = desired.settled().daemon_set() else {
        return false;
    };
    let stays = matches!(
        observed.effect_of_applying,
        Some(Effect::KeepsPods | Effect::Refused(_))
    );
    has_desired_template(wanted, live) || stays
}

/// The wanted and the live DaemonSet, where only the server knows whether applying the one would
/// replace the pods of the other: the templates differ, perhaps because a webhook of the cluster
/// has changed the live one. The server may also refuse it.
pub(super) fn of_unknown_effect<'a>(
    desired: &'a Desired<'_>,
    observed: &'a Observed,
) -> Option<(&'a Object, &'a Object)> {
    let wanted = desired.settled().daemon_set()?;
    let live = observed.daemon_set()?;
    (!has_desired_template(wanted, live)).then_some((wanted, live))
}

/// The parts of a DaemonSet's specification that its pods are made from.
const MAKES_PODS: [&str; 2] = ["template", "selector"];

/// Whether the live DaemonSet makes the pods that are wanted. It does not matter which fields a
/// replaced tool owns, nor who else has set a wanted value: taking them over changes no pod.
pub fn has_desired_template(wanted: &Object, live: &Object) -> bool {
    drift::differences(wanted, after_adoption(live).as_ref().unwrap_or(live))
        .iter()
        .filter(|difference| difference.live != difference.wanted)
        .all(|difference| {
            !MAKES_PODS
                .iter()
                .any(|part| difference.path.starts_with(&format!(".spec.{part}")))
        })
}

/// Whether two DaemonSets make the same pods.
pub fn has_same_template(one: &Object, other: &Object) -> bool {
    let pointers = MAKES_PODS.map(|part| format!("/spec/{part}"));
    pointers
        .iter()
        .all(|pointer| one.at(pointer) == other.at(pointer))
}

/// Lets what the node agent leaves behind go before anything else is done: nothing that is still to
/// be applied needs it, and where it fails no pod can start.
pub(super) fn goes_first(plan: &mut Plan, live: &LiveObjects) {
    for deletion in &mut plan.deletions {
        if live.get(&deletion.id).is_some_and(is_of_agent) {
            deletion.urgency = Urgency::CloseFirst;
        }
    }
}

/// The live objects of the node agent that a phase does not touch.
pub(super) fn frozen(phase: Phase, intent: &Intent, observed: &Observed) -> BTreeSet<ObjectId> {
    let live = &observed.live;
    let is_refused = matches!(observed.effect_of_applying, Some(Effect::Refused(_)));
    let keeps_rights = keeps_rights(intent, observed);
    let stays = |object: &Object| match phase {
        // Its configuration goes with its template.
        Phase::RollingOut | Phase::On if is_refused => true,
        Phase::Off if keeps_rights => true,
        Phase::Draining => true,
        Phase::Removing => !object.is(&DAEMON_SET),
        Phase::Off | Phase::RollingOut | Phase::On => false,
    };
    let stays = |it: &&Object| is_of_agent(it) && stays(it) && !is_foreign(it, &intent.identity);
    live.values()
        .filter(stays)
        .map(|object| object.id().clone())
        .collect()
}

/// Whether the rights of the node agent outlast a removal that could not wait: a node with one of
/// its pods is not Ready, and its runtime will call the plugin when it is back.
fn keeps_rights(intent: &Intent, observed: &Observed) -> bool {
    let state = observed.agent.as_ref();
    intent.is_removal() && state.is_some_and(|it| !it.away().is_empty())
}

//! The node agent: whether it fits, how far it is, and what of it must stay.

use std::collections::BTreeSet;

use crate::cni::rollout::{self, Rollout, RolloutFacts};
use crate::cni::{Agent, Phase};
use crate::desired::Desired;
use crate::intent::Intent;
use crate::k8s::kind::DAEMON_SET;
use crate::k8s::object::{LiveObjects, Object, ObjectId};
use crate::k8s::rollout::NodeCounts;
use crate::observed::Observed;
use crate::observed::agent::AgentState;
use crate::plan::adoption::after_adoption;
use crate::plan::drift;
use crate::plan::ownership::{Ownership, may_delete, ownership};

/// The label that all objects of the node agent carry, as upstream's do.
const COMPONENT: &str = "app.kubernetes.io/name";
/// Its value on objects of the node agent.
const NODE_AGENT_COMPONENT: &str = "istio-cni";

/// Whether an object belongs to the node agent.
fn is_of_agent(object: &Object) -> bool {
    object.label(COMPONENT) == Some(NODE_AGENT_COMPONENT)
}

/// The live DaemonSet that counts as this application's: at its removal, only one that it made.
pub(super) fn daemon_set<'a>(intent: &Intent, observed: &'a Observed) -> Option<&'a Object> {
    let daemon_set = observed.daemon_set()?;
    let counts = !intent.is_removal() || may_delete(daemon_set, &intent.identity);
    counts.then_some(daemon_set)
}

/// Whether the state of the node agent's pods matters for the phase.
pub(super) fn needs_state(intent: &Intent, observed: &Observed) -> bool {
    match daemon_set(intent, observed) {
        // Something of it is left: its pods may be, too.
        None => observed.live.values().any(|object| {
            is_of_agent(object) && ownership(object, &intent.identity) == Ownership::Ours
        }),
        Some(daemon_set) => !NodeCounts::of(daemon_set).is_complete(),
    }
}

/// The rollout of the node agent, if there is one. While its state is unknown, all its pods are
/// known to be ready.
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

/// The node agent as it is.
pub(super) fn agent(
    desired: &Desired<'_>,
    observed: &Observed,
    rollout: Option<&Rollout>,
) -> Agent {
    let state = observed.agent.as_ref();
    let has_pods = state.is_some_and(|it| it.remaining_pods() > 0);
    match daemon_set(desired.intent(), observed) {
        _ if observed.overdue.agent_pods => Agent::Absent,
        Some(live) if live.is_being_deleted() => Agent::Leaving,
        Some(live) => Agent::Present {
            fits: fits(desired, live, observed.keeps_agent_pods),
            ready: rollout.is_some_and(|it| it.ready),
        },
        None if has_pods => Agent::Leaving,
        None => Agent::Absent,
    }
}

/// Whether the live DaemonSet needs no new pods to be as it is desired.
fn fits(desired: &Desired<'_>, live: &Object, keeps_pods: Option<bool>) -> bool {
    let Some(wanted) = desired.finally().daemon_set() else {
        return false;
    };
    has_desired_template(wanted, live) || keeps_pods == Some(true)
}

/// The DaemonSet of which only the server knows whether applying it would replace its pods: its
/// template is not the desired one, as a webhook of the cluster may have changed it.
///
/// Fields of a tool that is replaced are adopted only later, and may be what makes the two equal
/// now: then nobody has to be asked.
pub(super) fn of_unknown_effect<'a>(
    desired: &'a Desired<'_>,
    observed: &'a Observed,
) -> Option<(&'a Object, &'a Object)> {
    let wanted = desired.finally().daemon_set()?;
    let live = observed.daemon_set()?;
    let is_unknown = !has_desired_template(wanted, live) && after_adoption(live).is_none();
    is_unknown.then_some((wanted, live))
}

/// What of a DaemonSet's specification its pods are made of.
const MAKES_PODS: [&str; 2] = ["template", "selector"];

/// Whether the live DaemonSet makes the pods that are wanted. Fields of a tool that this charm
/// replaces are adopted without a change, and so are values that others have set to what is wanted.
pub fn has_desired_template(wanted: &Object, live: &Object) -> bool {
    drift::differences(wanted, after_adoption(live).as_ref().unwrap_or(live))
        .iter()
        .filter(|it| it.live != it.wanted)
        .all(|difference| {
            !MAKES_PODS
                .iter()
                .any(|part| difference.path.starts_with(&format!(".spec.{part}")))
        })
}

/// Whether two DaemonSets make the same pods.
pub fn has_same_template(one: &Object, other: &Object) -> bool {
    let pointers = MAKES_PODS.map(|part| format!("/spec/{part}"));
    pointers.iter().all(|it| one.at(it) == other.at(it))
}

/// The live objects of the node agent that a phase leaves alone.
pub(super) fn frozen(phase: Phase, intent: &Intent, live: &LiveObjects) -> BTreeSet<ObjectId> {
    let stays = |object: &Object| match phase {
        Phase::Draining => true,
        Phase::Removing => !object.is(&DAEMON_SET),
        Phase::Off | Phase::RollingOut | Phase::On => false,
    };
    let is_foreign =
        |object: &Object| matches!(ownership(object, &intent.identity), Ownership::Foreign(_));
    live.values()
        .filter(|object| is_of_agent(object) && stays(object) && !is_foreign(object))
        .map(|object| object.id().clone())
        .collect()
}

//! What has to be known, beyond what is always read, before a cluster can be assessed.

use std::collections::BTreeSet;

use super::{agent, injects_istio_init, phase};
use crate::cni::Phase;
use crate::desired::Desired;
use crate::intent::Intent;
use crate::k8s::kind::CUSTOM_RESOURCE_DEFINITION;
use crate::k8s::object::Object;
use crate::observed::Observed;
use crate::observed::crashes::Crash;
use crate::observed::others::OtherControlPlane;
use crate::plan::ownership::may_delete;

/// Something that only the cluster knows, and that is asked only when it matters.
#[derive(Clone, Debug, PartialEq)]
pub enum Question<'a> {
    /// How far the node agent is on the nodes.
    AgentState,
    /// What applying this DaemonSet would do to the pods of the live one.
    EffectOfApplying {
        /// The DaemonSet to apply.
        wanted: &'a Object,
        /// The live one.
        live: &'a Object,
    },
    /// Which pods the node agent has, where the DaemonSet itself says that all are ready.
    AgentPods,
    /// What each ready istiod injects now.
    WhatIstiodsInject,
    /// Which of these control planes inject pods that rely on our node agent.
    WhoReliesOnAgent(Vec<OtherControlPlane>),
    /// Which webhook may hold a pod for the longest time.
    SlowestWebhook,
    /// Which pods have not started yet.
    PendingPods,
    /// Whether node agents say in their logs that they wait for a CNI configuration. Pairs of a
    /// node and the name of its pod.
    AgentLogs(Vec<(String, String)>),
    /// What these containers wrote before they crashed.
    LastWords(BTreeSet<Crash>),
    /// Whether there are custom resources of these definitions.
    CustomResources(Vec<&'a Object>),
    /// What the Service of the ingress gateway is like.
    GatewayService(&'a str),
}

/// The next question to answer; `None` when the cluster can be assessed. `takes_long` says whether
/// the hook has run longer than it does when all goes well.
pub fn open_question<'a>(
    desired: &'a Desired<'_>,
    observed: &'a Observed,
    takes_long: bool,
) -> Option<Question<'a>> {
    let of_switch = of_switch(desired, observed, takes_long);
    of_switch.or_else(|| of_ingress(desired.intent(), observed))
}

/// What others have to know of the ingress gateway.
fn of_ingress<'a>(intent: &'a Intent, observed: &Observed) -> Option<Question<'a>> {
    let (mesh, ingress) = (intent.mesh()?, intent.ingress.as_ref()?);
    let asks = ingress.is_watched && observed.gateway_service.is_none();
    asks.then_some(Question::GatewayService(&mesh.gateway.service))
}

fn of_switch<'a>(
    desired: &'a Desired<'_>,
    observed: &'a Observed,
    takes_long: bool,
) -> Option<Question<'a>> {
    let intent = desired.intent();
    if observed.agent.is_none() && agent::needs_state(intent, observed) {
        return Some(Question::AgentState);
    }
    let crashes = observed.unexplained_crashes();
    // Nobody waits for what is being removed to run.
    if !crashes.is_empty() && !intent.is_removal() {
        return Some(Question::LastWords(crashes));
    }
    if observed.effect_of_applying.is_none()
        && let Some((wanted, live)) = agent::of_unknown_effect(desired, observed)
    {
        return Some(Question::EffectOfApplying { wanted, live });
    }
    let rollout = agent::rollout(intent, observed);
    match phase(desired, observed, rollout.as_ref()) {
        Phase::Draining if injects_istio_init(desired, observed) => {
            let drain = &observed.drain;
            // A removal has deleted the injecting webhook: there is nobody to ask.
            let acknowledged = drain.acknowledged_for.is_some() || intent.is_removal();
            if !acknowledged {
                return drain
                    .holding
                    .is_none()
                    .then_some(Question::WhatIstiodsInject);
            }
            if observed.agent.is_none() {
                return Some(Question::AgentState);
            }
            let others = observed.other_control_planes();
            if drain.relying.is_none() && !others.is_empty() {
                return Some(Question::WhoReliesOnAgent(others));
            }
            if drain.slowest_webhook.is_none() {
                return Some(Question::SlowestWebhook);
            }
            drain.pending.is_none().then_some(Question::PendingPods)
        }
        Phase::RollingOut if takes_long && observed.without_configuration.is_none() => {
            let rollout =
                rollout.filter(|rollout| rollout.fault.is_none() && !rollout.running.is_empty())?;
            Some(Question::AgentLogs(rollout.running.into_iter().collect()))
        }
        // What scrapes them has to know their addresses.
        Phase::On if intent.is_scraped && observed.agent_pods().is_none() => {
            Some(Question::AgentPods)
        }
        Phase::Off if intent.is_removal() && observed.definition_use().is_none() => {
            definitions(desired, observed)
        }
        _ => None,
    }
}

/// The last question of a removal: whether anybody still uses the definitions.
fn definitions<'a>(desired: &Desired<'_>, observed: &'a Observed) -> Option<Question<'a>> {
    let identity = &desired.intent().identity;
    let (definitions, others): (Vec<_>, Vec<_>) = observed
        .live
        .values()
        .partition(|it| it.is(&CUSTOM_RESOURCE_DEFINITION));
    if others.iter().any(|object| may_delete(object, identity)) {
        return None;
    }
    let ours = definitions
        .into_iter()
        .filter(|it| it.is_written_by_this_charm());
    Some(Question::CustomResources(ours.collect()))
}

//! Compares what is desired with what exists, and says what follows from both: pure.

pub mod agent;
pub mod attempts;
pub mod awaited;
pub mod gate;
mod ingress;
pub mod question;
mod switch;
mod unseen;
pub mod upgrade;

use std::collections::BTreeSet;
use std::time::Duration;

use crate::cni::rollout::{AgentFault, Rollout};
use crate::cni::{self, Phase, Switch};
use crate::desired::{Desired, RenderError};
use crate::istio::Injection;
use crate::k8s::kind::{CUSTOM_RESOURCE_DEFINITION, DAEMON_SET, DEPLOYMENT};
use crate::k8s::object::ObjectId;
use crate::observed::collection::Collection;
use crate::observed::{DefinitionUse, Observed};
use crate::plan::adoption::is_installer;
use crate::plan::conflicts::conflicting_installations;
use crate::plan::ownership::may_delete;
use crate::plan::{Deletion, Obstacle, Plan, deletion_of_adopted, deletions_of_definitions, plan};
use attempts::InVain;
use awaited::Awaited;
use gate::Gate;
use upgrade::{TooFar, Upgrade};

/// What follows from what is desired and what exists.
#[derive(Clone, Debug, PartialEq)]
pub struct Assessment {
    /// Where the CNI switch stands.
    pub phase: Phase,
    /// How far the node agent is, if there is one.
    pub rollout: Option<Rollout>,
    /// The changes that make the cluster as the phase wants it.
    pub plan: Plan,
    /// Which of them may be made now.
    pub gate: Gate,
    /// Objects of the node agent that stay as they are while pods need them.
    pub frozen: BTreeSet<ObjectId>,
    /// Other installations that this one cannot coexist with.
    pub conflicts: Vec<Obstacle>,
    /// Why the node agent cannot start until a person does something.
    pub fault: Option<AgentFault>,
    /// Whether this charm's Istio may follow the one that is installed.
    pub upgrade: Upgrade,
    /// What the phase waits for.
    pub awaited: Vec<Awaited>,
    /// Changes that this hook has tried in vain, and that are not in the plan any more.
    pub in_vain: InVain,
    /// When to look again although no watch has reported anything; `None` if all that is awaited is
    /// watched.
    pub next_look: Option<Duration>,
}

impl Assessment {
    /// Everything that is awaited; what the control plane lacks comes first.
    pub fn all_awaited(&self) -> impl Iterator<Item = &Awaited> {
        self.gate
            .awaited
            .iter()
            .chain(&self.awaited)
            .chain(&self.in_vain.contested)
    }

    /// Obstacles and changes, one on each line, for people; empty when there are none.
    pub fn plan_text(&self) -> String {
        let conflicts = self.conflicts.iter();
        let conflicts = conflicts.map(|obstacle| format!("! {obstacle}\n"));
        let refusal = self.refusal().map(|it| format!("! {it}\n"));
        let plan = self.plan.to_string();
        conflicts.chain(refusal).chain([plan]).collect()
    }

    /// Why this charm's Istio must not follow the one that is installed. Then nothing may be changed.
    pub fn refusal(&self) -> Option<&TooFar> {
        match &self.upgrade {
            Upgrade::Refused(why) => Some(why),
            Upgrade::No | Upgrade::UnderWay => None,
        }
    }

    /// Objects of others that are in the way. While there are any, nothing may be changed.
    pub fn obstacles(&self) -> impl Iterator<Item = &Obstacle> {
        self.conflicts.iter().chain(&self.plan.obstacles)
    }

    /// The number of nodes on which the node agent is ready and the number of all its nodes, while
    /// the CNI is on.
    pub fn ready_nodes(&self) -> Option<(u32, u32)> {
        let rollout = self.rollout.as_ref().filter(|_| self.phase == Phase::On)?;
        Some((rollout.counts.ready, rollout.counts.desired))
    }

    /// What to watch in order to see that something awaited happens.
    pub fn watched(&self) -> Vec<Collection> {
        use Collection::{Agents, Istiods, Kind, Nodes, Pending, Warnings};
        let mut watched = vec![Kind(CUSTOM_RESOURCE_DEFINITION), Kind(DEPLOYMENT), Istiods];
        match self.phase {
            Phase::RollingOut | Phase::On => {
                watched.extend([Kind(DAEMON_SET), Agents, Nodes, Warnings]);
            }
            Phase::Draining => watched.push(Pending),
            Phase::Removing => watched.extend([Kind(DAEMON_SET), Agents]),
            Phase::Off => {}
        }
        if self.awaited.iter().any(Awaited::depends_on_nodes) && !watched.contains(&Nodes) {
            watched.push(Nodes);
        }
        let deleted = self.plan.deletions.iter().filter(|it| it.under_way);
        let going = deleted.map(|it| &it.id).chain(&self.plan.going);
        watched.extend(going.filter_map(ObjectId::known_kind).map(|it| Kind(*it)));
        watched
    }
}

/// Assesses a cluster against what is desired of it.
///
/// # Errors
/// A defect of this program: the objects of the phase cannot be rendered.
pub fn assess(desired: &Desired<'_>, observed: &Observed) -> Result<Assessment, RenderError> {
    let intent = desired.intent();
    let rollout = agent::rollout(intent, observed);
    let phase = phase(desired, observed, rollout.as_ref());
    let unchecked = ingress::unchecked(intent, &observed.live);
    let wanted = desired.withholding(desired.at(phase)?, &unchecked)?;
    let mut frozen = agent::frozen(phase, intent, observed);
    frozen.extend(ingress::frozen(intent, &observed.live));
    frozen.extend(unseen::frozen(intent, &observed.live));
    let upgrade = Upgrade::of(intent, observed);
    frozen.extend(upgrade.frozen(intent, observed));
    let mut plan = plan(&wanted, &frozen, &observed.live, &intent.identity);
    let mut conflicts = Vec::new();
    if intent.is_removal() {
        let is_last = plan.deletions.is_empty() && frozen.is_empty();
        if is_last && observed.definition_use() == Some(DefinitionUse::Unused) {
            plan.deletions = deletions_of_definitions(&observed.live);
        }
    } else {
        conflicts = conflicting_installations(intent, &observed.live);
        // An adopted node agent is deleted when this application's own would be.
        let adopted = observed.daemon_set().filter(|_| phase == Phase::Removing);
        let adopted = adopted.and_then(|live| deletion_of_adopted(live, &intent.identity));
        let is_new = |it: &Deletion| plan.deletions.iter().all(|known| known.id != it.id);
        let adopted = adopted.filter(is_new);
        plan.deletions.extend(adopted);
        agent::goes_first(&mut plan, &observed.live);
    }
    ingress::stay_closed_without_filter(&mut plan, intent, &observed.live);
    ingress::close_routes_to(&unchecked, &mut plan, &wanted, intent, &observed.live);
    unseen::leave(&mut plan, intent);
    let in_vain = InVain::take(&mut plan, phase, observed);
    let gate = Gate::new(intent, phase, &plan, &in_vain, observed);
    let (mut awaited, next_look) = switch::awaited(desired, phase, observed, rollout.as_ref());
    if in_vain.leaves_injection(observed) {
        awaited.retain(|it| *it != Awaited::InjectionChange);
    }
    if upgrade == Upgrade::UnderWay {
        // The switch goes on when istiod is the new one.
        awaited.clear();
    }
    Ok(Assessment {
        phase,
        fault: fault(phase, observed, rollout.as_ref()),
        rollout,
        plan,
        frozen,
        gate,
        conflicts,
        upgrade,
        awaited,
        in_vain,
        next_look,
    })
}

/// Where the CNI switch stands.
fn phase(desired: &Desired<'_>, observed: &Observed, rollout: Option<&Rollout>) -> Phase {
    let phase = cni::phase(Switch {
        wanted: desired.intent().cni_paths().is_some(),
        injection: observed.injection().filter(|_| is_as_installed(observed)),
        agent: agent::agent(desired, observed, rollout),
    });
    // A removal waits for pods no longer than it may, but leaves a node agent that serves others.
    let overdue = observed.overdue.drain && !observed.may_serve_others();
    let drained = overdue || observed.is_drained();
    if phase == Phase::Draining && injects_istio_init(desired, observed) && drained {
        return Phase::Removing;
    }
    phase
}

/// Whether the injection configuration says what this charm, or an installation that it replaces, has
/// written. What somebody has edited does not show that the node agent was ready.
fn is_as_installed(observed: &Observed) -> bool {
    let config = observed.injector_config();
    config.is_some_and(|it| it.managers_of(&["f:data", "f:values"]).all(is_installer))
}

/// Whether the cluster's objects no longer give `istio-validation` to new pods.
fn injects_istio_init(desired: &Desired<'_>, observed: &Observed) -> bool {
    let intent = desired.intent();
    if intent.is_removal() {
        let webhook = observed.mutating_webhook();
        return webhook.is_none_or(|webhook| !may_delete(webhook, &intent.identity));
    }
    observed.injection() == Some(Injection::IstioInit)
}

fn fault(phase: Phase, observed: &Observed, rollout: Option<&Rollout>) -> Option<AgentFault> {
    // A failure of a node agent that is being removed does not matter.
    if !phase.applies_agent() {
        return None;
    }
    let nodes = observed.without_configuration.as_ref();
    let without_configuration =
        nodes
            .filter(|nodes| !nodes.is_empty())
            .map(|nodes| AgentFault::NoConfiguration {
                nodes: nodes.clone(),
            });
    rollout
        .and_then(|it| it.fault.clone())
        .or(without_configuration)
}

#[cfg(test)]
mod tests;

//! Which part of a plan may be carried out now.

use serde_json::Value;

use super::attempts::InVain;
use super::awaited::{Awaited, IstiodProgress};
use crate::cni::Phase;
use crate::intent::Intent;
use crate::istio::{Injection, names};
use crate::k8s::admission::PodRefusal;
use crate::k8s::kind::{CONFIG_MAP, CUSTOM_RESOURCE_DEFINITION, Wave};
use crate::k8s::object::{Object, ObjectId};
use crate::k8s::rollout::{Progress, is_established, progress, refusal};
use crate::observed::Observed;
use crate::plan::{Deletion, Plan, Upsert};

/// Which part of a plan may be carried out now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gate {
    /// What may be applied.
    pub upserts: Upserts,
    /// What may be deleted.
    pub deletions: Deletions,
    /// What the rest waits for.
    pub awaited: Vec<Awaited>,
    /// The wave of an object that is missing because the cluster does not take it: nothing new
    /// that comes after it is made, as it may need that object.
    pub missing: Option<Wave>,
}

/// What may be applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upserts {
    /// Only the injection configuration: it gives pods what no node agent will serve.
    Injection,
    /// Only definitions: they come before anything else.
    Definitions,
    /// Nothing: the API server does not serve all definitions yet.
    Nothing,
    /// Everything except new webhooks and the objects that they check: istiod is not ready.
    AllButNewWebhooks,
    /// Everything.
    All,
}

/// What may be deleted, besides what must close first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deletions {
    /// Everything, once everything wanted exists.
    All,
    /// The objects of one wave: those of later waves are gone.
    Wave(Wave),
    /// Nothing: pods still need the node agent.
    Nothing,
}

impl Gate {
    /// The gate of a plan in a phase.
    pub(super) fn new(
        intent: &Intent,
        phase: Phase,
        plan: &Plan,
        in_vain: &InVain,
        observed: &Observed,
    ) -> Self {
        if intent.is_removal() {
            return Self {
                upserts: Upserts::Nothing,
                deletions: Deletions::at_removal(phase, plan, observed),
                awaited: being_deleted(plan, observed),
                missing: None,
            };
        }
        let (upserts, mut awaited) = upserts(phase, plan, observed);
        awaited.extend(Awaited::deletion(plan.going.clone(), observed));
        if in_vain.missing.is_some() {
            // What is held back does not come with time.
            awaited.retain(|it| !it.is_missing());
        }
        Self {
            upserts,
            deletions: Deletions::All,
            awaited,
            missing: in_vain.missing,
        }
    }

    /// Whether an object may be applied.
    pub fn allows_upsert(&self, upsert: &Upsert) -> bool {
        let is_new = upsert.differences.is_none();
        if is_new && self.missing.is_some_and(|missing| upsert.wave > missing) {
            return false;
        }
        match self.upserts {
            Upserts::Injection => is_injection(upsert.object.id()),
            Upserts::Definitions => upsert.wave == Wave::Definitions,
            Upserts::Nothing => false,
            Upserts::AllButNewWebhooks => {
                upsert.wave < Wave::Webhooks || (upsert.wave == Wave::Webhooks && !is_new)
            }
            Upserts::All => true,
        }
    }

    /// Whether an object may be deleted, once everything wanted exists.
    pub fn allows_deletion(&self, deletion: &Deletion) -> bool {
        let wave = deletion.id.wave();
        match self.deletions {
            Deletions::All => true,
            Deletions::Wave(last) => wave == Some(last),
            Deletions::Nothing => false,
        }
    }
}

impl Deletions {
    /// A removal deletes the last wave first, and waits until its objects are gone before it begins
    /// with the wave before. The node agent stays as long as pods need it, and what they need with it;
    /// where it stays for another control plane, everything else goes.
    fn at_removal(phase: Phase, plan: &Plan, observed: &Observed) -> Self {
        let last = plan.deletions.iter().filter_map(|it| it.id.wave()).max();
        let serves_others = observed
            .drain
            .relying
            .as_ref()
            .is_some_and(|it| !it.is_empty());
        let drains = phase == Phase::Draining && !serves_others;
        match last {
            Some(Wave::Foundations | Wave::Workloads) if drains => Self::Nothing,
            Some(wave) => Self::Wave(wave),
            None => Self::Nothing,
        }
    }
}

/// What is being deleted. Definitions are not waited for: others may keep them.
fn being_deleted(plan: &Plan, observed: &Observed) -> Vec<Awaited> {
    let deletions = plan.deletions.iter().filter(|it| it.under_way);
    let ids = deletions.map(|it| &it.id);
    let ids: Vec<_> = ids
        .filter(|id| id.wave() != Some(Wave::Definitions))
        .cloned()
        .collect();
    Awaited::deletion(ids, observed).into_iter().collect()
}

/// Whether an object says what pods get.
pub(super) fn is_injection(id: &ObjectId) -> bool {
    id.is(&CONFIG_MAP) && [names::INJECTOR_CONFIG, names::VALUES].contains(&id.name.as_str())
}

fn upserts(phase: Phase, plan: &Plan, observed: &Observed) -> (Upserts, Vec<Awaited>) {
    let goes_back = phase.injection() == Injection::IstioInit
        && observed.injection() == Some(Injection::IstioValidation);
    if goes_back && plan.upserts.iter().any(|it| is_injection(it.object.id())) {
        return (Upserts::Injection, Vec::new());
    }
    if plan.upserts.iter().any(|it| it.wave == Wave::Definitions) {
        return (Upserts::Definitions, Vec::new());
    }
    let definitions = observed
        .live
        .values()
        .filter(|object| object.is(&CUSTOM_RESOURCE_DEFINITION) && !is_established(object));
    let unserved: Vec<_> = definitions
        .map(|definition| Awaited::Definition(definition.id().name.clone()))
        .collect();
    if !unserved.is_empty() {
        return (Upserts::Nothing, unserved);
    }
    match istiod(observed) {
        None => (Upserts::All, Vec::new()),
        Some(awaited) => (Upserts::AllButNewWebhooks, vec![awaited]),
    }
}

/// What istiod still lacks; `None` when it is ready.
fn istiod(observed: &Observed) -> Option<Awaited> {
    let live = observed.istiod();
    if let Some(stopped) = live.and_then(stopped) {
        return Some(stopped);
    }
    let progress = match live.map(progress) {
        Some(Progress::Done) => return None,
        Some(Progress::NotBegun) => IstiodProgress::NotBegun,
        Some(Progress::Moving(counts) | Progress::Stuck(counts, _)) => {
            IstiodProgress::Counted(counts)
        }
        None => IstiodProgress::Missing,
    };
    let refused = live.and_then(refusal);
    Some(Awaited::Istiod {
        progress,
        reason: observed.why_istiod_is_not_ready(),
        refusal: refused.as_deref().and_then(PodRefusal::of),
    })
}

/// The istiod that somebody has stopped, with the command that lets it go on.
fn stopped(live: &Object) -> Option<Awaited> {
    let (progress, command) = match live.at("/spec/replicas").and_then(Value::as_i64) {
        Some(0) => (IstiodProgress::ScaledToZero, "scale --replicas=1"),
        _ if live.at("/spec/paused") == Some(&Value::Bool(true))
            && progress(live) != Progress::Done =>
        {
            (IstiodProgress::Paused, "rollout resume")
        }
        _ => return None,
    };
    let namespace = live.id().namespace.as_deref().unwrap_or_default();
    Some(Awaited::Istiod {
        progress,
        reason: Some(format!(
            "run: kubectl {command} deployment {} --namespace {namespace}",
            names::ISTIOD
        )),
        refusal: None,
    })
}

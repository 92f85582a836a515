//! Wanted changes that this hook has tried in vain: they are told, and not tried again.

use super::awaited::Awaited;
use crate::cni::Phase;
use crate::istio::names;
use crate::k8s::kind::{CONFIG_MAP, REQUEST_AUTHENTICATION, Wave};
use crate::k8s::managed_fields::ON_THE_WAY;
use crate::k8s::object::{Object, ObjectId};
use crate::observed::attempts::{Promise, Refusal};
use crate::observed::{Effect, Observed};
use crate::plan::{Plan, Upsert};

/// Wanted changes that this hook has tried in vain.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct InVain {
    /// Changes that something else undoes.
    pub contested: Vec<Awaited>,
    /// Changes that the cluster does not take.
    pub refused: Vec<Refusal>,
    /// The first wave of which an object is missing because the cluster does not take it.
    pub missing: Option<Wave>,
}

impl InVain {
    /// Takes the changes that were tried in vain out of a plan.
    pub(super) fn take(plan: &mut Plan, phase: Phase, observed: &Observed) -> Self {
        let mut in_vain = Self::default();
        // It was tried before anything was given up for it.
        if let (Some(Effect::Refused(refusal)), true) =
            (&observed.effect_of_applying, phase.applies_agent())
        {
            in_vain.refused.push(refusal.clone());
        }
        let upserts = std::mem::take(&mut plan.upserts);
        for upsert in upserts {
            let live = observed.live.get(upsert.object.id());
            match observed.attempts.promise(&upsert.object, live) {
                Promise::Open => plan.upserts.push(upsert),
                Promise::Contested => in_vain.contested.push(contested(&upsert, live)),
                Promise::WithoutEffect if is_injection_config(&upsert, observed) => {
                    if observed.injection() != Some(phase.injection()) {
                        in_vain.contested.push(contested(&upsert, None));
                    }
                }
                Promise::WithoutEffect if upsert.wave == Wave::Webhooks => {
                    let why = format!("{ON_THE_WAY} sets {} otherwise", field(&upsert));
                    plan.skipped.push((upsert.object.id().clone(), why));
                }
                // A policy of the cluster may keep images of its own: that is not for us to fight.
                Promise::WithoutEffect => {}
                Promise::Refused(refusal) => {
                    // What needs it waits for it by itself.
                    let is_needed = !upsert.object.is(&REQUEST_AUTHENTICATION);
                    if live.is_none() && is_needed {
                        let first = in_vain.missing.unwrap_or(upsert.wave);
                        in_vain.missing = Some(first.min(upsert.wave));
                    }
                    in_vain.refused.push(refusal);
                }
            }
        }
        in_vain
    }

    /// Whether something else decides what pods get.
    pub(super) fn leaves_injection(&self, observed: &Observed) -> bool {
        let injector = injection_config(observed);
        self.contested
            .iter()
            .any(|it| matches!(it, Awaited::Contested { id, .. } if *id == injector))
    }
}

fn injection_config(observed: &Observed) -> ObjectId {
    ObjectId::new(&CONFIG_MAP, &observed.namespace, names::INJECTOR_CONFIG)
}

fn is_injection_config(upsert: &Upsert, observed: &Observed) -> bool {
    *upsert.object.id() == injection_config(observed)
}

/// The path of the first field that is to be changed.
fn field(upsert: &Upsert) -> &str {
    let first = upsert.differences.iter().flatten().next();
    first.map_or("all of it", |it| it.path.as_str())
}

/// The change of one object that something else undoes; `live` is the object if that is stored.
fn contested(upsert: &Upsert, live: Option<&Object>) -> Awaited {
    Awaited::Contested {
        id: upsert.object.id().clone(),
        field: field(upsert).to_owned(),
        by: live.and_then(Object::last_other_manager).map(str::to_owned),
    }
}

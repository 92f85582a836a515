//! Whether this charm's Istio may follow the one that is installed, and what waits for that.
//!
//! Istio supports upgrades by one minor version
//! (<https://istio.io/latest/docs/setup/upgrade/>). Patch versions of one minor version may follow
//! each other in any order.

use std::collections::BTreeSet;
use std::fmt;

use super::agent::is_of_agent;
use super::gate::is_injection;
use crate::intent::Intent;
use crate::istio::{ISTIO_VERSION, names};
use crate::k8s::kind::Wave;
use crate::k8s::labels;
use crate::k8s::object::{Object, ObjectId};
use crate::k8s::rollout::{Progress, has_ever_completed, progress};
use crate::k8s::version::{IstioVersion, minor_version, tag};
use crate::observed::Observed;
use crate::plan::definitions::OPERATOR_VERSION;
use crate::plan::ownership::{Ownership, is_foreign, ownership};

/// The oldest installation of istioctl or the Python charm that is taken over at once: the Python
/// charm installs Istio 1.28.
const OLDEST_ADOPTED: (u32, u32) = (1, 28);

/// Whether this charm's Istio may follow the one that is installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Upgrade {
    /// There is nothing to follow: no Istio is installed, or one of the same minor version.
    No,
    /// It may, or a person has asked for it, and an istiod of the other version still serves.
    UnderWay,
    /// It may not.
    Refused(TooFar),
}

/// A version that must not be followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TooFar {
    /// The version that is installed; `None` where nothing shows it.
    pub installed: Option<IstioVersion>,
}

impl Upgrade {
    /// Whether this charm's Istio may follow the one that is installed.
    pub(super) fn of(intent: &Intent, observed: &Observed) -> Self {
        let Some(istiod) = observed.istiod().filter(|_| intent.mesh().is_some()) else {
            return Self::No;
        };
        let whose = ownership(istiod, &intent.identity);
        let installed = match whose {
            Ownership::Foreign(_) => return Self::No,
            // Somebody may have edited the image, which is drift.
            Ownership::Ours => of_labels(istiod).or_else(|| of_image(istiod)),
            Ownership::Adopted => of_image(istiod).or_else(|| of_labels(istiod)),
        };
        if installed.map(IstioVersion::minor_version) == this_one() {
            let is_done = progress(istiod) == Progress::Done;
            return if !is_done && another_serves(observed) {
                Self::UnderWay
            } else {
                Self::No
            };
        }
        let is_adopted = whose == Ownership::Adopted;
        let may_follow = installed.is_some_and(|it| may_follow(it, is_adopted, istiod));
        if may_follow || intent.forces_upgrade {
            return Self::UnderWay;
        }
        Self::Refused(TooFar { installed })
    }

    /// The live objects that stay as they are while an istiod of another version still serves: what
    /// pods get, as it reads that and may not understand a newer one; the node agent, which is one
    /// version behind then, as it may be; and webhooks, which come last.
    pub(super) fn frozen(&self, intent: &Intent, observed: &Observed) -> BTreeSet<ObjectId> {
        if *self != Self::UnderWay {
            return BTreeSet::new();
        }
        let stays = |it: &&Object| {
            let is_webhook = it.id().wave() == Some(Wave::Webhooks);
            is_injection(it.id()) || is_of_agent(it) || is_webhook
        };
        let live = observed.live.values();
        live.filter(|it| stays(it) && !is_foreign(it, &intent.identity))
            .map(|it| it.id().clone())
            .collect()
    }
}

/// The minor version that this charm installs.
fn this_one() -> Option<(u32, u32)> {
    minor_version(ISTIO_VERSION)
}

/// Whether this charm's Istio may follow that one without being asked.
fn may_follow(installed: IstioVersion, is_adopted: bool, istiod: &Object) -> bool {
    let Some(this) = this_one() else {
        return false;
    };
    let installed = installed.minor_version();
    let is_next = |older: (u32, u32), newer: (u32, u32)| {
        older.0 == newer.0 && older.1.checked_add(1) == Some(newer.1)
    };
    if installed > this {
        // It never served, so nothing has got its configuration.
        return is_next(this, installed) && !has_ever_completed(istiod);
    }
    is_next(installed, this) || is_adopted && installed >= OLDEST_ADOPTED
}

fn of_image(istiod: &Object) -> Option<IstioVersion> {
    let containers = istiod.at("/spec/template/spec/containers")?.as_array()?;
    let discovery = containers.iter().find(|it| it["name"] == "discovery")?;
    IstioVersion::parse(tag(discovery["image"].as_str()?)?)
}

fn of_labels(istiod: &Object) -> Option<IstioVersion> {
    let labels = [labels::VERSION, OPERATOR_VERSION];
    let mut labels = labels.into_iter().filter_map(|it| istiod.label(it));
    labels.find_map(IstioVersion::parse)
}

/// Whether a ready istiod is of another minor version than this charm's.
fn another_serves(observed: &Observed) -> bool {
    let mut versions = observed.ready_versions();
    versions.any(|(version, _)| Some(version.minor_version()) != this_one())
}

impl fmt::Display for TooFar {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = names::ISTIOD;
        let Some(installed) = self.installed else {
            return write!(
                formatter,
                "the version of Deployment {name} is not known, neither by its image nor by its \
                 labels, so nobody knows whether Istio {ISTIO_VERSION} may follow it"
            );
        };
        let is_newer = Some(installed.minor_version()) > this_one();
        let why = if is_newer {
            "a step back"
        } else {
            "more than one minor version"
        };
        write!(
            formatter,
            "Istio {installed} is installed, and {ISTIO_VERSION} would be {why}"
        )
    }
}

#[cfg(test)]
mod tests;

//! Which hook a unit runs next: a pure function of the model's state.
//!
//! The order is that of Juju's uniter (`internal/worker/uniter/resolver.go` and
//! `relation/resolver.go`) and of the recorded runs of a real Juju 4.0.15: relation-created,
//! leadership, secrets, actions, the failed hook, install, upgrade, config-changed, start, the
//! other relation hooks, update-status.

use super::{Hook, RelationEvent, RelationHook};
use crate::state::{Application, Life, Relation, Side, State, Unit, UnitRelation};

/// The next hook of a unit; `None` if nothing is due (or the unit waits in error).
pub(crate) fn next_hook(state: &State, application: &Application, unit: &Unit) -> Option<Hook> {
    let action = || {
        unit.actions
            .front()
            .filter(|_| unit.started)
            .map(|action| Hook::Action {
                name: action.name.clone(),
                id: action.id,
                parameters: action.parameters.clone(),
            })
    };
    if let Some(failed) = &unit.failed {
        // Actions still run on a unit in error; nothing else does.
        return action().or_else(|| (failed.retries_left > 0).then(|| failed.hook.clone()));
    }
    if !unit.installed {
        return (unit.life == Life::Alive).then_some(Hook::Install);
    }
    if unit.life == Life::Dying {
        return action()
            .or_else(|| relations_of(state, application, unit).find_map(|r| r.leave()))
            .or_else(|| (!unit.stopped).then_some(Hook::Stop))
            .or(Some(Hook::Remove));
    }
    if unit.pod_stop_due {
        return Some(Hook::PodStop);
    }
    if unit.upgrade_due {
        return Some(Hook::UpgradeCharm);
    }
    relations_of(state, application, unit)
        .find_map(|relation| relation.created())
        .or_else(|| unit.leader_elected_due.then_some(Hook::LeaderElected))
        .or_else(|| secret_changed(state, unit).filter(|_| unit.started))
        .or_else(action)
        .or_else(|| unit.config_changed_due.then_some(Hook::ConfigChanged))
        .or_else(|| unit.start_due.then_some(Hook::Start))
        // Juju goes through the relations in no defined order; newest first is what the
        // recordings show.
        .or_else(|| {
            relations_of(state, application, unit)
                .rev()
                .find_map(|r| r.next())
        })
        .or_else(|| unit.update_status_due.then_some(Hook::UpdateStatus))
}

/// A relation seen from one unit.
struct View<'a> {
    relation: &'a Relation,
    own: &'a Side,
    other: &'a Side,
    known: &'a UnitRelation,
    unit_name: String,
    unit_life: Life,
}

fn relations_of<'a>(
    state: &'a State,
    application: &'a Application,
    unit: &'a Unit,
) -> impl DoubleEndedIterator<Item = View<'a>> {
    unit.relations.iter().filter_map(move |(id, known)| {
        let relation = state.relations.get(id)?;
        Some(View {
            relation,
            own: relation.side(&application.name)?,
            other: relation.other(&application.name)?,
            known,
            unit_name: application.unit_name(unit.number),
            unit_life: unit.life,
        })
    })
}

impl View<'_> {
    fn hook(&self, event: RelationEvent, remote_unit: Option<&str>, version: u64) -> Hook {
        let departing = (event == RelationEvent::Departed).then(|| {
            if self.unit_life == Life::Dying {
                self.unit_name.clone()
            } else {
                remote_unit.unwrap_or_default().to_owned()
            }
        });
        Hook::Relation(RelationHook {
            event,
            relation: self.relation.id,
            endpoint: self.own.endpoint.clone(),
            remote_application: self.other.application.clone(),
            remote_unit: remote_unit.map(str::to_owned),
            departing_unit: departing,
            version,
        })
    }

    fn created(&self) -> Option<Hook> {
        (!self.known.created && self.relation.life == Life::Alive)
            .then(|| self.hook(RelationEvent::Created, None, 0))
    }

    /// What is left to do on the way out: every known unit departs, then the relation breaks.
    /// Peer relations never break.
    fn leave(&self) -> Option<Hook> {
        if let Some(unit) = self.known.members.keys().next() {
            return Some(self.hook(RelationEvent::Departed, Some(unit), 0));
        }
        (self.known.created && !self.relation.is_peer())
            .then(|| self.hook(RelationEvent::Broken, None, 0))
    }

    fn next(&self) -> Option<Hook> {
        let Self {
            relation, known, ..
        } = self;
        // What the watchers have delivered; of a newcomer nothing yet, then its present version.
        let seen = |name: &str, now: u64| known.seen.get(name).copied().unwrap_or(now);
        if let Some(unit) = &known.changed_pending {
            let version = seen(unit, relation.unit_version(unit));
            return Some(self.hook(RelationEvent::Changed, Some(unit), version));
        }
        if relation.life == Life::Dying {
            return self.leave();
        }
        if let Some(gone) = known
            .members
            .keys()
            .find(|unit| !relation.scope.contains(*unit))
        {
            return Some(self.hook(RelationEvent::Departed, Some(gone), 0));
        }
        let remote = &self.other.application;
        let version = seen(remote, relation.application_version(remote));
        if known.applications.get(remote).copied().unwrap_or(0) != version {
            return Some(self.hook(RelationEvent::Changed, None, version));
        }
        if let Some(unit) = relation
            .remote_units(&self.unit_name)
            .find(|unit| !known.members.contains_key(*unit))
        {
            let version = seen(unit, relation.unit_version(unit));
            return Some(self.hook(RelationEvent::Joined, Some(unit), version));
        }
        known.members.iter().find_map(|(unit, reported)| {
            let version = seen(unit, relation.unit_version(unit));
            (*reported != version).then(|| self.hook(RelationEvent::Changed, Some(unit), version))
        })
    }
}

fn secret_changed(state: &State, unit: &Unit) -> Option<Hook> {
    unit.consumed.iter().find_map(|(id, consumed)| {
        let latest = state.secrets.get(id)?.latest();
        (consumed.tracked < latest && consumed.notified < latest).then(|| Hook::SecretChanged {
            id: id.clone(),
            label: consumed.label.clone().unwrap_or_default(),
            revision: latest,
        })
    })
}

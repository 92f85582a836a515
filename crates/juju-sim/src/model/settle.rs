//! Driving the units: one hook after the other until nothing is due.

use std::collections::BTreeMap;

use super::Model;
use super::run::Report;
use crate::Error;
use crate::hook::Hook;
use crate::hook::resolver::next_hook;
use crate::state::Life;

/// How many times in a row a unit may run the same hook: a charm that exceeds it wakes itself
/// for ever, for example by writing a new value into its peer databag every time.
const LIMIT: usize = 50;

/// A hook apart from the version of the data that it reports.
type Identity = (String, Option<(u32, Option<String>)>);

fn identity(hook: &Hook) -> Identity {
    let relation = hook
        .relation()
        .map(|hook| (hook.relation, hook.remote_unit.clone()));
    (hook.name(), relation)
}

/// What [`Model::settle`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// How many hooks ran.
    pub hooks: usize,
    /// Units that are in error now.
    pub in_error: Vec<String>,
}

impl Model {
    /// Runs hooks until no unit has any left, one at a time, taking the units in turn. A failed
    /// hook is retried as often as [`hook_retries`](crate::ModelOptions::hook_retries) says; then
    /// its unit stays in error, which is not an error of this function.
    ///
    /// # Errors
    /// [`Error::Refused`] if the charm keeps causing hooks for ever; [`Error::Io`] and
    /// [`Error::Kubernetes`] if the simulation itself fails.
    pub fn settle(&mut self) -> Result<Settled, Error> {
        let mut hooks = 0;
        let mut repeats = BTreeMap::<(String, u32), (Identity, usize)>::new();
        loop {
            let before = hooks;
            // The hooks of one round run at the same time, as those of different units do: none
            // sees what another of them writes.
            let mut written = Vec::new();
            for (application, number) in self.all_units() {
                let Some(mut report) = self.step_unit(&application, number)? else {
                    continue;
                };
                hooks += 1;
                let pending = std::mem::take(&mut report.pending);
                written.push((application.clone(), number, pending));
                let identity = identity(&report.hook);
                let unit = repeats
                    .entry((application.clone(), number))
                    .or_insert_with(|| (identity.clone(), 0));
                *unit = (
                    identity.clone(),
                    if unit.0 == identity { unit.1 + 1 } else { 1 },
                );
                if unit.1 > LIMIT {
                    return Err(Error::refused(format!(
                        "{application}/{number} causes {} for ever",
                        report.hook.name()
                    )));
                }
            }
            for (application, number, pending) in written {
                pending.commit(&mut self.state, &application, number);
            }
            self.drop_empty_applications()?;
            if hooks == before {
                break;
            }
        }
        self.save()?;
        let in_error = self
            .all_units()
            .into_iter()
            .filter_map(|(application, number)| {
                let failed = self.state.unit(&application, number)?.failed.is_some();
                failed.then(|| format!("{application}/{number}"))
            });
        Ok(Settled {
            hooks,
            in_error: in_error.collect(),
        })
    }

    fn all_units(&self) -> Vec<(String, u32)> {
        let applications = self.state.applications.values();
        applications
            .flat_map(|application| {
                application
                    .units
                    .keys()
                    .map(|number| (application.name.clone(), *number))
            })
            .collect()
    }

    /// Runs one hook of a unit, if any is due.
    pub(super) fn step_unit(
        &mut self,
        application: &str,
        number: u32,
    ) -> Result<Option<Report>, Error> {
        let never_installed = self.state.unit(application, number).is_some_and(|unit| {
            unit.life == Life::Dying && !unit.installed && unit.failed.is_none()
        });
        if never_installed {
            self.hook_done(application, number, &Hook::Remove)?;
            return Ok(None);
        }
        let Some(hook) = self.decide(application, number) else {
            return Ok(None);
        };
        self.run_hook(application, number, &hook).map(Some)
    }

    /// The unit's next hook. Its watchers deliver what others wrote one hook late; if that leaves
    /// nothing to do, they have caught up and it is asked again.
    fn decide(&mut self, application: &str, number: u32) -> Option<Hook> {
        for caught_up in [false, true] {
            if caught_up {
                self.deliver_versions(application, number);
            }
            let application = self.state.applications.get(application)?;
            let unit = application.units.get(&number)?;
            let hook = next_hook(&self.state, application, unit);
            if hook.is_some() {
                return hook;
            }
        }
        None
    }

    /// Lets a unit's watchers see the databags' present versions.
    pub(super) fn deliver_versions(&mut self, application: &str, number: u32) {
        let versions: Vec<_> = self
            .state
            .relations
            .values()
            .map(|r| (r.id, r.versions()))
            .collect();
        let Some(unit) = self.state.unit_mut(application, number) else {
            return;
        };
        for (id, versions) in versions {
            if let Some(known) = unit.relations.get_mut(&id) {
                known.seen = versions;
            }
        }
    }

    /// A dying application goes with its last unit, and its objects in the cluster after it.
    pub(super) fn drop_empty_applications(&mut self) -> Result<(), Error> {
        let gone: Vec<String> = self
            .state
            .applications
            .values()
            .filter(|application| application.life == Life::Dying && application.units.is_empty())
            .map(|application| application.name.clone())
            .collect();
        for name in gone {
            if let Some(substrate) = &self.substrate {
                substrate.remove_application(&name)?;
            }
            self.state.applications.remove(&name);
            self.state
                .relations
                .retain(|_, relation| !(relation.is_peer() && relation.side(&name).is_some()));
        }
        Ok(())
    }
}

//! Units: scaling, leadership, pod churn, errors.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::Model;
use crate::Error;
use crate::state::{Life, Status, Unit, split_unit};

impl Unit {
    fn new(number: u32, address: String, leader: bool) -> Self {
        Self {
            number,
            life: Life::Alive,
            address,
            workload: Status::new("waiting", "installing agent"),
            charm_set_status: false,
            executing: None,
            state: BTreeMap::new(),
            opened_ports: BTreeSet::new(),
            installed: false,
            started: false,
            stopped: false,
            leader_elected_due: leader,
            config_changed_due: true,
            start_due: true,
            pod_stop_due: false,
            upgrade_due: false,
            update_status_due: false,
            actions: VecDeque::new(),
            failed: None,
            relations: BTreeMap::new(),
            consumed: BTreeMap::new(),
        }
    }

    /// The pod is replaced: `stop` in the old one, then in the new one `upgrade-charm`,
    /// `config-changed` and `start`. A unit in error loses its failed hook with the old pod.
    pub(super) fn restart_pod(&mut self) {
        if !self.installed {
            return;
        }
        self.pod_stop_due = self.failed.take().is_none();
        self.upgrade_due = true;
        self.config_changed_due = true;
        self.start_due = true;
    }
}

impl Model {
    /// Sets the number of units (`juju scale-application`). New ones install; the ones with the
    /// highest numbers leave first.
    ///
    /// # Errors
    /// [`Error::Refused`] if there is no such application.
    pub fn scale(&mut self, application: &str, units: u32) -> Result<(), Error> {
        let scaled = self.application_mut(application)?;
        scaled.scale = units;
        let mut alive: Vec<u32> = scaled
            .units
            .values()
            .filter(|unit| unit.life == Life::Alive)
            .map(|unit| unit.number)
            .collect();
        while alive.len() > units as usize {
            if let Some(unit) = alive.pop().and_then(|number| scaled.units.get_mut(&number)) {
                unit.life = Life::Dying;
            }
        }
        for _ in alive.len()..units as usize {
            let address = self.state.allocate_address("10.244");
            let scaled = self.application_mut(application)?;
            // A StatefulSet fills the lowest free number.
            let taken = scaled
                .units
                .keys()
                .zip(0..)
                .take_while(|(number, n)| *number == n);
            let number = u32::try_from(taken.count()).unwrap_or(u32::MAX);
            let leader = scaled.leader.is_none();
            if leader {
                scaled.leader = Some(number);
            }
            scaled
                .units
                .insert(number, Unit::new(number, address, leader));
        }
        Ok(())
    }

    /// Makes another unit the leader, as if the old one had lost its lease; the new one runs
    /// `leader-elected`.
    ///
    /// # Errors
    /// [`Error::Refused`] if there is no such unit.
    pub fn set_leader(&mut self, unit: &str) -> Result<(), Error> {
        let (application, number) = self.find_unit(unit)?;
        let application = self.application_mut(&application)?;
        if application.leader != Some(number) {
            application.leader = Some(number);
            if let Some(unit) = application.units.get_mut(&number) {
                unit.leader_elected_due = true;
            }
        }
        Ok(())
    }

    /// Has every unit run `update-status` once, as Juju does every five minutes.
    pub fn update_status(&mut self) {
        for application in self.state.applications.values_mut() {
            for unit in application.units.values_mut() {
                unit.update_status_due = true;
            }
        }
    }

    /// Replaces a unit's pod, as after an eviction: `stop`, `upgrade-charm`, `config-changed`,
    /// `start`.
    ///
    /// # Errors
    /// [`Error::Refused`] if there is no such unit.
    pub fn restart_unit(&mut self, unit: &str) -> Result<(), Error> {
        self.unit_mut(unit)?.restart_pod();
        Ok(())
    }

    /// Retries the failed hook of a unit in error, with the same number of automatic retries as
    /// before, or skips it (`juju resolved`, `--no-retry`).
    ///
    /// # Errors
    /// [`Error::Refused`] if there is no such unit or it is not in error.
    pub fn resolved(&mut self, unit: &str, retry: bool) -> Result<(), Error> {
        let retries = self.hook_retries.max(1);
        let (application, number) = self.find_unit(unit)?;
        let resolved = self.unit_mut(unit)?;
        let Some(failed) = resolved.failed.as_mut() else {
            return Err(Error::refused(format!(
                "unit \"{unit}\" is not in an error state"
            )));
        };
        if retry {
            failed.retries_left = retries;
            return Ok(());
        }
        let hook = failed.hook.clone();
        resolved.failed = None;
        self.hook_done(&application, number, &hook)
    }

    /// What the unit keeps with `state-set`.
    ///
    /// # Errors
    /// [`Error::Refused`] if there is no such unit.
    pub fn unit_state(&self, unit: &str) -> Result<BTreeMap<String, String>, Error> {
        let (application, number) = self.find_unit(unit)?;
        let unit = self.state.unit(&application, number);
        Ok(unit.map(|unit| unit.state.clone()).unwrap_or_default())
    }

    pub(super) fn find_unit(&self, name: &str) -> Result<(String, u32), Error> {
        split_unit(name)
            .filter(|(application, number)| self.state.unit(application, *number).is_some())
            .map(|(application, number)| (application.to_owned(), number))
            .ok_or_else(|| Error::refused(format!("unit \"{name}\" not found")))
    }

    pub(super) fn unit_mut(&mut self, name: &str) -> Result<&mut Unit, Error> {
        let (application, number) = self.find_unit(name)?;
        self.state
            .unit_mut(&application, number)
            .ok_or_else(|| Error::refused(format!("unit \"{name}\" not found")))
    }
}

//! What a running hook reads and writes: the model's state, and apart from it the writes that
//! count only if the hook succeeds.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::clock;
use crate::hook::Hook;
use crate::record::{LogLine, Observer, Progress, Reaction, ToolCall};
use crate::state::{Application, Life, Relation, Secret, State, Status, Unit};
use crate::tools::injected::ToolFailures;

/// Writes that Juju holds back until the hook has succeeded. Reads of the same hook see them.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    pub(crate) unit_bags: BTreeMap<u32, BTreeMap<String, String>>,
    pub(crate) application_bags: BTreeMap<u32, BTreeMap<String, String>>,
    pub(crate) state: Option<BTreeMap<String, String>>,
    /// `None` for a removed secret.
    pub(crate) secrets: BTreeMap<String, Option<Secret>>,
    pub(crate) ports: Option<BTreeSet<String>>,
}

impl Pending {
    /// Applies what a successful hook of this unit wrote.
    pub(crate) fn commit(self, state: &mut State, application: &str, number: u32) {
        for (id, data) in self.unit_bags {
            if let Some(relation) = state.relations.get_mut(&id) {
                let unit = format!("{application}/{number}");
                relation.unit_bags.entry(unit).or_default().replace(data);
            }
        }
        for (id, data) in self.application_bags {
            if let Some(relation) = state.relations.get_mut(&id) {
                relation
                    .application_bags
                    .entry(application.to_owned())
                    .or_default()
                    .replace(data);
            }
        }
        for (id, secret) in self.secrets {
            match secret {
                Some(secret) => {
                    state.secrets.insert(id, secret);
                }
                None => {
                    state.secrets.remove(&id);
                }
            }
        }
        if let Some(unit) = state.unit_mut(application, number) {
            if let Some(state) = self.state {
                unit.state = state;
            }
            if let Some(ports) = self.ports {
                unit.opened_ports = ports;
            }
        }
    }
}

/// What an action has reported so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct ActionReport {
    pub(crate) results: Map<String, Value>,
    pub(crate) failed: Option<String>,
    pub(crate) log: Vec<String>,
}

/// The credential that `credential-get` shows to a trusted charm.
#[derive(Debug, Clone, Default)]
pub(crate) struct Credential {
    pub(crate) token: String,
    pub(crate) certificates: Vec<String>,
}

/// One hook of one unit while it runs.
pub(crate) struct HookContext<'a> {
    pub(crate) state: &'a mut State,
    pub(crate) log: &'a mut Vec<LogLine>,
    pub(crate) observer: &'a mut Observer,
    pub(crate) tool_failures: &'a mut ToolFailures,
    pub(crate) id: String,
    pub(crate) application_name: String,
    pub(crate) unit_number: u32,
    pub(crate) unit_name: String,
    pub(crate) hook: Hook,
    pub(crate) credential: Credential,
    pub(crate) pending: Pending,
    pub(crate) action: ActionReport,
    pub(crate) calls: Vec<ToolCall>,
    /// Set when the observer wants the hook killed.
    pub(crate) kill: bool,
    /// Set when something was written that a second reader of a saved model should see now.
    pub(crate) visible_change: bool,
}

/// The unit or its application vanished from the state while its hook ran.
const GONE: &str = "unit not found";

impl HookContext<'_> {
    pub(crate) fn application(&self) -> Result<&Application, String> {
        self.state
            .applications
            .get(&self.application_name)
            .ok_or_else(|| GONE.into())
    }

    pub(crate) fn application_mut(&mut self) -> Result<&mut Application, String> {
        self.state
            .applications
            .get_mut(&self.application_name)
            .ok_or_else(|| GONE.into())
    }

    pub(crate) fn unit(&self) -> Result<&Unit, String> {
        self.state
            .unit(&self.application_name, self.unit_number)
            .ok_or_else(|| GONE.into())
    }

    pub(crate) fn unit_mut(&mut self) -> Result<&mut Unit, String> {
        self.state
            .unit_mut(&self.application_name, self.unit_number)
            .ok_or_else(|| GONE.into())
    }

    pub(crate) fn is_leader(&self) -> bool {
        self.application()
            .is_ok_and(|application| application.leader == Some(self.unit_number))
    }

    /// The relation if this unit takes part in it.
    pub(crate) fn relation(&self, id: u32) -> Option<&Relation> {
        self.unit().ok()?.relations.get(&id)?;
        self.state.relations.get(&id)
    }

    pub(crate) fn notify(&mut self, progress: Progress<'_>) {
        match (self.observer)(progress) {
            Reaction::Continue => {}
            Reaction::Kill => self.kill = true,
            Reaction::Depose => self.depose(),
        }
    }

    /// The first of the other units is elected, if the hook's unit is the leader.
    fn depose(&mut self) {
        let number = self.unit_number;
        let Ok(application) = self.application_mut() else {
            return;
        };
        if application.leader != Some(number) {
            return;
        }
        let mut others = application.units.iter_mut().filter(|it| *it.0 != number);
        if let Some((heir, unit)) = others.next() {
            unit.leader_elected_due = true;
            application.leader = Some(*heir);
        }
    }

    /// Logs under the unit's logger of that name.
    pub(crate) fn write_log(&mut self, level: &str, logger: &str, message: String) {
        let module = format!("unit.{}.{logger}", self.unit_name);
        self.write_agent_log(level, &module, message);
    }

    /// Logs under one of the agent's own loggers.
    pub(crate) fn write_agent_log(&mut self, level: &str, module: &str, message: String) {
        let line = LogLine {
            time: clock::now(),
            unit: self.unit_name.clone(),
            level: level.to_owned(),
            module: module.to_owned(),
            message,
        };
        self.notify(Progress::Log(&line));
        self.log.push(line);
    }

    pub(crate) fn set_unit_status(&mut self, status: &str, message: &str) -> Result<(), String> {
        self.unit_mut()?.workload = Status::new(status, message);
        self.visible_change = true;
        let unit = self.unit_name.clone();
        self.notify(Progress::Status {
            of: &unit,
            status,
            message,
        });
        Ok(())
    }

    /// A bag as this hook sees it, its own writes included; `None` if there is no such bag.
    pub(crate) fn bag(
        &self,
        relation: u32,
        owner: &str,
        application: bool,
    ) -> Option<BTreeMap<String, String>> {
        let (pending, own) = if application {
            (&self.pending.application_bags, &self.application_name)
        } else {
            (&self.pending.unit_bags, &self.unit_name)
        };
        if let Some(bag) = pending.get(&relation).filter(|_| owner == own) {
            return Some(bag.clone());
        }
        let relation = self.state.relations.get(&relation)?;
        let bags = if application {
            &relation.application_bags
        } else {
            &relation.unit_bags
        };
        bags.get(owner).map(|bag| bag.data.clone())
    }

    pub(crate) fn own_state(&self) -> BTreeMap<String, String> {
        self.pending
            .state
            .clone()
            .or_else(|| self.unit().ok().map(|unit| unit.state.clone()))
            .unwrap_or_default()
    }

    /// Secrets as this hook sees them, its own writes included.
    pub(crate) fn secret(&self, id: &str) -> Option<&Secret> {
        match self.pending.secrets.get(id) {
            Some(pending) => pending.as_ref(),
            None => self.state.secrets.get(id),
        }
    }

    pub(crate) fn secrets(&self) -> impl Iterator<Item = &Secret> {
        let kept = self
            .state
            .secrets
            .values()
            .filter(|secret| !self.pending.secrets.contains_key(&secret.id));
        kept.chain(self.pending.secrets.values().flatten())
    }

    /// `(name, status, since)` of the units of an application as goal-state shows them.
    pub(crate) fn unit_goals(&self, application: &str) -> Vec<(String, String, i64)> {
        if let Some(application) = self.state.applications.get(application) {
            return application
                .units
                .values()
                .map(|unit| {
                    let shown = unit.shown_status();
                    let dying = unit.life == Life::Dying;
                    let status = if dying {
                        "dying".to_owned()
                    } else {
                        shown.status
                    };
                    (application.unit_name(unit.number), status, shown.since)
                })
                .collect();
        }
        let remote = self.state.remote_applications.get(application);
        let units = remote.into_iter().flat_map(|remote| &remote.units);
        units
            .map(|unit| (format!("{application}/{unit}"), "active".to_owned(), 0))
            .collect()
    }
}

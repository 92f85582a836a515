//! Running actions.

use serde_json::{Map, Value};

use super::Model;
use crate::Error;
use crate::state::{Life, QueuedAction};

/// What `juju run` shows of an action.
#[derive(Debug, Clone, PartialEq)]
pub struct ActionResult {
    /// The task's number, which the charm sees as `JUJU_ACTION_UUID`.
    pub id: u32,
    /// The operation's number.
    pub operation: u32,
    /// Whether the charm neither failed nor called `action-fail`.
    pub completed: bool,
    /// Why it failed: the charm's word, or `exit status N`.
    pub message: String,
    /// What `action-set` set; nested where keys had dots.
    pub results: Map<String, Value>,
    /// What `action-log` reported.
    pub log: Vec<String>,
    /// What the charm printed.
    pub stdout: String,
    /// What the charm printed on standard error.
    pub stderr: String,
}

impl Model {
    /// Runs an action on a unit and waits for it. Hooks of that unit which come before actions in
    /// Juju's order run first; everything else stays due for [`Model::settle`].
    ///
    /// # Errors
    /// [`Error::Refused`] in Juju's words if the unit or action does not exist, the parameters are
    /// not allowed, or the unit will not get to it (being removed, not started).
    pub fn run_action(
        &mut self,
        unit: &str,
        action: &str,
        parameters: &Map<String, Value>,
    ) -> Result<ActionResult, Error> {
        let (application, number) = self.find_unit(unit)?;
        let declared = self.application(&application)?.charm.actions.get(action);
        let declared = declared.ok_or_else(|| {
            Error::refused(format!(
                "action \"{action}\" not defined on unit \"{unit}\""
            ))
        })?;
        let parameters = declared.check(parameters).map_err(Error::Refused)?;
        let state = self.state.unit(&application, number);
        if state.is_some_and(|unit| unit.life == Life::Dying) {
            return Err(Error::refused(format!("unit \"{unit}\" is dying")));
        }
        let operation = self.state.next_operation;
        // An operation and each of its tasks take a number from the same sequence.
        self.state.next_operation += 2;
        let id = operation + 1;
        self.unit_mut(unit)?.actions.push_back(QueuedAction {
            name: action.to_owned(),
            id,
            parameters,
        });
        loop {
            let Some(mut report) = self.step_unit(&application, number)? else {
                self.unit_mut(unit)?
                    .actions
                    .retain(|queued| queued.id != id);
                return Err(Error::refused(format!(
                    "unit \"{unit}\" does not get to its actions now"
                )));
            };
            let pending = std::mem::take(&mut report.pending);
            pending.commit(&mut self.state, &application, number);
            if let Some(result) = report.take_action(id, operation) {
                self.save()?;
                return Ok(result);
            }
        }
    }
}

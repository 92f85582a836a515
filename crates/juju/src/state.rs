//! Small values that Juju keeps for one unit, beyond the life of its pod.

use std::collections::BTreeMap;

use crate::tools::{HookTools, ToolCommand, ToolError, WriteOutcome};
use crate::yaml;

/// All values kept for this unit, by key.
pub type State = BTreeMap<String, String>;

/// Juju's limit for a key, in bytes.
const MAX_KEY_LENGTH: usize = 256;
/// Juju's limit for a value, in bytes.
pub(crate) const MAX_VALUE_LENGTH: usize = 65_536;

impl HookTools {
    /// All values kept for this unit (`state-get`), read once per hook, with this hook's own
    /// changes.
    ///
    /// # Errors
    /// When the tool fails.
    pub fn state(&self) -> Result<State, ToolError> {
        if let Some(state) = &self.cache().state {
            return Ok(state.clone());
        }
        let answer = self.run_json::<Option<State>>(&ToolCommand::new("state-get").json())?;
        let state = answer.unwrap_or_default();
        self.cache().state = Some(state.clone());
        Ok(state)
    }

    /// Keeps values (`state-set`) in addition to the existing ones; those already kept cost
    /// nothing.
    ///
    /// They reach Juju when the hook succeeds.
    ///
    /// # Errors
    /// When a tool fails, or when a key is longer than 256 bytes or a value than 64 KiB.
    pub fn set_state(&self, values: &State) -> Result<WriteOutcome, ToolError> {
        let problem = |problem: String| ToolError::Input {
            tool: "state-set",
            problem,
        };
        for (key, value) in values {
            if key.is_empty() || key.len() > MAX_KEY_LENGTH {
                return Err(problem(format!(
                    "a key has 1 to {MAX_KEY_LENGTH} bytes, not {key:?}"
                )));
            }
            if value.len() > MAX_VALUE_LENGTH {
                let length = value.len();
                return Err(problem(format!(
                    "the value of {key} has {length} bytes, more than {MAX_VALUE_LENGTH}"
                )));
            }
        }
        let mut state = self.state()?;
        let is_new = |(key, value): &(&String, &String)| state.get(*key) != Some(*value);
        let changes: BTreeMap<_, _> = values.iter().filter(is_new).collect();
        if changes.is_empty() {
            return Ok(WriteOutcome::Unchanged);
        }
        let command = ToolCommand::new("state-set").arg("--file").arg("-");
        self.run(&command.input(yaml::text_map(&changes)))?;
        state.extend(values.clone());
        self.cache().state = Some(state);
        Ok(WriteOutcome::Written)
    }

    /// Forgets a value (`state-delete`); one that is not kept costs nothing.
    ///
    /// # Errors
    /// When a tool fails.
    pub fn delete_state(&self, key: &str) -> Result<WriteOutcome, ToolError> {
        let mut state = self.state()?;
        if state.remove(key).is_none() {
            return Ok(WriteOutcome::Unchanged);
        }
        self.run(&ToolCommand::new("state-delete").text(key))?;
        self.cache().state = Some(state);
        Ok(WriteOutcome::Written)
    }
}

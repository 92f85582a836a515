//! Leadership: one unit of an application is its leader.

use crate::tools::{HookTools, ToolCommand, ToolError};

impl HookTools {
    /// Whether this unit is the leader (`is-leader`), as first asked in this hook.
    ///
    /// Juju guarantees leadership for about 30 seconds after it was asked. Late in a long hook,
    /// before a write that only the leader may make, ask [`HookTools::is_leader_now`].
    ///
    /// # Errors
    /// When the tool fails.
    pub fn is_leader(&self) -> Result<bool, ToolError> {
        let known = self.cache().leader;
        match known {
            Some(leader) => Ok(leader),
            None => self.is_leader_now(),
        }
    }

    /// Whether this unit is the leader, asked again.
    ///
    /// # Errors
    /// When the tool fails.
    pub fn is_leader_now(&self) -> Result<bool, ToolError> {
        let leader = self.run_json(&ToolCommand::new("is-leader").json())?;
        self.cache().leader = Some(leader);
        Ok(leader)
    }
}

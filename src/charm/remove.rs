//! The hook `remove`: removes what the application made.

use juju::{Status, ToolError};

use super::{Charm, publish, reconcile_if_connected};
use crate::decide::Facts;
use crate::intent::Intent;
use crate::intent::identity::Identity;
use crate::reconcile::Host;
use crate::report::report;

impl Charm {
    /// Removes everything this application made, if all its units are going away: a reconcile with
    /// the intent that nothing remains.
    ///
    /// The log names what remains after a minute, with a command to remove it. A later deployment
    /// of the application continues with it.
    ///
    /// # Errors
    /// A defect, or a hook tool that fails.
    pub(super) async fn remove(&self) -> anyhow::Result<()> {
        let goal_state = self.tools.goal_state()?;
        if !goal_state.is_application_going_away(&self.context.unit) {
            tracing::info!("other units stay, so the control plane stays");
            return Ok(());
        }
        let connected = self.connect().await;
        let identity = Identity::new(self.application(), self.namespace(&connected));
        let intent = Intent::nothing(identity.clone());
        let timeouts = self.timeouts.of_removal();
        let outcome = reconcile_if_connected(&intent, &connected, &mut LastUnit, timeouts).await?;
        let facts = Facts::of_removal(identity);
        publish::log(&report(&facts, &intent, &outcome).log);
        Ok(())
    }
}

/// The last unit of an application that is being removed. Nobody reads its status any more, and no
/// other unit could be the leader.
struct LastUnit;

impl Host for LastUnit {
    fn show(&mut self, _status: &Status) {}

    fn may_write(&mut self) -> Result<bool, ToolError> {
        Ok(true)
    }
}

//! The hook `remove`: removes what the application made.

use juju::{Status, ToolError};

use super::{Charm, publish};
use crate::decide::Facts;
use crate::intent::Intent;
use crate::intent::identity::Identity;
use crate::reconcile::{Host, reconcile};
use crate::report::{Outcome, report};
use crate::step::condition::Condition;

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
        let namespace = match &connected {
            Ok(cluster) => cluster.namespace(),
            Err(_) => self.context.model.name.as_str(),
        };
        let identity = Identity::new(self.application(), namespace);
        let intent = Intent::nothing(identity.clone());
        let outcome = match connected {
            Ok(cluster) => {
                let timeouts = self.timeouts.of_removal();
                reconcile(&intent, &cluster, &mut LastUnit, timeouts).await?
            }
            Err(error) => Outcome::without_cluster(Some(Condition::Unreachable(error.to_string()))),
        };
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

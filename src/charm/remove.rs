//! The hook `remove`: the application goes, and with it what it made.

use juju::{Status, ToolError};

use super::{Charm, publish};
use crate::decide::Facts;
use crate::intent::Intent;
use crate::intent::identity::Identity;
use crate::reconcile::{Host, reconcile};
use crate::report::{Outcome, report};
use crate::step::condition::Condition;

impl Charm {
    /// Removes everything this application made, if every unit of it is going: a reconcile with
    /// nothing intended.
    ///
    /// What is left after a minute stands in the log, with a command to remove it; a later
    /// deployment adopts it.
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

/// The last unit of an application that goes. Nobody looks at its status any more, and there is no
/// other that could lead.
struct LastUnit;

impl Host for LastUnit {
    fn show(&mut self, _status: &Status) {}

    fn may_write(&mut self) -> Result<bool, ToolError> {
        Ok(true)
    }
}

//! The charm's actions, as `juju run` starts them.

pub(crate) mod detect_cni_paths;
mod list_stale_workloads;
mod restart_stale_workloads;
mod rotate_private_key;
mod upgrade;

use juju::Status;
use juju::action::ActionResults;

use super::{Charm, Stop};
use crate::assess::Assessment;
use crate::reconcile::preview;
use crate::text::first_lines;

/// An action of `actions.yaml`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// What a hook does, now.
    Reconcile,
    /// What the next reconcile would change.
    Plan,
    /// What both CNI paths are in this cluster.
    DetectCniPaths,
    /// What still runs with what was injected before.
    ListStaleWorkloads,
    /// The restart of that.
    RestartStaleWorkloads,
    /// A new key for the ingress gateway's certificate.
    RotatePrivateKey,
    /// What a hook does, by a larger step if that is asked for.
    Upgrade,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 7] = [
        Self::Reconcile,
        Self::Plan,
        Self::DetectCniPaths,
        Self::ListStaleWorkloads,
        Self::RestartStaleWorkloads,
        Self::RotatePrivateKey,
        Self::Upgrade,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Reconcile => "reconcile",
            Self::Plan => "plan",
            Self::DetectCniPaths => "detect-cni-paths",
            Self::ListStaleWorkloads => "list-stale-workloads",
            Self::RestartStaleWorkloads => "restart-stale-workloads",
            Self::RotatePrivateKey => "rotate-private-key",
            Self::Upgrade => "upgrade",
        }
    }
}

/// How long a result may be, in bytes: it is an argument of a hook tool, and Linux takes 128 KiB for
/// one (`MAX_ARG_STRLEN`).
const LONGEST_RESULT: usize = 120 * 1024;

impl Charm {
    /// Runs the action of that name. Its failure is shown to the user, and does not put the unit in
    /// error.
    ///
    /// # Errors
    /// A defect, or a hook tool that fails.
    pub(super) async fn act(&self, name: &str) -> anyhow::Result<()> {
        let done = match Action::ALL.into_iter().find(|it| it.name() == name) {
            Some(action) => self.run(action).await,
            None => Err(Stop::failed(format!("this charm has no action {name}"))),
        };
        match done {
            Ok(()) => Ok(()),
            Err(Stop::Shown(status)) => Ok(self.tools.fail_action(status.message())?),
            Err(Stop::Defect(error)) => Err(error),
        }
    }

    async fn run(&self, action: Action) -> Result<(), Stop> {
        match action {
            Action::Reconcile => self.run_reconcile().await,
            Action::Plan => self.run_plan().await,
            Action::DetectCniPaths => self.run_detect_cni_paths().await,
            Action::ListStaleWorkloads => self.run_list_stale_workloads().await,
            Action::RestartStaleWorkloads => self.run_restart_stale_workloads().await,
            Action::RotatePrivateKey => self.run_rotate_private_key().await,
            Action::Upgrade => self.run_upgrade().await,
        }
    }

    /// Stops an action on a follower if only the leader may run it. `does` is the action as a verb,
    /// for the message.
    fn must_lead(&self, does: &str, action: Action) -> Result<(), Stop> {
        if self.tools.is_leader()? {
            return Ok(());
        }
        Err(Stop::failed(format!(
            "only the leader {does}; run: juju run {}/leader {}",
            self.application(),
            action.name()
        )))
    }

    async fn run_reconcile(&self) -> Result<(), Stop> {
        self.must_lead("reconciles", Action::Reconcile)?;
        let status = self.reconcile().await?;
        self.show_as_result(status)
    }

    /// Shows what a reconcile came to; the action fails where that is not active.
    fn show_as_result(&self, status: Status) -> Result<(), Stop> {
        let mut results = ActionResults::new();
        results.insert("status", status.name())?;
        results.insert("message", status.message())?;
        self.tools.set_action_results(&results)?;
        match status {
            Status::Blocked(_) | Status::Waiting(_) => Err(Stop::Shown(status)),
            Status::Active(_) | Status::Maintenance(_) => Ok(()),
        }
    }

    async fn run_plan(&self) -> Result<(), Stop> {
        let cluster = self.cluster().await?;
        let intent = self.intent(&cluster)?;
        let assessment = preview(&intent, &cluster)
            .await
            .map_err(|error| Stop::failed(error.to_string()))?;
        self.tools
            .set_action_results(&results_of_plan(&assessment)?)?;
        Ok(())
    }
}

fn results_of_plan(assessment: &Assessment) -> anyhow::Result<ActionResults> {
    let plan = &assessment.plan;
    let changes = plan.upserts.len() + plan.deletions.len();
    let text = first_lines(&assessment.plan_text(), LONGEST_RESULT);
    let shown = if text.is_empty() {
        "nothing to change"
    } else {
        &text
    };
    let mut results = ActionResults::new();
    results.insert("changes", changes.to_string())?;
    results.insert("obstacles", assessment.obstacles().count().to_string())?;
    results.insert("plan", shown)?;
    Ok(results)
}

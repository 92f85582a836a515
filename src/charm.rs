//! The charm: one run of `dispatch`, and what every hook and action works with.

pub mod actions;
pub mod dispatch;
mod facts;
mod publish;
mod remove;

use std::path::PathBuf;

use juju::context::HookContext;
use juju::{HookTools, Status, ToolError};

use crate::cluster::Cluster;
use crate::cluster::connect::{Access, ConnectError};
use crate::cluster::error::ClusterError;
use crate::decide::decide;
use crate::intent::{Intent, Target};
use crate::reconcile::{Host, reconcile};
use crate::report::{Outcome, report, status};
use crate::step::condition::Condition;
use crate::step::deadlines::Timeouts;

/// What every hook and action works with.
struct Charm {
    /// Why the charm runs.
    context: HookContext,
    /// The hook tools.
    tools: HookTools,
    /// How long to wait.
    timeouts: Timeouts,
}

/// Why a hook or action ends early.
enum Stop {
    /// Something that a person can fix, or time will.
    Shown(Status),
    /// A defect, or a hook tool that fails.
    Defect(anyhow::Error),
}

impl Stop {
    /// An action that cannot be done, for the given reason.
    fn failed(why: impl Into<String>) -> Self {
        Self::Shown(Status::Blocked(why.into()))
    }

    /// A cluster that refused a request, or did not answer.
    fn refused(error: &ClusterError, application: &str) -> Self {
        Self::Shown(status::of_refusal(error, application))
    }
}

impl<E: Into<anyhow::Error>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Defect(error.into())
    }
}

impl Charm {
    /// The application's name.
    fn application(&self) -> &str {
        self.context.application().as_str()
    }

    /// Prepares the connection to the cluster. No request is sent.
    async fn connect(&self) -> Result<Cluster, ConnectError> {
        let namespace = self.context.model.name.as_str().to_owned();
        let access = match self.context.variable("KUBECONFIG") {
            Some(path) => Access::Kubeconfig {
                path: PathBuf::from(path),
                namespace,
            },
            None => Access::ServiceAccount,
        };
        let connected = Cluster::connect(&access).await;
        connected.inspect_err(|error| tracing::warn!("{error}"))
    }

    /// The cluster, without which an action has nothing to do.
    async fn cluster(&self) -> Result<Cluster, Stop> {
        let connected = self.connect().await;
        connected.map_err(|error| Stop::Shown(status::unreachable(&error.to_string())))
    }

    /// What is asked of a cluster, without which an action has nothing to compare with.
    fn intent(&self, cluster: &Cluster) -> Result<Intent, Stop> {
        let intent = decide(&self.facts(cluster.namespace())?);
        if intent.target == Target::AsIs {
            let outcome = Outcome::without_cluster(None);
            return Err(Stop::Shown(status::of_outcome(&intent, &outcome)));
        }
        Ok(intent)
    }

    /// Reconciles, and shows the result as the unit's status, which is also returned.
    ///
    /// # Errors
    /// A defect, or a hook tool that fails.
    async fn reconcile(&self) -> anyhow::Result<Status> {
        if !self.tools.is_leader()? {
            let status = status::standby();
            let _ = self.tools.set_unit_status(&status)?;
            return Ok(status);
        }
        let connected = self.connect().await;
        // The two are the same, except for models whose namespace has another name.
        let namespace = match &connected {
            Ok(cluster) => cluster.namespace(),
            Err(_) => self.context.model.name.as_str(),
        };
        let facts = self.facts(namespace)?;
        let intent = decide(&facts);
        let outcome = match connected {
            _ if intent.target == Target::AsIs => Outcome::without_cluster(None),
            Ok(cluster) => {
                let mut host = Juju(&self.tools);
                reconcile(&intent, &cluster, &mut host, self.timeouts).await?
            }
            Err(error) => Outcome::without_cluster(Some(Condition::Unreachable(error.to_string()))),
        };
        let report = report(&facts, &intent, &outcome);
        self.publish(&report)?;
        Ok(report.status)
    }
}

/// The unit whose hook runs.
struct Juju<'a>(&'a HookTools);

impl Host for Juju<'_> {
    fn show(&mut self, status: &Status) {
        if let Err(error) = self.0.set_unit_status(status) {
            tracing::warn!(%error, "cannot show progress");
        }
    }

    fn may_write(&mut self) -> Result<bool, ToolError> {
        self.0.is_leader_now()
    }
}

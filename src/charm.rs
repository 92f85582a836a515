//! The charm: one run of `dispatch`, and what every hook and action works with.

pub mod actions;
pub mod dispatch;
mod facts;
mod keys;
mod publish;
mod remove;

use juju::context::HookContext;
use juju::{HookTools, Status, ToolError};

use crate::cluster::Cluster;
use crate::cluster::connect::{Access, ConnectError};
use crate::cluster::error::ClusterError;
use crate::decide::{Facts, decide};
use crate::intent::{Intent, Target};
use crate::reconcile::{Defect, Host, reconcile};
use crate::report::{Outcome, report, status};
use crate::step::condition::Condition;
use crate::step::deadlines::Timeouts;
use keys::KeyChange;

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
        let kubeconfig = self.context.variable("KUBECONFIG");
        let access = Access::find(kubeconfig, self.context.model.name.as_str());
        let connected = Cluster::connect(&access).await;
        connected.inspect_err(|error| tracing::warn!("{error}"))
    }

    /// The namespace of the control plane. It has the model's name, except in models whose
    /// namespace has another one, which only the cluster knows.
    fn namespace<'a>(&'a self, connected: &'a Result<Cluster, ConnectError>) -> &'a str {
        match connected {
            Ok(cluster) => cluster.namespace(),
            Err(_) => self.context.model.name.as_str(),
        }
    }

    /// The cluster, without which an action has nothing to do.
    async fn cluster(&self) -> Result<Cluster, Stop> {
        let connected = self.connect().await;
        connected.map_err(|error| Stop::Shown(status::unreachable(&error.to_string())))
    }

    /// What is asked of a cluster, without which an action has nothing to compare with.
    fn intent(&self, cluster: &Cluster) -> Result<Intent, Stop> {
        let intent = decide(&self.facts(cluster.namespace(), KeyChange::Never)?);
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
        self.reconcile_with(KeyChange::AsNeeded, false).await
    }

    /// The same, with another key if that is asked for, and whichever Istio is installed.
    async fn reconcile_with(&self, key: KeyChange, forces_upgrade: bool) -> anyhow::Result<Status> {
        if !self.tools.is_leader()? {
            self.forget_related_endpoints()?;
            self.publish_as_follower(key)?;
            let status = status::standby();
            let _ = self.tools.set_unit_status(&status)?;
            return Ok(status);
        }
        let connected = self.connect().await;
        let facts = Facts {
            forces_upgrade,
            ..self.facts(self.namespace(&connected), key)?
        };
        let intent = decide(&facts);
        let outcome = if intent.target == Target::AsIs {
            Outcome::without_cluster(None)
        } else {
            let mut host = Juju(&self.tools);
            reconcile_if_connected(&intent, &connected, &mut host, self.timeouts).await?
        };
        let report = report(&facts, &intent, &outcome);
        self.publish(&report)?;
        Ok(report.status)
    }
}

/// Reconciles, if there is a connection.
///
/// # Errors
/// A defect of this program.
async fn reconcile_if_connected(
    intent: &Intent,
    connected: &Result<Cluster, ConnectError>,
    host: &mut dyn Host,
    timeouts: Timeouts,
) -> Result<Outcome, Defect> {
    match connected {
        Ok(cluster) => reconcile(intent, cluster, host, timeouts).await,
        Err(error) => {
            let unreachable = Condition::Unreachable(error.to_string());
            Ok(Outcome::without_cluster(Some(unreachable)))
        }
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

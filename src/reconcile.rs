//! Brings the cluster to what is asked, step by step.
//!
//! Every round observes the whole cluster again and decides from that alone. A removal is the same
//! loop, with the intent that nothing remains.

mod answer;
mod apply;
mod observe;
mod wait;
mod watches;

use std::time::Duration;

use juju::{Status, ToolError};
use tokio::time::Instant;

use crate::assess::{Assessment, assess};
use crate::cluster::Cluster;
use crate::cluster::error::ClusterError;
use crate::cni::Phase;
use crate::desired::{Desired, RenderError};
use crate::endpoints;
use crate::intent::Intent;
use crate::k8s::object::LiveObjects;
use crate::report::status::of_refusal;
use crate::report::{Outcome, View, progress};
use crate::step::condition::Condition;
use crate::step::deadlines::Timeouts;
use crate::step::journal::Journal;
use crate::step::{Step, next_step};

/// How long the last look of a hook may take at least.
const LAST_LOOK: Duration = Duration::from_secs(5);

/// The unit or tool that a reconcile runs for.
pub trait Host {
    /// Shows the progress.
    fn show(&mut self, status: &Status);

    /// Asks whether it may write to the cluster now.
    ///
    /// # Errors
    /// When the hook tool that knows fails.
    fn may_write(&mut self) -> Result<bool, ToolError>;
}

/// A defect that ends the hook.
#[derive(Debug, thiserror::Error)]
pub enum Defect {
    /// The objects could not be rendered.
    #[error("cannot render the control plane")]
    Render(#[from] RenderError),
    /// It is unknown whether the unit is the leader.
    #[error("cannot find out whether this unit is the leader")]
    Leadership(#[from] ToolError),
}

/// Why a round could not be finished.
#[derive(Debug, thiserror::Error)]
pub enum Interruption {
    /// The cluster refused or did not answer.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// A defect of this program.
    #[error(transparent)]
    Defect(#[from] Defect),
}

impl From<RenderError> for Interruption {
    fn from(error: RenderError) -> Self {
        Self::Defect(error.into())
    }
}

impl From<ToolError> for Interruption {
    fn from(error: ToolError) -> Self {
        Self::Defect(error.into())
    }
}

/// What a unit may do with what it has seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Permission {
    /// It may write.
    Granted,
    /// It leads, and another unit may have led since it looked: it has to look again.
    LookAgain,
    /// It does not lead.
    Denied,
}

/// One reconcile: its cluster, its host, and what it has done so far.
struct Reconcile<'a> {
    cluster: &'a Cluster,
    host: &'a mut dyn Host,
    journal: Journal,
    began: Instant,
    /// When the last look began, since the hook did.
    looked_at: Duration,
}

/// Reconciles until everything is as asked, a person has to act, or the time is over.
///
/// # Errors
/// A defect of this program. What a person can fix, or time will, is in the outcome.
pub async fn reconcile(
    intent: &Intent,
    cluster: &Cluster,
    host: &mut dyn Host,
    timeouts: Timeouts,
) -> Result<Outcome, Defect> {
    let mut reconcile = Reconcile {
        cluster,
        host,
        journal: Journal::start(timeouts),
        began: Instant::now(),
        looked_at: Duration::ZERO,
    };
    let mut desired = None;
    loop {
        match reconcile.round_in_time(intent, &mut desired).await {
            Ok(None) => reconcile.journal.succeeded(),
            Ok(Some((conditions, view))) => {
                return Ok(Outcome {
                    conditions,
                    view: Some(view),
                    journal: Some(reconcile.journal),
                });
            }
            Err(Interruption::Defect(defect)) => return Err(defect),
            Err(Interruption::Cluster(error)) => {
                let now = reconcile.began.elapsed();
                let Some(pause) = reconcile.journal.failed(error.retry(), now) else {
                    return Ok(Outcome {
                        conditions: vec![Condition::from(&error)],
                        view: None,
                        journal: Some(reconcile.journal),
                    });
                };
                tracing::debug!(%error, "trying again");
                if reconcile.journal.keeps_failing() {
                    let application = intent.identity.application();
                    reconcile.host.show(&of_refusal(&error, application));
                }
                tokio::time::sleep(pause).await;
            }
        }
    }
}

/// Observes and assesses once without changing anything: shows what a reconcile would do next.
///
/// # Errors
/// When the cluster refuses or does not answer, or for a defect.
pub async fn preview(intent: &Intent, cluster: &Cluster) -> Result<Assessment, Interruption> {
    let mut journal = Journal::start(Timeouts::default());
    let began = Instant::now();
    let desired = desired(intent, cluster).await?;
    let (observed, _) = observe::observe(cluster, &desired, &mut journal, began).await?;
    Ok(assess(&desired, &observed)?)
}

/// What is desired in a cluster of this version.
async fn desired<'a>(intent: &'a Intent, cluster: &Cluster) -> Result<Desired<'a>, Interruption> {
    let kubernetes = cluster.version().await?;
    let of_endpoints = endpoints::objects(intent);
    Ok(Desired::new(intent, of_endpoints, kubernetes)?)
}

impl Reconcile<'_> {
    /// One round, which is given up when the time of the hook is over: a server that answers slowly
    /// must not hold up Juju.
    async fn round_in_time<'a>(
        &mut self,
        intent: &'a Intent,
        known: &mut Option<Desired<'a>>,
    ) -> Result<Option<(Vec<Condition>, View)>, Interruption> {
        let Some(longest) = self.journal.longest_round(self.began.elapsed()) else {
            return self.round(intent, known).await;
        };
        // The last look may begin when the time is just over.
        let longest = longest.max(LAST_LOOK);
        match tokio::time::timeout(longest, self.round(intent, known)).await {
            Ok(round) => round,
            Err(_) => Err(ClusterError::too_slow(self.began.elapsed()).into()),
        }
    }

    /// Observes, assesses, and takes one step; `None` when more have to follow.
    async fn round<'a>(
        &mut self,
        intent: &'a Intent,
        known: &mut Option<Desired<'a>>,
    ) -> Result<Option<(Vec<Condition>, View)>, Interruption> {
        self.looked_at = self.began.elapsed();
        if self.journal.should_ask_for_leadership(self.looked_at) {
            // Else a look that takes long would never be acted on.
            self.ask_for_leadership()?;
        }
        let desired = match known.take() {
            Some(desired) => desired,
            None => desired(intent, self.cluster).await?,
        };
        let desired = &*known.insert(desired);
        let (cluster, journal) = (self.cluster, &mut self.journal);
        let (observed, watches) = observe::observe(cluster, desired, journal, self.began).await?;
        let assessment = assess(desired, &observed)?;
        let now = self.began.elapsed();
        self.journal.assessed(&assessment, now);
        let conditions = match next_step(&assessment, &self.journal, now) {
            Step::Wait(wait) => {
                if let Some(text) = &wait.shown {
                    self.host.show(&Status::Maintenance(text.clone()));
                }
                self.journal.waited();
                let collections = watches.of(&assessment.watched());
                let look = self.began.elapsed().saturating_sub(self.looked_at);
                wait::until_changed(self.cluster, &collections, &wait, look).await;
                return Ok(None);
            }
            step @ (Step::Apply(_) | Step::Delete(_)) => {
                let live = &observed.live;
                if self.write(step, assessment.phase, intent, live).await? != Permission::Denied {
                    return Ok(None);
                }
                // Another unit has become the leader and continues.
                vec![Condition::Standby]
            }
            Step::Finish(conditions) => conditions,
        };
        let view = View {
            kubernetes: desired.kubernetes(),
            observed,
            assessment,
        };
        Ok(Some((conditions, view)))
    }

    /// Makes the changes of a step, as far as the unit may.
    async fn write(
        &mut self,
        step: Step<'_>,
        phase: Phase,
        intent: &Intent,
        live: &LiveObjects,
    ) -> Result<Permission, Interruption> {
        let permission = self.permission()?;
        if permission != Permission::Granted {
            return Ok(permission);
        }
        match step {
            Step::Apply(upserts) => {
                let text = progress::applying(phase, intent, upserts.len());
                self.host.show(&Status::Maintenance(text));
                self.apply(&upserts, live).await
            }
            Step::Delete(deletions) => {
                let text = progress::deleting(deletions.len());
                self.host.show(&Status::Maintenance(text));
                self.delete(&deletions).await
            }
            Step::Wait(_) | Step::Finish(_) => Ok(permission),
        }
    }

    /// Whether the unit leads now.
    fn ask_for_leadership(&mut self) -> Result<bool, ToolError> {
        let leads = self.host.may_write()?;
        self.journal
            .asked_for_leadership(leads, self.began.elapsed());
        Ok(leads)
    }

    /// Whether the unit may write what follows from the last look. Juju guarantees leadership for
    /// 30 s after the question; waits and slow requests may take longer, so it is asked again.
    fn permission(&mut self) -> Result<Permission, ToolError> {
        let now = self.began.elapsed();
        if !self.journal.leads(now) && !self.ask_for_leadership()? {
            return Ok(Permission::Denied);
        }
        Ok(if self.journal.may_act_on_view_of(self.looked_at) {
            Permission::Granted
        } else {
            Permission::LookAgain
        })
    }
}

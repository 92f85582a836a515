//! Making the cluster as the configuration asks, look by look.
//!
//! Every look reads the cluster anew and decides from that alone; then it applies what may be
//! applied, or waits by watch for what has to happen first.

mod apply;
mod draining;
pub mod observe;
mod patience;

use std::collections::BTreeMap;

use juju::Status;

use crate::cluster::Cluster;
use crate::cluster::error::ClusterError;
use crate::cluster::watch::Watched;
use crate::cni::Phase;
use crate::cni::rollout::{Fault, Rollout, waits_for_configuration};
use crate::conclude::Finding;
use crate::decide::{self, Awaited, Settings, Wanted};
use crate::object::ObjectId;
use crate::plan::{Obstacle, Plan, plan};
use crate::render::RenderError;
use crate::snapshot::{AgentFacts, Snapshot};
use draining::{Drain, DrainProgress};
use observe::{Collection, Reading};
use patience::Patience;
pub use patience::{Bounds, retried};

/// The container of the node agent's pods.
const AGENT_CONTAINER: &str = "install-cni";

/// How a reconcile ended.
#[derive(Debug)]
pub struct Report {
    /// What there is to say, problems included.
    pub findings: Vec<Finding>,
    /// The version of the istiod that runs, if one is known.
    pub version: Option<String>,
    /// What is odd but harmless, for the log.
    pub warnings: Vec<String>,
}

/// A defect that ends the hook.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// The objects could not be rendered.
    #[error("cannot render the control plane")]
    Render(#[from] RenderError),
}

/// What one look at the cluster gave.
struct Look {
    snapshot: Snapshot,
    phase: Phase,
    rollout: Option<Rollout>,
    plan: Plan,
    awaited: Vec<Awaited>,
    watches: Vec<Watched>,
}

/// One reconcile.
pub struct Reconciler<'a> {
    cluster: &'a Cluster,
    settings: &'a Settings,
    say: &'a mut dyn FnMut(&Status),
    patience: Patience,
    drain: Drain,
    applied: BTreeMap<ObjectId, apply::Applied>,
    warnings: Vec<String>,
}

impl<'a> Reconciler<'a> {
    /// A reconcile that tells its progress through `say`, and waits as long as `bounds` allow.
    pub fn new(
        cluster: &'a Cluster,
        settings: &'a Settings,
        bounds: Bounds,
        say: &'a mut dyn FnMut(&Status),
    ) -> Self {
        Self {
            cluster,
            settings,
            say,
            patience: Patience::new(bounds),
            drain: Drain::default(),
            applied: BTreeMap::new(),
            warnings: Vec::new(),
        }
    }

    /// Reconciles until all is done, a person has to act, or the time is over.
    ///
    /// # Errors
    /// Only for defects of this program; what a person or time can mend is in the report.
    pub async fn run(mut self) -> Result<Report, ReconcileError> {
        let mut transient = 0;
        loop {
            match self.turn().await {
                Ok(Some(report)) => return Ok(report),
                Ok(None) => transient = 0,
                Err(TurnError::Defect(error)) => return Err(error),
                Err(TurnError::Cluster(error)) => {
                    transient += 1;
                    let pause = patience::pause_after_failure(transient);
                    let retry = error.is_transient() && transient <= patience::RETRIES;
                    if !retry || !self.patience.allows(pause) {
                        return Ok(self.refused(&error));
                    }
                    tracing::debug!(%error, "trying again");
                    tokio::time::sleep(pause).await;
                }
            }
        }
    }

    /// Looks once, without changing anything: what a reconcile would do next.
    ///
    /// # Errors
    /// When the cluster refuses or does not answer, or for a defect.
    pub async fn preview(mut self) -> Result<(Plan, Vec<Obstacle>), TurnError> {
        let look = self.look().await?;
        let obstacles = decide::rivals(self.settings, &look.snapshot);
        Ok((look.plan, obstacles))
    }

    /// One look, and what follows from it. `None`: look again.
    async fn turn(&mut self) -> Result<Option<Report>, TurnError> {
        let mut look = self.look().await?;
        let rivals = decide::rivals(self.settings, &look.snapshot);
        let in_the_way: Vec<_> = rivals
            .into_iter()
            .chain(look.plan.obstacles.clone())
            .collect();
        if !in_the_way.is_empty() {
            let findings = in_the_way.into_iter().map(Finding::InTheWay).collect();
            return Ok(Some(self.report(&look, findings)));
        }
        let batch = decide::batch(&look.plan, &look.snapshot, &self.settings.namespace);
        let upserts: Vec<_> = batch
            .upserts
            .into_iter()
            .filter(|it| self.may_apply(it, &look.snapshot))
            .collect();
        if !upserts.is_empty() {
            let what = progress_of(look.phase, self.settings, upserts.len());
            (self.say)(&Status::Maintenance(what));
            self.apply(&upserts, &look.snapshot).await?;
            return Ok(None);
        }
        // Deletions come only after everything wanted is there.
        let complete = !look
            .plan
            .upserts
            .iter()
            .any(|it| self.may_apply(it, &look.snapshot));
        let deletions = look
            .plan
            .deletions
            .iter()
            .filter(|it| complete && !it.under_way);
        let deletions: Vec<_> = deletions.collect();
        if !deletions.is_empty() {
            let count = deletions.len();
            (self.say)(&Status::Maintenance(format!("removing {count} objects")));
            for deletion in deletions {
                tracing::info!("deleting {}", deletion.id);
                self.cluster.delete(&deletion.id, &deletion.uid).await?;
            }
            return Ok(None);
        }
        look.awaited.splice(0..0, batch.awaited);
        // A node agent that is on its way out may fail as it likes.
        let rollout = look.rollout.as_ref().filter(|_| look.phase.applies_agent());
        if let Some(fault) = rollout.and_then(|it| it.fault.clone()) {
            let findings = vec![Finding::AgentFault(fault, look.phase)];
            return Ok(Some(self.report(&look, findings)));
        }
        if look.awaited.is_empty() {
            let settled = Finding::Settled {
                agent: agent_numbers(&look),
            };
            let findings = vec![settled];
            return Ok(Some(self.report(&look, findings)));
        }
        if let Some(fault) = self.fault_in_log(&look).await {
            let findings = vec![Finding::AgentFault(fault, look.phase)];
            return Ok(Some(self.report(&look, findings)));
        }
        if self.patience.is_over(&look.awaited, look.phase) {
            let awaited = std::mem::take(&mut look.awaited);
            let findings = awaited.into_iter().map(Finding::StillWaiting).collect();
            return Ok(Some(self.report(&look, findings)));
        }
        let first = look
            .awaited
            .first()
            .map(|it| it.progress.clone())
            .unwrap_or_default();
        (self.say)(&Status::Maintenance(first));
        self.wait(&look).await;
        Ok(None)
    }

    async fn look(&mut self) -> Result<Look, TurnError> {
        let settings = self.settings;
        let namespace = &settings.namespace;
        let wanted = Wanted::finally(settings)?;
        let owner = settings.owner();
        let mut reading = Reading::take(self.cluster, &owner, &wanted.ids()).await?;
        let mut facts = None;
        if decide::needs_agent_facts(settings, &reading.snapshot) {
            facts = Some(reading.agent(self.cluster).await?);
        }
        let snapshot = &reading.snapshot;
        let rollout = decide::agent_rollout(settings, snapshot, facts.as_ref());
        let mut phase = decide::current_phase(
            settings,
            snapshot,
            &wanted,
            rollout.as_ref(),
            facts.as_ref(),
        );
        let mut awaited = Vec::new();
        match phase {
            Phase::Draining if snapshot.injection(namespace) == Some(phase.injection()) => {
                match self.drain.progress(self.cluster, &mut reading).await? {
                    DrainProgress::Done => phase = Phase::Removing,
                    DrainProgress::Waiting(reasons) => awaited = reasons,
                }
            }
            // First the injection configuration goes back; what follows is seen at the next look.
            Phase::Draining => awaited.push(Awaited {
                progress: "the injection configuration changes".to_owned(),
                reason: None,
            }),
            Phase::Removing => awaited.push(leaving(facts.as_ref())),
            Phase::RollingOut => awaited.extend(rolling_out(rollout.as_ref())),
            Phase::Off | Phase::On => {}
        }
        if phase != Phase::Draining && phase != Phase::Removing {
            self.drain = Drain::default();
        }
        let wanted = wanted.in_phase(settings, phase)?;
        let held = decide::held(phase, &owner, &reading.snapshot.live);
        let plan = plan(&wanted.objects, &held, &reading.snapshot.live, &owner);
        let watches = reading.watches(&watched(phase));
        Ok(Look {
            snapshot: reading.snapshot,
            phase,
            rollout,
            plan,
            awaited,
            watches,
        })
    }

    /// What the node agent's log says when it takes long; a log that cannot be read says nothing.
    async fn fault_in_log(&self, look: &Look) -> Option<Fault> {
        let running = look.rollout.as_ref()?.running.as_ref();
        let (node, pod) =
            running.filter(|_| look.phase == Phase::RollingOut && self.patience.is_long())?;
        let log = self
            .cluster
            .last_lines(pod, AGENT_CONTAINER, 20)
            .await
            .ok()?;
        waits_for_configuration(&log).then(|| Fault::NoConfiguration { node: node.clone() })
    }

    async fn wait(&mut self, look: &Look) {
        let pause = self.patience.until_next_look(self.drain.poll());
        let changed = self.cluster.changed(&look.watches);
        // Whichever comes first; changes come in bursts, so the rest of a burst is let pass.
        if tokio::time::timeout(pause, changed).await.is_ok() {
            tokio::time::sleep(patience::BURST).await;
        }
    }

    fn refused(self, error: &ClusterError) -> Report {
        let findings = vec![Finding::Refused(error.fault().clone(), error.to_string())];
        Report {
            findings,
            version: None,
            warnings: self.warnings,
        }
    }

    fn report(&mut self, look: &Look, findings: Vec<Finding>) -> Report {
        let mut warnings = std::mem::take(&mut self.warnings);
        for (id, why) in &look.plan.left {
            warnings.push(format!("{id} is left as it is: {why}"));
        }
        if let Some(rollout) = &look.rollout {
            for (node, why) in &rollout.held_by {
                warnings.push(format!("the node agent on {node} is not ready: {why}"));
            }
        }
        let version = decide::running_version(&look.snapshot, &self.settings.namespace);
        Report {
            findings,
            version,
            warnings,
        }
    }
}

/// Why a turn could not be finished.
#[derive(Debug, thiserror::Error)]
pub enum TurnError {
    /// The cluster refused or did not answer.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// A defect of this program.
    #[error(transparent)]
    Defect(#[from] ReconcileError),
}

impl From<RenderError> for TurnError {
    fn from(error: RenderError) -> Self {
        Self::Defect(error.into())
    }
}

/// What a phase waits for.
fn watched(phase: Phase) -> Vec<Collection> {
    use Collection::{Agents, Istiods, Kind, Nodes, Pending, Warnings};
    let mut watched = vec![
        Kind("CustomResourceDefinition"),
        Kind("Deployment"),
        Istiods,
    ];
    match phase {
        Phase::RollingOut => watched.extend([Kind("DaemonSet"), Agents, Nodes, Warnings]),
        Phase::Draining => watched.push(Pending),
        Phase::Removing => watched.extend([Kind("DaemonSet"), Agents]),
        Phase::Off | Phase::On => {}
    }
    watched
}

fn rolling_out(rollout: Option<&Rollout>) -> Option<Awaited> {
    let Some(rollout) = rollout else {
        let progress = format!("{} is not created yet", crate::names::NODE_AGENT);
        return Some(Awaited {
            progress,
            reason: None,
        });
    };
    if rollout.ready {
        return None;
    }
    let (ready, desired) = (rollout.counts.ready, rollout.counts.desired);
    let progress = format!("{} {ready}/{desired} nodes", crate::names::NODE_AGENT);
    let reason = rollout
        .held_by
        .iter()
        .next()
        .map(|(node, why)| format!("{node}: {why}"));
    Some(Awaited { progress, reason })
}

fn leaving(facts: Option<&AgentFacts>) -> Awaited {
    let left = facts.map_or(0, decide::pods_left);
    let progress = format!("{} is going ({left} pods left)", crate::names::NODE_AGENT);
    Awaited {
        progress,
        reason: None,
    }
}

fn agent_numbers(look: &Look) -> Option<(u32, u32)> {
    let rollout = look.rollout.as_ref().filter(|_| look.phase == Phase::On)?;
    Some((rollout.counts.ready, rollout.counts.desired))
}

fn progress_of(phase: Phase, settings: &Settings, count: usize) -> String {
    let what = match phase {
        Phase::Off => "applying the control plane",
        Phase::RollingOut => "installing the CNI node agent",
        Phase::On => "switching injection to the CNI node agent",
        Phase::Draining if settings.wants_agent() => {
            "switching the CNI off to change the node agent"
        }
        Phase::Draining | Phase::Removing => "switching the CNI off",
    };
    format!("{what} ({count} objects)")
}

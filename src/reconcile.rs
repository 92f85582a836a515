//! Making the cluster as the configuration asks, look by look.
//!
//! Every look reads the cluster anew and decides from that alone; then it applies what may be
//! applied, or waits by watch for what has to happen first.

mod agent;
mod apply;
mod draining;
mod look;
pub mod observe;
mod patience;
mod unit;

use std::collections::BTreeMap;
use std::time::Duration;

use juju::{Status, ToolError};
use tokio::time::Instant;

use crate::cluster::Cluster;
use crate::cluster::error::ClusterError;
use crate::cni::Phase;
use crate::conclude::{self, Finding};
use crate::decide::{self, Awaited, Settings, Wanted};
use crate::k8s::object::ObjectId;
use crate::plan::{Obstacle, Plan, plan};
use crate::render::RenderError;
use draining::{Drain, DrainProgress};
use look::{Look, leaving, progress_of, rolling_out, watched};
use observe::Reading;
use patience::Patience;
pub use patience::{Bounds, retried};
pub use unit::Unit;

/// How long a unit that was the leader is so for certain: half of what Juju guarantees, as what
/// follows takes time too.
const LEADS_SURELY: Duration = Duration::from_secs(15);

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
    /// Whether the unit is the leader could not be told.
    #[error("cannot tell whether this unit leads")]
    Leadership(#[from] ToolError),
}

/// One reconcile.
pub struct Reconciler<'a> {
    cluster: &'a Cluster,
    settings: &'a Settings,
    unit: &'a mut dyn Unit,
    /// When the unit was known to be the leader; `None` after a wait.
    led_at: Option<Instant>,
    /// The phase of the last look.
    phase: Phase,
    /// Whether the live DaemonSet, by its version, needs no new pods, as the server has told.
    unchanged_template: Option<(String, bool)>,
    patience: Patience,
    drain: Drain,
    applied: BTreeMap<ObjectId, apply::Applied>,
    /// Whether this hook has seen the node agent go.
    agent_went: bool,
    warnings: Vec<String>,
}

impl<'a> Reconciler<'a> {
    /// A reconcile for a unit that is the leader, which waits as long as `bounds` allow.
    pub fn new(
        cluster: &'a Cluster,
        settings: &'a Settings,
        bounds: Bounds,
        unit: &'a mut dyn Unit,
    ) -> Self {
        Self {
            cluster,
            settings,
            unit,
            led_at: Some(Instant::now()),
            phase: Phase::Off,
            unchanged_template: None,
            patience: Patience::new(bounds),
            drain: Drain::default(),
            applied: BTreeMap::new(),
            agent_went: false,
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
                    if !retry || !self.patience.allows(pause, self.phase) {
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
            if !self.still_leads()? {
                return Ok(Some(self.report(&look, vec![Finding::Deposed])));
            }
            let what = progress_of(look.phase, self.settings, upserts.len());
            self.unit.show(&Status::Maintenance(what));
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
            if !self.still_leads()? {
                return Ok(Some(self.report(&look, vec![Finding::Deposed])));
            }
            let count = deletions.len();
            self.unit
                .show(&Status::Maintenance(format!("removing {count} objects")));
            for deletion in deletions {
                tracing::info!("deleting {}", deletion.id);
                self.cluster.delete(&deletion.id, &deletion.uid).await?;
            }
            return Ok(None);
        }
        let elsewhere = batch.awaited;
        look.awaited.splice(0..0, elsewhere.iter().cloned());
        // A node agent that is on its way out may fail as it likes.
        let rollout = look.rollout.as_ref().filter(|_| look.phase.applies_agent());
        let fault = rollout.and_then(|it| it.fault.clone());
        let settled = self.patience.has_settled(fault.as_ref());
        if let Some(fault) = fault {
            // The control plane is finished all the same: pods are injected without the CNI.
            let unfinished = !elsewhere.is_empty();
            if !settled || (unfinished && !self.patience.is_over(&elsewhere, look.phase)) {
                self.wait(&look).await;
                return Ok(None);
            }
            let mut findings = vec![Finding::AgentFault(fault, look.phase)];
            findings.extend(elsewhere.into_iter().map(Finding::StillWaiting));
            return Ok(Some(self.report(&look, findings)));
        }
        if look.awaited.is_empty() {
            let settled = Finding::Settled {
                agent: look.agent_numbers(),
            };
            let findings = vec![settled];
            return Ok(Some(self.report(&look, findings)));
        }
        if let Some(fault) = self.fault_in_logs(&look).await {
            let findings = vec![Finding::AgentFault(fault, look.phase)];
            return Ok(Some(self.report(&look, findings)));
        }
        if self.patience.is_over(&look.awaited, look.phase) {
            let awaited = std::mem::take(&mut look.awaited);
            let findings = awaited.into_iter().map(Finding::StillWaiting).collect();
            return Ok(Some(self.report(&look, findings)));
        }
        if let Some(first) = look.awaited.first() {
            // What goes well passes through many reasons, too quickly to be read.
            let text = if self.patience.is_long() {
                first.to_string()
            } else {
                first.progress.clone()
            };
            self.unit.show(&Status::Maintenance(text));
        }
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
        let fits = self.needs_no_new_pods(&wanted, snapshot).await?;
        let mut phase =
            decide::current_phase(settings, snapshot, fits, rollout.as_ref(), facts.as_ref());
        let mut awaited = Vec::new();
        match phase {
            Phase::Draining if snapshot.injection(namespace) == Some(phase.injection()) => {
                match self.drain.progress(self.cluster, &mut reading).await? {
                    DrainProgress::Done => phase = Phase::Removing,
                    DrainProgress::Waiting(reasons) => awaited = reasons,
                }
            }
            // First the injection configuration goes back; what follows is seen at the next look.
            Phase::Draining => {
                self.drain = Drain::default();
                awaited.push(Awaited {
                    progress: "the injection configuration changes".to_owned(),
                    reason: None,
                });
            }
            Phase::Removing => awaited.push(leaving(facts.as_ref())),
            Phase::RollingOut => awaited.extend(rolling_out(rollout.as_ref())),
            // A node that joins is no trouble; one on which the node agent fails strands its pods.
            Phase::On if rollout.as_ref().is_some_and(|it| it.fails) => {
                awaited.extend(rolling_out(rollout.as_ref()));
            }
            Phase::Off | Phase::On => {}
        }
        self.phase = phase;
        match phase {
            Phase::Removing => self.agent_went = true,
            Phase::Draining => {}
            Phase::Off | Phase::RollingOut | Phase::On => self.drain = Drain::default(),
        }
        let wanted = wanted.in_phase(settings, phase)?;
        let held = decide::held(phase, &owner, &reading.snapshot.live);
        let mut plan = plan(&wanted.objects, &held, &reading.snapshot.live, &owner);
        let replaced = decide::replaced_agent(phase, settings, &reading.snapshot);
        plan.deletions.extend(replaced);
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

    /// Whether the unit may write. Juju guarantees leadership for 30 s after it was asked; waits and
    /// slow requests may be longer.
    fn still_leads(&mut self) -> Result<bool, ToolError> {
        if self.led_at.is_some_and(|it| it.elapsed() < LEADS_SURELY) {
            return Ok(true);
        }
        let leads = self.unit.leads()?;
        self.led_at = leads.then(Instant::now);
        Ok(leads)
    }

    async fn wait(&mut self, look: &Look) {
        self.led_at = None;
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
        if look.phase == Phase::On && !self.applied.is_empty() {
            warnings.extend(conclude::of_switching_on(self.settings.kubernetes));
        }
        if look.phase == Phase::Off && self.agent_went {
            warnings.push(format!(
                "pods created while the CNI was on cannot start again after a reboot of their node; \
                 to list their workloads: juju run {}/leader list-stale-workloads",
                self.settings.application
            ));
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

impl From<ToolError> for TurnError {
    fn from(error: ToolError) -> Self {
        Self::Defect(error.into())
    }
}

impl From<RenderError> for TurnError {
    fn from(error: RenderError) -> Self {
        Self::Defect(error.into())
    }
}

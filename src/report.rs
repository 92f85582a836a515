//! What people and other charms see of a hook that has ended: pure.

mod expiry;
pub mod progress;
mod removal;
pub mod status;

use juju::Status;

use crate::assess::Assessment;
use crate::cni::Phase;
use crate::decide::Facts;
use crate::endpoints::{self, Publication, World};
use crate::intent::Intent;
use crate::k8s::version::KubernetesVersion;
use crate::observed::Observed;
use crate::step::condition::Condition;
use crate::step::journal::Journal;
use crate::text::up_to_three;

/// How a hook ended.
#[derive(Debug)]
pub struct Outcome {
    /// The conditions that it ended with.
    pub conditions: Vec<Condition>,
    /// The last view of the cluster; `None` when there was none.
    pub view: Option<View>,
    /// What the hook has done and seen; `None` when it did not get that far.
    pub journal: Option<Journal>,
}

/// The last observation of a cluster, and its assessment.
#[derive(Debug)]
pub struct View {
    /// The API server's version.
    pub kubernetes: KubernetesVersion,
    /// What was observed.
    pub observed: Observed,
    /// What followed from that.
    pub assessment: Assessment,
}

impl Outcome {
    /// A hook that ended before the cluster was observed.
    pub fn without_cluster(condition: Option<Condition>) -> Self {
        Self {
            conditions: condition.into_iter().collect(),
            view: None,
            journal: None,
        }
    }
}

/// What people and other charms see of a hook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The unit's status.
    pub status: Status,
    /// Lines for the log, in order.
    pub log: Vec<LogLine>,
    /// The version of the running istiod, if it is known.
    pub version: Option<String>,
    /// Whether the hook has applied anything.
    pub has_applied: bool,
    /// What the databags of relations should hold.
    pub publications: Vec<Publication>,
}

/// A line for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogLine {
    /// Something went as it should.
    Info(String),
    /// Something is odd, or somebody has to act.
    Warning(String),
}

/// Reports how a hook ended.
pub fn report(facts: &Facts, intent: &Intent, outcome: &Outcome) -> Report {
    let mut log = warnings(intent, outcome);
    let view = outcome.view.as_ref();
    let observed = view.map(|it| &it.observed);
    let world = World {
        intent,
        observed,
        leader: facts.leader,
        unit: facts.unit.as_ref(),
        known: facts.known(),
    };
    let status = if intent.is_removal() {
        log.extend(removal::log(intent, outcome));
        status::removed()
    } else {
        let awaited = endpoints::awaited(&facts.relations, &world);
        let (status, lines) = status::of_conditions(intent, &awaited, outcome);
        log.extend(lines);
        let expiry = observed.and_then(|it| expiry::expiry(intent, it, facts.now));
        status::with_note(status, expiry)
    };
    Report {
        status,
        log,
        version: observed.and_then(Observed::running_version),
        has_applied: outcome.journal.as_ref().is_some_and(Journal::has_applied),
        publications: endpoints::publications(&facts.relations, &world),
    }
}

/// Harmless oddities.
fn warnings(intent: &Intent, outcome: &Outcome) -> Vec<LogLine> {
    let mut warnings = intent.warnings.clone();
    if let Some(journal) = &outcome.journal {
        warnings.extend_from_slice(journal.warnings());
    }
    if let (Some(view), Some(journal)) = (&outcome.view, &outcome.journal) {
        warnings.extend(of_view(intent, view, journal));
    }
    warnings.into_iter().map(LogLine::Warning).collect()
}

fn of_view(intent: &Intent, view: &View, journal: &Journal) -> Vec<String> {
    let assessment = &view.assessment;
    let mut warnings = Vec::new();
    for (id, why) in &assessment.plan.skipped {
        warnings.push(format!("{id} is left as it is: {why}"));
    }
    if assessment.phase == Phase::On && journal.has_applied() {
        warnings.extend(status::without_native_sidecars(view.kubernetes));
    }
    if assessment.phase == Phase::Off && journal.has_seen_agent_go() && !intent.is_removal() {
        warnings.push(format!(
            "pods created while the CNI was on cannot start again after a reboot of their node; \
             to list their workloads: juju run {}/leader list-stale-workloads",
            intent.identity.application()
        ));
    }
    if let Some(rollout) = &assessment.rollout {
        if !rollout.unable.is_empty() && journal.has_applied() {
            warnings.push(format!(
                "{} can run no node agent: pods with a sidecar do not start there while the CNI is \
                 on",
                up_to_three(&rollout.unable)
            ));
        }
        for (node, why) in &rollout.held_by {
            warnings.push(format!("the node agent on {node} is not ready: {why}"));
        }
    }
    warnings
}

#[cfg(test)]
mod tests;

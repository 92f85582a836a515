//! What to do next: pure.

pub mod condition;
pub mod deadlines;
pub mod journal;

use std::time::Duration;

use crate::assess::Assessment;
use crate::assess::awaited::Awaited;
use crate::plan::{Deletion, Upsert, Urgency};
use condition::Condition;
use journal::Journal;

/// What to do next.
#[derive(Clone, Debug, PartialEq)]
pub enum Step<'a> {
    /// Apply these objects in this order, then observe again.
    Apply(Vec<&'a Upsert>),
    /// Delete these objects in this order, then observe again.
    Delete(Vec<&'a Deletion>),
    /// Wait until something changes, then observe again.
    Wait(Wait),
    /// End the hook: these are the conditions that it ends with.
    Finish(Vec<Condition>),
}

/// A wait for a change in the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wait {
    /// What is awaited, for the unit's status; `None` to leave the status as it is.
    pub shown: Option<String>,
    /// How long to wait at most.
    pub pause: Duration,
}

/// The next step. `now` is the time since the hook began.
pub fn next_step<'a>(assessment: &'a Assessment, journal: &Journal, now: Duration) -> Step<'a> {
    let obstacles: Vec<_> = assessment.obstacles().cloned().collect();
    if !obstacles.is_empty() {
        return Step::Finish(obstacles.into_iter().map(Condition::InTheWay).collect());
    }
    if let Some(refusal) = assessment.refusal() {
        return Step::Finish(vec![Condition::TooFar(refusal.clone())]);
    }
    let plan = &assessment.plan;
    let deletable = || plan.deletions.iter().filter(|it| !it.under_way);
    let closing: Vec<_> = deletable()
        .filter(|it| it.urgency == Urgency::CloseFirst)
        .collect();
    if !closing.is_empty() {
        return Step::Delete(closing);
    }
    let upserts: Vec<_> = plan
        .upserts
        .iter()
        .filter(|upsert| assessment.gate.allows_upsert(upsert))
        .collect();
    if !upserts.is_empty() {
        return Step::Apply(upserts);
    }
    let is_complete = plan.upserts.is_empty();
    let deletions: Vec<_> = deletable()
        .filter(|deletion| is_complete && assessment.gate.allows_deletion(deletion))
        .collect();
    if !deletions.is_empty() {
        return Step::Delete(deletions);
    }
    wait_or_finish(assessment, journal, now)
}

/// The step when nothing can be changed now: everything is done, somebody has to act, or it takes
/// time.
fn wait_or_finish<'a>(assessment: &Assessment, journal: &Journal, now: Duration) -> Step<'a> {
    let wait = |shown| {
        Step::Wait(Wait {
            shown,
            pause: journal.until_next_look(assessment.next_look, now),
        })
    };
    let mut conditions = Vec::new();
    let awaited: Vec<&Awaited> = match &assessment.fault {
        // The control plane is completed nevertheless: injection works without the CNI.
        Some(fault) => {
            conditions.push(Condition::AgentFault(fault.clone(), assessment.phase));
            assessment.gate.awaited.iter().collect()
        }
        None => assessment.all_awaited().collect(),
    };
    let takes_long = journal.takes_long(now);
    let first = awaited.iter().find(|it| !it.is_up_to_a_person(takes_long));
    if let Some(first) = first.filter(|_| !journal.is_over(now)) {
        // While all goes well, reasons change too quickly to be read.
        let shown = if takes_long {
            first.to_string()
        } else {
            first.progress()
        };
        return wait(assessment.fault.is_none().then_some(shown));
    }
    if assessment.fault.is_some() && !journal.has_settled_fault(now) {
        return wait(None);
    }
    let in_the_way = assessment.plan.in_the_way.iter().cloned();
    conditions.extend(in_the_way.map(Condition::InTheWay));
    let refused = assessment.in_vain.refused.iter().cloned();
    conditions.extend(refused.map(Condition::from));
    conditions.extend(awaited.into_iter().cloned().map(Condition::StillWaiting));
    if conditions.is_empty() {
        conditions.push(Condition::Settled {
            ready_nodes: assessment.ready_nodes(),
        });
    }
    Step::Finish(conditions)
}

#[cfg(test)]
mod tests;

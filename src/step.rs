//! What to do next: pure.

pub mod condition;
pub mod deadlines;
pub mod journal;

use std::time::Duration;

use crate::assess::Assessment;
use crate::k8s::object::LiveObjects;
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

/// The next step. `live` are the objects that were assessed, `now` is the time since the hook
/// began.
pub fn next_step<'a>(
    assessment: &'a Assessment,
    live: &LiveObjects,
    journal: &Journal,
    now: Duration,
) -> Step<'a> {
    let obstacles: Vec<_> = assessment.obstacles().cloned().collect();
    if !obstacles.is_empty() {
        return Step::Finish(obstacles.into_iter().map(Condition::InTheWay).collect());
    }
    let plan = &assessment.plan;
    let deletable = || plan.deletions.iter().filter(|it| !it.under_way);
    let closing: Vec<_> = deletable()
        .filter(|it| it.urgency == Urgency::CloseFirst)
        .collect();
    if !closing.is_empty() {
        return Step::Delete(closing);
    }
    let applicable = || {
        let upserts = plan.upserts.iter();
        upserts.filter(|upsert| journal.may_apply(upsert, live))
    };
    let upserts: Vec<_> = applicable()
        .filter(|upsert| assessment.gate.allows_upsert(upsert))
        .collect();
    if !upserts.is_empty() {
        return Step::Apply(upserts);
    }
    let is_complete = applicable().next().is_none();
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
            pause: journal.until_next_look(assessment.needs_polling, now),
        })
    };
    if let Some(fault) = &assessment.fault {
        // The control plane is completed nevertheless: injection works without the CNI.
        let unfinished = &assessment.gate.awaited;
        let is_waiting = !unfinished.is_empty() && !journal.is_over(now);
        if is_waiting || !journal.has_settled_fault(now) {
            return wait(None);
        }
        let mut conditions = vec![Condition::AgentFault(fault.clone(), assessment.phase)];
        conditions.extend(unfinished.iter().cloned().map(Condition::StillWaiting));
        return Step::Finish(conditions);
    }
    let Some(first) = assessment.all_awaited().next() else {
        return Step::Finish(vec![Condition::Settled {
            ready_nodes: assessment.ready_nodes(),
        }]);
    };
    if journal.is_over(now) {
        let awaited = assessment.all_awaited().cloned();
        return Step::Finish(awaited.map(Condition::StillWaiting).collect());
    }
    // While all goes well, reasons change too quickly to be read.
    wait(Some(if journal.takes_long(now) {
        first.to_string()
    } else {
        first.progress()
    }))
}

#[cfg(test)]
mod tests;

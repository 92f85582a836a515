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
    /// Apply these, in this order, and look again.
    Apply(Vec<&'a Upsert>),
    /// Delete these, in this order, and look again.
    Delete(Vec<&'a Deletion>),
    /// Wait until something changes, and look again.
    Wait(Wait),
    /// End: this is how it stands.
    Finish(Vec<Condition>),
}

/// A wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wait {
    /// What is awaited, for the unit's status; `None` to leave that as it is.
    pub shown: Option<String>,
    /// How long to wait at most.
    pub pause: Duration,
}

/// Decides on the next step. `live` are the objects that were assessed, `now` the time since the
/// hook began.
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
    let of_use = || plan.upserts.iter().filter(|it| journal.may_apply(it, live));
    let upserts: Vec<_> = of_use()
        .filter(|it| assessment.gate.allows_upsert(it))
        .collect();
    if !upserts.is_empty() {
        return Step::Apply(upserts);
    }
    let is_complete = of_use().next().is_none();
    let deletions: Vec<_> = deletable()
        .filter(|it| is_complete && assessment.gate.allows_deletion(it))
        .collect();
    if !deletions.is_empty() {
        return Step::Delete(deletions);
    }
    wait_or_finish(assessment, journal, now)
}

/// Nothing can be changed now: is it done, does somebody have to act, or does it take time?
fn wait_or_finish<'a>(assessment: &Assessment, journal: &Journal, now: Duration) -> Step<'a> {
    let wait = |shown| {
        Step::Wait(Wait {
            shown,
            pause: journal.until_next_look(assessment.needs_polling, now),
        })
    };
    if let Some(fault) = &assessment.fault {
        // The control plane is finished nevertheless: pods are injected without the CNI.
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
    // What goes well passes through many reasons, too quickly to be read.
    wait(Some(if journal.takes_long(now) {
        first.to_string()
    } else {
        first.progress()
    }))
}

#[cfg(test)]
mod tests;

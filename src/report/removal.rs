//! What the log says about a removal. `juju status` shows nothing: the unit is going away.

use super::{LogLine, Outcome};
use crate::intent::Intent;
use crate::k8s::kind::{CUSTOM_RESOURCE_DEFINITION, KINDS};
use crate::k8s::labels;
use crate::observed::{DefinitionUse, Observed};
use crate::step::condition::Condition;
use crate::step::journal::Journal;

/// How a removal ended.
pub(super) fn log(intent: &Intent, outcome: &Outcome) -> Vec<LogLine> {
    let mut log = Vec::new();
    let observed = outcome.view.as_ref().map(|it| &it.observed);
    let is_done = outcome
        .conditions
        .iter()
        .all(|condition| matches!(condition, Condition::Settled { .. }));
    if is_done {
        if let Some(DefinitionUse::Used(by)) = observed.and_then(Observed::definition_use) {
            log.push(LogLine::Info(format!("Istio's definitions stay: {by}")));
        }
        let done = "everything this application made is removed".to_owned();
        log.push(LogLine::Info(done));
        return log;
    }
    for condition in &outcome.conditions {
        if let Some(why) = why(condition) {
            log.push(LogLine::Warning(format!(
                "the removal is not complete: {why}"
            )));
        }
    }
    let remaining = outcome.journal.iter().flat_map(Journal::remaining);
    log.extend(remaining.map(|id| LogLine::Warning(format!("not removed: {id}"))));
    log.push(LogLine::Warning(how_to_remove_the_rest(intent)));
    log
}

fn why(condition: &Condition) -> Option<String> {
    match condition {
        Condition::Refused(_, text) | Condition::Unreachable(text) => Some(text.clone()),
        Condition::StillWaiting(awaited) => Some(awaited.to_string()),
        Condition::Settled { .. }
        | Condition::InTheWay(_)
        | Condition::AgentFault(..)
        | Condition::Standby => None,
    }
}

fn how_to_remove_the_rest(intent: &Intent) -> String {
    let removable = KINDS
        .iter()
        .filter(|kind| **kind != CUSTOM_RESOURCE_DEFINITION);
    let kinds: Vec<_> = removable.map(|it| it.plural).collect();
    format!(
        "to remove the rest: kubectl delete {} --namespace {} --selector {}={},{}={}",
        kinds.join(","),
        intent.identity.namespace(),
        labels::INSTANCE,
        intent.identity.instance(),
        labels::MANAGED_BY,
        labels::MANAGED_BY_VALUE,
    )
}

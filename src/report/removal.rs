//! What the log says about a removal. `juju status` shows nothing: the unit is going away.

use super::{LogLine, Outcome};
use crate::intent::Intent;
use crate::k8s::kind::{KINDS, Kind, Wave};
use crate::k8s::labels;
use crate::k8s::object::ObjectId;
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
    let remaining = outcome.journal.as_ref().map_or(&[][..], Journal::remaining);
    let not_removed = remaining.iter().map(|id| format!("not removed: {id}"));
    log.extend(not_removed.map(LogLine::Warning));
    log.push(LogLine::Warning(how_to_remove_the_rest(intent, remaining)));
    log
}

fn why(condition: &Condition) -> Option<String> {
    match condition {
        Condition::Refused(_, text) | Condition::Unreachable(text) => Some(text.clone()),
        Condition::StillWaiting(awaited) => Some(awaited.to_string()),
        Condition::Settled { .. }
        | Condition::InTheWay(_)
        | Condition::TooFar(_)
        | Condition::AgentFault(..)
        | Condition::Standby => None,
    }
}

fn how_to_remove_the_rest(intent: &Intent, remaining: &[ObjectId]) -> String {
    let is_named = |kind: &&Kind| match kind.managed.map(|it| it.wave) {
        // Definitions belong to everybody.
        Some(Wave::Definitions) | None => false,
        // kubectl refuses the whole line where a kind is not defined.
        Some(wave) if wave.is_of_relations() => remaining.iter().any(|id| id.is(kind)),
        Some(_) => true,
    };
    let kinds = KINDS.iter().filter(is_named).map(kubectl_name);
    format!(
        "to remove the rest: kubectl delete {} --namespace {} --selector {}={},{}={}",
        kinds.collect::<Vec<_>>().join(","),
        intent.identity.namespace(),
        labels::INSTANCE,
        intent.identity.instance(),
        labels::PART_OF,
        labels::PART_OF_VALUE,
    )
}

/// What kubectl calls a kind. Istio's names stand in other API groups, too.
fn kubectl_name(kind: &Kind) -> String {
    match kind.managed.map(|it| it.wave) {
        Some(wave) if wave.is_of_relations() => format!("{}.{}", kind.plural, kind.group),
        _ => kind.plural.to_owned(),
    }
}

//! How far a workload's rollout is, by the rules of `kubectl rollout status`.

use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

use crate::object::Object;

/// The annotation of a pod template by which `kubectl rollout restart` restarts.
pub const RESTARTED_AT: &str = "kubectl.kubernetes.io/restartedAt";

/// How far a rollout is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Every pod is new and available.
    Done,
    /// It goes on.
    Moving {
        /// How far it is, for people.
        text: String,
        /// Rises as it goes on; it may fall again when a pod fails.
        score: i64,
    },
    /// It will not go on by itself; the text says why.
    Stuck(String),
}

/// The numbers by which the controllers of all kinds report a rollout.
struct Counts {
    wanted: i64,
    updated: i64,
    available: i64,
    old: i64,
}

/// How far the rollout of a Deployment, StatefulSet or DaemonSet is. Other kinds have none.
pub fn progress(live: &Object) -> Progress {
    let count = |pointer: &str| live.at(pointer).and_then(Value::as_i64);
    let status = |name: &str| count(&format!("/status/{name}")).unwrap_or(0);
    let replicas = || count("/spec/replicas").unwrap_or(1);
    let counts = match live.kind() {
        "Deployment" => Counts {
            wanted: replicas(),
            updated: status("updatedReplicas"),
            available: status("availableReplicas"),
            old: status("replicas") - status("updatedReplicas"),
        },
        "StatefulSet" => Counts {
            wanted: replicas(),
            updated: status("updatedReplicas"),
            available: status("availableReplicas"),
            old: 0,
        },
        "DaemonSet" => Counts {
            wanted: status("desiredNumberScheduled"),
            updated: status("updatedNumberScheduled"),
            available: status("numberAvailable"),
            old: 0,
        },
        _ => return Progress::Done,
    };
    if status("observedGeneration") < count("/metadata/generation").unwrap_or(0) {
        return Progress::Moving {
            text: "rollout not begun".to_owned(),
            score: i64::MIN,
        };
    }
    if let Some(message) = deadline_exceeded(live) {
        return Progress::Stuck(message);
    }
    let Counts {
        wanted,
        updated,
        available,
        old,
    } = counts;
    let revision = |name: &str| live.at(&format!("/status/{name}Revision"));
    let under_way = revision("current") != revision("update");
    if updated >= wanted && available >= wanted && old <= 0 && !under_way {
        return Progress::Done;
    }
    let left = match old {
        ..=0 => String::new(),
        old => format!(", {old} old left"),
    };
    Progress::Moving {
        text: format!("{updated}/{wanted} new, {available}/{wanted} available{left}"),
        score: updated + available - old,
    }
}

/// What a Deployment says when it did not move for its `progressDeadlineSeconds`.
fn deadline_exceeded(live: &Object) -> Option<String> {
    condition(live, |it| {
        it["type"] == "Progressing" && it["reason"] == "ProgressDeadlineExceeded"
    })
}

/// What a Deployment says when its pods are refused, as by a quota or a webhook.
pub fn refusal(live: &Object) -> Option<String> {
    condition(live, |it| {
        it["type"] == "ReplicaFailure" && it["status"] == "True"
    })
}

fn condition(live: &Object, wanted: impl Fn(&Value) -> bool) -> Option<String> {
    let conditions = live.at("/status/conditions")?.as_array()?;
    let found = conditions.iter().find(|it| wanted(it))?;
    let text = found["message"].as_str().or(found["reason"].as_str());
    text.map(str::to_owned)
}

/// Whether a restart at that time, or a later one, still stands in the pods' template. What keeps
/// a workload may set its template back.
pub fn is_restarted(live: &Object, at: Timestamp) -> bool {
    let annotations = live.at("/spec/template/metadata/annotations");
    let found = annotations.and_then(|it| it[RESTARTED_AT].as_str());
    let found = found.and_then(|it| it.parse::<Timestamp>().ok());
    found.is_some_and(|it| it.as_second() >= at.as_second())
}

/// The label selector of a workload's pods, as requests take it; `None` when it selects by nothing.
pub fn pod_selector(live: &Object) -> Option<String> {
    let labels = live
        .at("/spec/selector/matchLabels")
        .and_then(Value::as_object);
    let labels = labels
        .into_iter()
        .flatten()
        .filter_map(|(key, value)| Some(format!("{key}={}", value.as_str()?)));
    let expressions = live
        .at("/spec/selector/matchExpressions")
        .and_then(Value::as_array);
    let expressions = expressions.into_iter().flatten().filter_map(requirement);
    let all: Vec<_> = labels.chain(expressions).collect();
    (!all.is_empty()).then(|| all.join(","))
}

fn requirement(expression: &Value) -> Option<String> {
    let key = expression["key"].as_str()?;
    let values = expression["values"].as_array().into_iter().flatten();
    let values: Vec<_> = values.filter_map(Value::as_str).collect();
    let values = values.join(",");
    match expression["operator"].as_str()? {
        "In" => Some(format!("{key} in ({values})")),
        "NotIn" => Some(format!("{key} notin ({values})")),
        "Exists" => Some(key.to_owned()),
        "DoesNotExist" => Some(format!("!{key}")),
        _ => None,
    }
}

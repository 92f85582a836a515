//! How far a live object has come towards its specification.
//!
//! For workloads the rules are those of `kubectl rollout status`
//! (`pkg/polymorphichelpers/rollout_status.go` of k8s.io/kubectl 0.37).

use std::fmt;

use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

use super::kind::{DAEMON_SET, DEPLOYMENT, STATEFUL_SET};
use super::object::Object;

/// The annotation that `kubectl rollout restart` sets on a pod template.
pub const RESTARTED_AT: &str = "kubectl.kubernetes.io/restartedAt";

/// The text for a rollout that has not begun.
pub const NOT_BEGUN: &str = "rollout not begun";

/// How far the rollout of a workload is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Every pod is new and available.
    Done,
    /// The workload's controller has not seen the newest specification yet.
    NotBegun,
    /// The rollout is moving.
    Moving(Counts),
    /// The controller has given up waiting; the text says why.
    Stuck(Counts, String),
}

/// The numbers by which the controllers of all kinds report a rollout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Pods that the specification asks for.
    pub wanted: i64,
    /// Pods of the newest specification.
    pub updated: i64,
    /// Pods that are available, old ones included.
    pub available: i64,
    /// Pods of older specifications.
    pub old: i64,
}

impl Counts {
    /// How many new pods are certainly available.
    pub fn ready(&self) -> i64 {
        self.available.min(self.updated)
    }

    /// A measure of progress: rises while a rollout moves, and may fall when a pod fails.
    pub fn score(&self) -> i64 {
        self.updated + self.available - self.old
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            wanted,
            updated,
            available,
            old,
        } = self;
        write!(
            formatter,
            "{updated}/{wanted} new, {available}/{wanted} available"
        )?;
        if *old > 0 {
            write!(formatter, ", {old} old left")?;
        }
        Ok(())
    }
}

/// How far the rollout of a Deployment, StatefulSet or DaemonSet is. Other kinds have no rollout
/// and are done as soon as they exist.
pub fn progress(live: &Object) -> Progress {
    let Some(counts) = counts(live) else {
        return Progress::Done;
    };
    if !is_observed(live) {
        return Progress::NotBegun;
    }
    if let Some(message) = deadline_exceeded(live) {
        return Progress::Stuck(counts, message);
    }
    let revision = |name: &str| live.at(&format!("/status/{name}Revision"));
    let is_newest = revision("current") == revision("update");
    let Counts {
        wanted,
        updated,
        available,
        old,
    } = counts;
    if updated >= wanted && available >= wanted && old <= 0 && is_newest {
        return Progress::Done;
    }
    Progress::Moving(counts)
}

/// Whether every pod of a Deployment's newest specification has once been available, whatever has
/// become of them. The reason stays as it is until there is a newer one
/// (`pkg/controller/deployment/progress.go` of Kubernetes 1.37).
pub fn has_ever_completed(live: &Object) -> bool {
    let conditions = live.at("/status/conditions").and_then(Value::as_array);
    let mut conditions = conditions.into_iter().flatten();
    let reason = conditions.find(|it| it["type"] == "Progressing");
    is_observed(live) && reason.is_some_and(|it| it["reason"] == "NewReplicaSetAvailable")
}

fn counts(live: &Object) -> Option<Counts> {
    let status = |name: &str| number(live, &format!("/status/{name}")).unwrap_or(0);
    let replicas = || number(live, "/spec/replicas").unwrap_or(1);
    if live.is(&DAEMON_SET) {
        return Some(Counts {
            wanted: status("desiredNumberScheduled"),
            updated: status("updatedNumberScheduled"),
            available: status("numberAvailable"),
            old: 0,
        });
    }
    let is_deployment = live.is(&DEPLOYMENT);
    (is_deployment || live.is(&STATEFUL_SET)).then(|| Counts {
        wanted: replicas(),
        updated: status("updatedReplicas"),
        available: status("availableReplicas"),
        // A StatefulSet replaces its pods one by one and never has too many.
        old: if is_deployment {
            status("replicas") - status("updatedReplicas")
        } else {
            0
        },
    })
}

/// Whether the status is about the newest specification.
fn is_observed(live: &Object) -> bool {
    let generation = number(live, "/metadata/generation").unwrap_or(1);
    number(live, "/status/observedGeneration").unwrap_or(0) >= generation
}

fn number(live: &Object, pointer: &str) -> Option<i64> {
    live.at(pointer).and_then(Value::as_i64)
}

/// What a Deployment says when it has not moved for its `progressDeadlineSeconds`.
fn deadline_exceeded(live: &Object) -> Option<String> {
    let condition = condition(live, "Progressing")?;
    (condition["reason"] == "ProgressDeadlineExceeded").then(|| words(condition))?
}

/// What a Deployment says when its pods are refused, for example by a quota or a webhook.
pub fn refusal(live: &Object) -> Option<String> {
    let condition = condition(live, "ReplicaFailure")?;
    (condition["status"] == "True").then(|| words(condition))?
}

/// Whether the API server serves a custom resource definition.
pub fn is_established(definition: &Object) -> bool {
    condition(definition, "Established").is_some_and(|it| it["status"] == "True")
}

fn condition<'a>(live: &'a Object, kind: &str) -> Option<&'a Value> {
    let conditions = live.at("/status/conditions")?.as_array()?;
    conditions.iter().find(|it| it["type"] == kind)
}

fn words(condition: &Value) -> Option<String> {
    let text = condition["message"]
        .as_str()
        .or(condition["reason"].as_str());
    text.map(str::to_owned)
}

/// Whether the pods' template still shows a restart at that time, or a later one. The controller
/// that keeps a workload may set its template back.
pub fn is_restarted(live: &Object, at: Timestamp) -> bool {
    let annotations = live.at("/spec/template/metadata/annotations");
    let found = annotations.and_then(|it| it[RESTARTED_AT].as_str());
    let found = found.and_then(|it| it.parse::<Timestamp>().ok());
    found.is_some_and(|it| it.as_second() >= at.as_second())
}

/// How many nodes a DaemonSet serves, as its own status says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeCounts {
    /// Whether the numbers are about the newest specification.
    pub observed: bool,
    /// Nodes that should run it.
    pub desired: u32,
    /// Nodes that run the newest specification.
    pub updated: u32,
    /// Nodes on which it is ready.
    pub ready: u32,
}

impl NodeCounts {
    /// Reads a DaemonSet's numbers.
    pub fn of(daemon_set: &Object) -> Self {
        let count = |name: &str| {
            let count = number(daemon_set, &format!("/status/{name}")).unwrap_or(0);
            u32::try_from(count).unwrap_or(if count < 0 { 0 } else { u32::MAX })
        };
        Self {
            observed: is_observed(daemon_set),
            desired: count("desiredNumberScheduled"),
            updated: count("updatedNumberScheduled"),
            ready: count("numberReady"),
        }
    }

    /// Whether every node runs the newest specification and is ready.
    pub fn is_complete(&self) -> bool {
        self.observed && self.updated >= self.desired && self.ready >= self.desired
    }
}

#[cfg(test)]
mod tests;

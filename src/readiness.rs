//! Whether a live object has become what its specification says.

use serde_json::Value;

use crate::object::Object;

/// How far a live object is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// As specified.
    Ready,
    /// Not yet; the text says how far, for people.
    InProgress(String),
}

impl Readiness {
    /// Whether the object is as specified.
    pub fn is_ready(&self) -> bool {
        *self == Self::Ready
    }
}

/// How far a live object is; kinds without a rollout are ready as soon as they exist.
pub fn readiness(live: &Object) -> Readiness {
    match live.kind() {
        "CustomResourceDefinition" => definition(live),
        "Deployment" => deployment(live),
        _ => Readiness::Ready,
    }
}

fn definition(live: &Object) -> Readiness {
    let conditions = live.at("/status/conditions").and_then(Value::as_array);
    let is_true =
        |condition: &Value, kind: &str| condition["type"] == kind && condition["status"] == "True";
    if conditions
        .into_iter()
        .flatten()
        .any(|it| is_true(it, "Established"))
    {
        return Readiness::Ready;
    }
    Readiness::InProgress("not established yet".to_owned())
}

/// A Deployment is ready when its newest specification was seen, all its replicas run it, and as
/// many are available (the rules of `kubectl rollout status`).
fn deployment(live: &Object) -> Readiness {
    let count = |pointer: &str| live.at(pointer).and_then(Value::as_i64).unwrap_or(0);
    if count("/status/observedGeneration") < count("/metadata/generation") {
        return Readiness::InProgress("rollout not begun".to_owned());
    }
    let wanted = live
        .at("/spec/replicas")
        .and_then(Value::as_i64)
        .unwrap_or(1);
    let (updated, available) = (
        count("/status/updatedReplicas"),
        count("/status/availableReplicas"),
    );
    if updated < wanted || available < wanted || count("/status/replicas") > updated {
        let ready = available.min(updated);
        return Readiness::InProgress(format!("{ready}/{wanted} ready"));
    }
    Readiness::Ready
}

/// The numbers of a DaemonSet's rollout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DaemonSetCounts {
    /// Whether the numbers speak of the newest specification.
    pub observed: bool,
    /// Nodes that shall run it.
    pub desired: u32,
    /// Nodes that run the newest specification.
    pub updated: u32,
    /// Nodes on which it is ready.
    pub ready: u32,
}

/// Reads a DaemonSet's numbers.
pub fn daemon_set_counts(live: &Object) -> DaemonSetCounts {
    let count = |pointer: &str| live.at(pointer).and_then(Value::as_u64).unwrap_or(0);
    let small = |pointer: &str| u32::try_from(count(pointer)).unwrap_or(u32::MAX);
    DaemonSetCounts {
        observed: count("/status/observedGeneration") >= count("/metadata/generation").max(1),
        desired: small("/status/desiredNumberScheduled"),
        updated: small("/status/updatedNumberScheduled"),
        ready: small("/status/numberReady"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn object(kind: &str, rest: &Value) -> Object {
        let mut value = json!({
            "apiVersion": "apps/v1", "kind": kind, "metadata": {"name": "x", "generation": 2},
        });
        for (key, part) in rest.as_object().unwrap() {
            value[key] = part.clone();
        }
        Object::from_value(value).unwrap()
    }

    #[test]
    fn a_deployment_is_ready_when_all_replicas_run_the_newest_specification() {
        let status = |observed, updated, available, all| {
            readiness(&object(
                "Deployment",
                &json!({
                    "spec": {"replicas": 2},
                    "status": {
                        "observedGeneration": observed, "updatedReplicas": updated,
                        "availableReplicas": available, "replicas": all,
                    },
                }),
            ))
        };
        assert_eq!(status(2, 2, 2, 2), Readiness::Ready);
        assert_eq!(
            status(1, 2, 2, 2),
            Readiness::InProgress("rollout not begun".to_owned())
        );
        assert_eq!(
            status(2, 1, 2, 2),
            Readiness::InProgress("1/2 ready".to_owned())
        );
        assert_eq!(
            status(2, 2, 1, 2),
            Readiness::InProgress("1/2 ready".to_owned())
        );
        assert!(
            !status(2, 2, 2, 3).is_ready(),
            "an old replica is still there"
        );
    }

    #[test]
    fn a_definition_is_ready_once_established() {
        let established = |status: &str| {
            let conditions = json!([{"type": "Established", "status": status}]);
            let status = json!({"status": {"conditions": conditions}});
            readiness(&object("CustomResourceDefinition", &status)).is_ready()
        };
        assert!(established("True"));
        assert!(!established("False"));
        assert!(!readiness(&object("CustomResourceDefinition", &json!({}))).is_ready());
    }

    #[test]
    fn a_daemon_set_that_nobody_has_looked_at_yet_is_not_observed() {
        let counts = daemon_set_counts(&object("DaemonSet", &json!({})));
        assert!(!counts.observed);
        let seen = json!({"status": {
            "observedGeneration": 2, "desiredNumberScheduled": 3,
            "updatedNumberScheduled": 2, "numberReady": 1,
        }});
        let counts = daemon_set_counts(&object("DaemonSet", &seen));
        let expected = DaemonSetCounts {
            observed: true,
            desired: 3,
            updated: 2,
            ready: 1,
        };
        assert_eq!(counts, expected);
    }
}

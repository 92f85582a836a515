//! How far rollouts are, and of which pods.

use serde_json::{Value, json};

use super::*;

fn workload(kind: &str, spec: &Value, status: &Value) -> Object {
    Object::from_value(json!({
        "apiVersion": "apps/v1", "kind": kind,
        "metadata": {"name": "x", "namespace": "shop", "generation": 2},
        "spec": spec, "status": status,
    }))
    .unwrap()
}

fn far(kind: &str, spec: &Value, status: &Value) -> Progress {
    progress(&workload(kind, spec, status))
}

#[track_caller]
fn assert_moving(progress: &Progress, expected: &str) {
    let Progress::Moving(counts) = progress else {
        panic!("{progress:?}")
    };
    assert_eq!(counts.to_string(), expected);
}

#[test]
fn a_rollout_that_no_controller_has_seen_has_not_begun() {
    for kind in ["Deployment", "StatefulSet", "DaemonSet"] {
        let old = json!({
            "observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1,
            "desiredNumberScheduled": 1, "updatedNumberScheduled": 1, "numberAvailable": 1,
        });
        let seen = far(kind, &json!({"replicas": 1}), &old);
        assert_eq!(seen, Progress::NotBegun);
    }
}

#[test]
fn a_deployment_is_done_when_its_old_pods_are_gone_too() {
    let at = |all: i32, updated: i32, available: i32| {
        let status = json!({
            "observedGeneration": 2, "replicas": all, "updatedReplicas": updated,
            "availableReplicas": available,
        });
        far("Deployment", &json!({"replicas": 2}), &status)
    };
    assert_eq!(at(2, 2, 2), Progress::Done);
    assert_moving(&at(3, 2, 2), "2/2 new, 2/2 available, 1 old left");
    assert_moving(&at(2, 1, 2), "1/2 new, 2/2 available, 1 old left");
    assert_moving(&at(2, 2, 1), "2/2 new, 1/2 available");
    let none = json!({"observedGeneration": 2});
    let scaled_to_none = far("Deployment", &json!({"replicas": 0}), &none);
    assert_eq!(scaled_to_none, Progress::Done);
}

#[test]
fn the_score_of_a_rollout_rises_from_step_to_step() {
    let score = |all: i32, updated: i32, available: i32| {
        let status = json!({
            "observedGeneration": 2, "replicas": all, "updatedReplicas": updated,
            "availableReplicas": available,
        });
        match far("Deployment", &json!({"replicas": 3}), &status) {
            Progress::Moving(counts) => counts.score(),
            other => panic!("{other:?}"),
        }
    };
    let steps = [(4, 1, 3), (3, 1, 3), (4, 2, 3), (3, 2, 3), (4, 3, 3)];
    let scores: Vec<_> = steps.map(|(a, b, c)| score(a, b, c)).into();
    assert!(scores.is_sorted_by(|a, b| a < b), "{scores:?}");
}

#[test]
fn a_deployment_over_its_deadline_is_stuck() {
    let status = json!({
        "observedGeneration": 2, "replicas": 2, "updatedReplicas": 1, "availableReplicas": 1,
        "conditions": [
            {"type": "Available", "status": "True"},
            {
                "type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded",
                "message": "ReplicaSet \"x-1\" has timed out progressing.",
            },
            {
                "type": "ReplicaFailure", "status": "True", "reason": "FailedCreate",
                "message": "pods \"x-1-\" is forbidden: exceeded quota",
            },
        ],
    });
    let stuck = workload("Deployment", &json!({}), &status);
    let expected = "ReplicaSet \"x-1\" has timed out progressing.".to_owned();
    let counts = Counts {
        wanted: 1,
        updated: 1,
        available: 1,
        old: 1,
    };
    assert_eq!(progress(&stuck), Progress::Stuck(counts, expected));
    assert!(refusal(&stuck).unwrap().contains("exceeded quota"));
    let fine = workload("Deployment", &json!({}), &json!({}));
    assert_eq!(refusal(&fine), None);
}

#[test]
fn a_stateful_set_is_done_when_all_pods_have_its_newest_revision() {
    let at = |updated: i32, available: i32, current: &str| {
        let status = json!({
            "observedGeneration": 2, "updatedReplicas": updated, "availableReplicas": available,
            "currentRevision": current, "updateRevision": "db-2",
        });
        far("StatefulSet", &json!({"replicas": 3}), &status)
    };
    assert_eq!(at(3, 3, "db-2"), Progress::Done);
    assert_moving(&at(1, 2, "db-1"), "1/3 new, 2/3 available");
    assert_moving(&at(3, 2, "db-1"), "3/3 new, 2/3 available");
    assert_moving(&at(3, 3, "db-1"), "3/3 new, 3/3 available");
}

#[test]
fn a_daemon_set_is_done_when_every_node_has_a_new_pod() {
    let at = |updated: i32, available: i32| {
        let status = json!({
            "observedGeneration": 2, "desiredNumberScheduled": 3,
            "updatedNumberScheduled": updated, "numberAvailable": available,
        });
        far("DaemonSet", &json!({}), &status)
    };
    assert_eq!(at(3, 3), Progress::Done);
    assert_moving(&at(1, 2), "1/3 new, 2/3 available");
    assert_moving(&at(3, 2), "3/3 new, 2/3 available");
}

#[test]
fn a_restart_stands_until_the_template_is_set_back() {
    let at = "2026-11-23T20:00:00.7Z".parse().unwrap();
    let stands = |annotations: &Value| {
        let spec = json!({"template": {"metadata": {"annotations": annotations}}});
        is_restarted(&workload("Deployment", &spec, &json!({})), at)
    };
    let restarted = |at: &str| stands(&json!({"kubectl.kubernetes.io/restartedAt": at}));
    assert!(restarted("2026-11-23T20:00:00Z"));
    assert!(
        restarted("2026-11-23T22:00:01+02:00"),
        "a person did it again"
    );
    assert!(!restarted("2026-11-23T19:59:59Z"), "the last one");
    assert!(!stands(&json!({})));
    assert!(!stands(&Value::Null));
}

#[test]
fn new_pods_that_are_available_are_ready() {
    let ready = |updated, available| {
        Counts {
            wanted: 2,
            updated,
            available,
            old: 0,
        }
        .ready()
    };
    assert_eq!((ready(1, 2), ready(2, 1), ready(2, 2)), (1, 1, 2));
}

#[test]
fn other_kinds_are_done_as_soon_as_they_exist() {
    assert_eq!(far("ConfigMap", &json!({}), &json!({})), Progress::Done);
}

#[test]
fn a_definition_is_served_once_established() {
    let established = |status: &str| {
        let conditions = json!([{"type": "Established", "status": status}]);
        let status = json!({"conditions": conditions});
        is_established(&workload("CustomResourceDefinition", &json!({}), &status))
    };
    assert!(established("True"));
    assert!(!established("False"));
    let unseen = workload("CustomResourceDefinition", &json!({}), &json!({}));
    assert!(!is_established(&unseen));
}

#[test]
fn a_daemon_set_that_no_controller_has_seen_is_not_observed() {
    let counts = |status: Value| NodeCounts::of(&workload("DaemonSet", &json!({}), &status));
    assert!(!counts(json!({})).observed);
    let seen = counts(json!({
        "observedGeneration": 2, "desiredNumberScheduled": 3,
        "updatedNumberScheduled": 2, "numberReady": 1,
    }));
    let expected = NodeCounts {
        observed: true,
        desired: 3,
        updated: 2,
        ready: 1,
    };
    assert_eq!(seen, expected);
    assert!(!seen.is_complete());
}

#[test]
fn numbers_that_make_no_sense_do_no_harm() {
    let odd = json!({
        "observedGeneration": 2, "desiredNumberScheduled": -3, "numberReady": i64::MAX,
        "updatedNumberScheduled": "three",
    });
    let counts = NodeCounts::of(&workload("DaemonSet", &json!({}), &odd));
    assert_eq!(
        (counts.desired, counts.ready, counts.updated),
        (0, u32::MAX, 0)
    );
}

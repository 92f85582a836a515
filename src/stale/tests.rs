//! What is stale, and what may be restarted.

use serde_json::{Value, json};

use super::*;

mod workloads;

/// A pod as istiod leaves it: injected, running, kept by a ReplicaSet.
fn pod(name: &str, init_container: &str, proxy: &str) -> Value {
    let status = json!({
        "initContainers": [init_container, "istio-proxy"], "containers": null,
        "volumes": ["istio-envoy"], "imagePullSecrets": null, "revision": "default",
    });
    let image = format!("docker.io/istio/proxyv2:{proxy}");
    json!({
        "metadata": {
            "name": name, "namespace": "shop",
            "labels": {"app": "cart", "service.istio.io/canonical-name": "cart"},
            "annotations": {"sidecar.istio.io/status": status.to_string()},
            "ownerReferences": [owner("apps/v1", "ReplicaSet", "cart-7d9f")],
        },
        "spec": {
            "initContainers": [
                {"name": init_container, "image": image},
                {"name": "istio-proxy", "image": image, "restartPolicy": "Always"},
            ],
            "containers": [{"name": "app", "image": "example.test/cart:3"}],
        },
        "status": {"phase": "Running"},
    })
}

fn owner(api_version: &str, kind: &str, name: &str) -> Value {
    json!({
        "apiVersion": api_version, "kind": kind, "name": name, "uid": "u", "controller": true,
    })
}

fn changed(mut pod: Value, changes: &[(&str, Value)]) -> Value {
    for (pointer, value) in changes {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        pod.pointer_mut(parent).unwrap()[key] = value.clone();
    }
    pod
}

fn new_pods(injection: Injection) -> NewPods {
    NewPods {
        injection,
        proxy: IstioVersion::parse("1.31.1"),
    }
}

const ON: Injection = Injection::IstioValidation;
const OFF: Injection = Injection::IstioInit;

fn stale_pod(pod: &Value, injection: Injection) -> Option<StalePod> {
    let pod = serde_json::from_value(pod.clone()).unwrap();
    StalePod::of(&pod, &new_pods(injection))
}

/// The reasons in words; empty for a current pod.
fn why(pod: &Value, injection: Injection) -> String {
    let stale = stale_pod(pod, injection);
    let reasons = stale.iter().flat_map(|it| &it.reasons);
    reasons
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}

#[test]
fn a_pod_with_the_other_init_container_is_stale() {
    let init = pod("a", "istio-init", "1.31.1");
    let validation = pod("b", "istio-validation", "1.31.1");
    assert_eq!(why(&init, ON), "has istio-init");
    assert_eq!(why(&init, OFF), "");
    assert_eq!(why(&validation, OFF), "has istio-validation");
    assert_eq!(why(&validation, ON), "");
}

#[test]
fn a_pod_with_an_older_proxy_is_stale() {
    for (proxy, expected) in [
        ("1.29.2", "proxy 1.29.2"),
        ("1.31.0-distroless", "proxy 1.31.0"),
        ("1.31.1", ""),
        ("1.32.0", ""),
        ("nightly", ""),
    ] {
        assert_eq!(
            why(&pod("a", "istio-init", proxy), OFF),
            expected,
            "{proxy}"
        );
    }
    let both = pod("a", "istio-init", "1.29.2");
    assert_eq!(why(&both, ON), "has istio-init, proxy 1.29.2");
    // The proxy as an ordinary container, as on nodes before Kubernetes 1.33.
    let main = json!([
        {"name": "istio-proxy", "image": "r.test:5000/proxyv2:1.30.3@sha256:ab"}, {"name": "app"},
    ]);
    let ordinary = changed(
        pod("a", "istio-init", "1.31.1"),
        &[
            ("/spec/containers", main),
            ("/spec/initContainers", json!([{"name": "istio-init"}])),
        ],
    );
    assert_eq!(why(&ordinary, OFF), "proxy 1.30.3");
}

#[test]
fn nothing_is_older_than_an_image_without_a_version() {
    let pod = serde_json::from_value(pod("a", "istio-init", "1.29.2")).unwrap();
    let new_pods = NewPods {
        injection: OFF,
        proxy: None,
    };
    assert_eq!(StalePod::of(&pod, &new_pods), None);
}

#[test]
fn a_pod_whose_validation_failed_is_stale_in_either_state() {
    let with = |state: &Value| {
        let mut status = json!({
            "name": "istio-validation", "ready": false, "restartCount": 3, "image": "i",
            "imageID": "",
        });
        for (key, value) in state.as_object().unwrap() {
            status[key] = value.clone();
        }
        changed(
            pod("a", "istio-validation", "1.31.1"),
            &[(
                "/status",
                json!({"phase": "Pending", "initContainerStatuses": [status]}),
            )],
        )
    };
    let ended = |code: i32| json!({"terminated": {"exitCode": code}});
    let looping = with(&json!({"state": {"waiting": {}}, "lastState": ended(126)}));
    assert_eq!(why(&looping, ON), "istio-validation failed (exit code 126)");
    let expected = "istio-validation failed (exit code 126), has istio-validation";
    assert_eq!(why(&looping, OFF), expected);
    let failed = with(&json!({"state": ended(1)}));
    assert_eq!(why(&failed, ON), "istio-validation failed (exit code 1)");
    // It failed once, and then passed: the repair controller repairs pods that way.
    let repaired = with(&json!({"state": ended(0), "lastState": ended(126)}));
    assert_eq!(why(&repaired, ON), "");
    let waiting = with(&json!({"state": {"waiting": {"reason": "PodInitializing"}}}));
    assert_eq!(why(&waiting, ON), "");
    // A pod that is not restarted has failed altogether.
    let over = changed(failed, &[("/status/phase", json!("Failed"))]);
    assert_eq!(why(&over, OFF), "istio-validation failed (exit code 1)");
}

#[test]
fn pods_that_are_not_of_this_control_plane_do_not_count() {
    let stale = pod("a", "istio-init", "1.29.2");
    let revision = |revision: &Value| {
        let status = json!({"initContainers": ["istio-init"], "revision": revision}).to_string();
        let annotations = json!({"sidecar.istio.io/status": status});
        changed(stale.clone(), &[("/metadata/annotations", annotations)])
    };
    assert_ne!(why(&revision(&json!("default")), ON), "");
    assert_ne!(why(&revision(&Value::Null), ON), "", "before Istio 1.10");
    assert_eq!(why(&revision(&json!("canary")), ON), "");
    let plain = changed(stale.clone(), &[("/metadata/annotations", json!({}))]);
    assert_eq!(why(&plain, ON), "");
    let no_proxy = changed(
        stale,
        &[("/spec/initContainers", json!([{"name": "istio-init"}]))],
    );
    assert_eq!(why(&no_proxy, ON), "");
}

#[test]
fn pods_that_end_do_not_count() {
    let stale = pod("a", "istio-init", "1.29.2");
    for phase in ["Succeeded", "Failed"] {
        let over = changed(stale.clone(), &[("/status/phase", json!(phase))]);
        assert_eq!(why(&over, ON), "", "{phase}");
    }
    let leaving = json!("2026-01-01T00:00:00Z");
    let leaving = changed(stale, &[("/metadata/deletionTimestamp", leaving)]);
    assert_eq!(why(&leaving, ON), "");
}

#[test]
fn a_proxy_that_the_pod_itself_asks_for_is_not_older() {
    let mut pinned = pod("a", "istio-init", "1.29.2");
    pinned["metadata"]["annotations"]["sidecar.istio.io/proxyImage"] = json!("proxyv2:1.29.2");
    assert_eq!(why(&pinned, OFF), "");
    assert_eq!(why(&pinned, ON), "has istio-init");
}

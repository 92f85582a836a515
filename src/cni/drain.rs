//! Which pods still need the node agent after injection has gone back to `istio-init`.

use k8s_openapi::api::core::v1::{ContainerState, ContainerStatus, Pod};

use crate::istio::ISTIO_VALIDATION;

/// Whether a pod still waits for `istio-validation`, and so needs the plugin on its node.
///
/// A pod whose `istio-validation` has ended, successfully or not, no longer needs it: its sandbox
/// exists. A pod that is being deleted does not need it either.
pub fn needs_agent(pod: &Pod) -> bool {
    if pod.metadata.deletion_timestamp.is_some() {
        return false;
    }
    let spec = pod.spec.as_ref();
    let declared = spec
        .and_then(|it| it.init_containers.as_ref())
        .into_iter()
        .flatten();
    if !declared.into_iter().any(|it| it.name == ISTIO_VALIDATION) {
        return false;
    }
    let status = pod.status.as_ref();
    if status
        .and_then(|it| it.phase.as_deref())
        .is_some_and(|phase| phase != "Pending")
    {
        return false;
    }
    let statuses = status
        .and_then(|it| it.init_container_statuses.as_ref())
        .into_iter()
        .flatten();
    !statuses
        .into_iter()
        .any(|status| status.name == ISTIO_VALIDATION && has_ended(status))
}

fn has_ended(status: &ContainerStatus) -> bool {
    is_terminated(status.state.as_ref()) || is_terminated(status.last_state.as_ref())
}

fn is_terminated(state: Option<&ContainerState>) -> bool {
    state.is_some_and(|it| it.terminated.is_some())
}

/// A pod's namespace and name, as people write them.
pub fn pod_name(pod: &Pod) -> String {
    let namespace = pod.metadata.namespace.as_deref().unwrap_or("default");
    format!(
        "{namespace}/{}",
        pod.metadata.name.as_deref().unwrap_or("(unnamed)")
    )
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn pod(status: &Value) -> Pod {
        serde_json::from_value(json!({
            "metadata": {"name": "a", "namespace": "shop"},
            "spec": {
                "containers": [{"name": "app"}],
                "initContainers": [{"name": "istio-validation"}],
            },
            "status": status,
        }))
        .unwrap()
    }

    fn with_validation(state: &Value) -> Pod {
        let mut status = json!({
            "name": "istio-validation", "ready": false, "restartCount": 0,
            "image": "i", "imageID": "",
        });
        for (key, value) in state.as_object().unwrap() {
            status[key] = value.clone();
        }
        pod(&json!({"phase": "Pending", "initContainerStatuses": [status]}))
    }

    #[test]
    fn a_pod_counts_until_its_validation_has_ended() {
        assert!(
            needs_agent(&pod(&json!({"phase": "Pending"}))),
            "not even scheduled"
        );
        assert!(needs_agent(&with_validation(
            &json!({"state": {"waiting": {}}})
        )));
        assert!(needs_agent(&with_validation(
            &json!({"state": {"running": {}}})
        )));
        let ended = |code: i32| json!({"terminated": {"exitCode": code}});
        assert!(!needs_agent(&with_validation(&json!({"state": ended(0)}))));
        assert!(!needs_agent(&with_validation(
            &json!({"state": ended(126)})
        )));
        let looping = json!({"state": {"waiting": {}}, "lastState": ended(126)});
        assert!(
            !needs_agent(&with_validation(&looping)),
            "failed before: stale, not draining"
        );
    }

    #[test]
    fn pods_without_validation_or_past_pending_do_not_count() {
        assert!(!needs_agent(&pod(&json!({"phase": "Running"}))));
        assert!(!needs_agent(&pod(&json!({"phase": "Failed"}))));
        let mut plain = pod(&json!({"phase": "Pending"}));
        plain.spec.as_mut().unwrap().init_containers = None;
        assert!(!needs_agent(&plain));
        let mut leaving = pod(&json!({"phase": "Pending"}));
        leaving.metadata.deletion_timestamp =
            Some(serde_json::from_value(json!("2026-01-01T00:00:00Z")).unwrap());
        assert!(!needs_agent(&leaving));
    }
}

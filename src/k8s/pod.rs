//! Facts that can be read from a pod, and from the events about it.

use k8s_openapi::api::core::v1::{
    ContainerState, ContainerStateTerminated, ContainerStatus, Event, Pod,
};

use crate::text::last_message;

/// Whether the pod's condition `Ready` is true.
pub fn is_ready(pod: &Pod) -> bool {
    condition(pod, "Ready").is_some_and(|(status, _)| status == "True")
}

/// The node that the pod runs on, or that a DaemonSet's pod is meant for.
pub fn node(pod: &Pod) -> Option<&str> {
    let spec = pod.spec.as_ref()?;
    spec.node_name
        .as_deref()
        .filter(|it| !it.is_empty())
        .or_else(|| {
            // The DaemonSet controller binds a pod to its node with an affinity on metadata.name.
            let affinity = spec.affinity.as_ref()?.node_affinity.as_ref()?;
            let required = affinity
                .required_during_scheduling_ignored_during_execution
                .as_ref()?;
            let fields = required
                .node_selector_terms
                .iter()
                .flat_map(|it| &it.match_fields);
            let name = fields.flatten().find(|it| it.key == "metadata.name")?;
            name.values.as_ref()?.first().map(String::as_str)
        })
}

/// The events about this very object that have the given reason.
pub fn events_about<'a>(
    uid: Option<&'a str>,
    reason: &'a str,
    events: &'a [Event],
) -> impl Iterator<Item = &'a Event> {
    events
        .iter()
        .filter(move |event| uid.is_some() && event.involved_object.uid.as_deref() == uid)
        .filter(move |it| it.reason.as_deref() == Some(reason))
}

/// What kubelet says about volumes that cannot be mounted, while that holds up the pod.
///
/// Such an event stays for an hour. Containers begin only after all volumes are mounted, so the
/// events of a pod whose containers have begun are out of date.
pub fn failed_mounts<'a>(pod: &'a Pod, events: &'a [Event]) -> impl Iterator<Item = &'a str> {
    let uid = pod.metadata.uid.as_deref();
    let begun = statuses(pod).any(has_begun);
    events_about(uid, "FailedMount", events)
        .filter_map(|it| it.message.as_deref())
        .filter(move |_| !begun)
}

/// Whether kubelet has begun with the container: it pulls the image, or is further.
fn has_begun(status: &ContainerStatus) -> bool {
    let waits = |state: &ContainerState| {
        let waiting = state.waiting.as_ref();
        waiting.is_some_and(|it| it.reason.as_deref().is_none_or(is_before_containers))
    };
    let state = status.state.as_ref();
    let exists = state.is_some_and(|it| *it != ContainerState::default());
    exists && !state.is_some_and(waits)
}

/// Whether kubelet gives this reason for a container that it has not begun with.
fn is_before_containers(reason: &str) -> bool {
    matches!(reason, "ContainerCreating" | "PodInitializing")
}

/// The reason for a pod that runs and shows no fault.
pub const NOT_READY: &str = "running, not ready";

/// Why a pod is not ready, in words.
///
/// The most telling reason comes first: a container's image that cannot be pulled or its crash
/// loop, then a mount that fails, then the scheduler's message.
pub fn why_not_ready(pod: &Pod, events: &[Event]) -> String {
    if let Some(reason) = container_failure(pod) {
        return reason;
    }
    if let Some(message) = failed_mounts(pod, events).next() {
        return message.to_owned();
    }
    match condition(pod, "PodScheduled") {
        Some(("False", message)) => {
            format!("not scheduled: {}", message.unwrap_or("no reason given"))
        }
        None => "not scheduled yet".to_owned(),
        Some(_) if statuses(pod).any(is_running) => NOT_READY.to_owned(),
        Some(_) => statuses(pod)
            .find_map(ended)
            .unwrap_or_else(|| "starting".to_owned()),
    }
}

/// Why a container does not run although kubelet tries to start it, in words: an image that cannot
/// be pulled, a crash loop. `None` for a pod that is still starting.
pub fn container_failure(pod: &Pod) -> Option<String> {
    statuses(pod).find_map(waiting_reason)
}

/// The name of a container that keeps crashing, while the pod does not say why. Its log may.
pub fn unexplained_crash(pod: &Pod) -> Option<&str> {
    let crashing = statuses(pod).find(|it| is_crashing(it))?;
    let message = &crashing.last_state.as_ref()?.terminated.as_ref()?.message;
    message.is_none().then_some(crashing.name.as_str())
}

/// Notes what a container that keeps crashing wrote last, where a pod would say it itself: in the
/// message of its last end. Empty when that is not known.
pub fn explain_crash(pod: &mut Pod, container: &str, words: &str) {
    let status = pod.status.iter_mut();
    let statuses = status.flat_map(|it| {
        let init = it.init_container_statuses.iter_mut();
        init.chain(it.container_statuses.iter_mut()).flatten()
    });
    for status in statuses.filter(|it| it.name == container) {
        let last = status.last_state.as_mut();
        if let Some(ended) = last.and_then(|it| it.terminated.as_mut()) {
            ended.message = Some(words.to_owned());
        }
    }
}

fn is_crashing(status: &ContainerStatus) -> bool {
    let waiting = status.state.as_ref().and_then(|it| it.waiting.as_ref());
    waiting.and_then(|it| it.reason.as_deref()) == Some(CRASHING)
}

/// Why a container waits that kubelet starts again, a little later each time.
const CRASHING: &str = "CrashLoopBackOff";

/// Whether all containers have ended for good, as those of an evicted pod have.
pub fn has_ended(pod: &Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|it| it.phase.as_deref());
    matches!(phase, Some("Failed" | "Succeeded"))
}

/// The image of a container, by name.
pub fn image<'a>(pod: &'a Pod, container: &str) -> Option<&'a str> {
    let containers = &pod.spec.as_ref()?.containers;
    containers
        .iter()
        .find(|it| it.name == container)?
        .image
        .as_deref()
}

fn condition<'a>(pod: &'a Pod, kind: &str) -> Option<(&'a str, Option<&'a str>)> {
    let conditions = pod.status.as_ref()?.conditions.as_ref()?;
    let found = conditions.iter().find(|it| it.type_ == kind)?;
    Some((found.status.as_str(), found.message.as_deref()))
}

fn statuses(pod: &Pod) -> impl Iterator<Item = &ContainerStatus> {
    let status = pod.status.as_ref();
    let init = status.and_then(|it| it.init_container_statuses.as_ref());
    let main = status.and_then(|it| it.container_statuses.as_ref());
    init.into_iter().flatten().chain(main.into_iter().flatten())
}

fn waiting_reason(status: &ContainerStatus) -> Option<String> {
    let waiting = status.state.as_ref()?.waiting.as_ref()?;
    let reason = waiting.reason.as_deref()?;
    if is_before_containers(reason) {
        return None;
    }
    let message = waiting.message.as_deref();
    let ended = status.last_state.as_ref();
    let ended = ended.and_then(|it| it.terminated.as_ref());
    Some(match (reason, ended, message) {
        (CRASHING, Some(ended), _) => {
            format!("container {} keeps crashing {}", status.name, how(ended))
        }
        (_, _, Some(message)) => format!("{reason}: {message}"),
        _ => format!("{reason} ({})", status.image),
    })
}

fn is_running(status: &ContainerStatus) -> bool {
    status.state.as_ref().is_some_and(|it| it.running.is_some())
}

/// How a container ended that has not begun again.
fn ended(status: &ContainerStatus) -> Option<String> {
    let ended = status.state.as_ref()?.terminated.as_ref()?;
    Some(format!("container {} ended {}", status.name, how(ended)))
}

/// The exit code, and what the container wrote last where that is known.
fn how(ended: &ContainerStateTerminated) -> String {
    let words = last_message(ended.message.as_deref().unwrap_or_default());
    let colon = if words.is_empty() { "" } else { ": " };
    format!("(exit code {}){colon}{words}", ended.exit_code)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn pod(status: &Value) -> Pod {
        let mut container = json!({
            "name": "install-cni", "image": "example.test/cni:1", "imageID": "", "ready": false,
            "restartCount": 0,
        });
        for (key, value) in status.as_object().unwrap() {
            container[key] = value.clone();
        }
        serde_json::from_value(json!({
            "metadata": {"name": "agent", "uid": "uid"},
            "status": {
                "conditions": [{"type": "PodScheduled", "status": "True"}],
                "containerStatuses": [container],
            },
        }))
        .unwrap()
    }

    fn why(status: &Value) -> String {
        let event = json!({
            "metadata": {}, "involvedObject": {"uid": "uid"}, "reason": "FailedMount",
            "message": "no such directory",
        });
        why_not_ready(&pod(status), &[serde_json::from_value(event).unwrap()])
    }

    #[test]
    fn a_container_says_more_than_an_event() {
        let waiting = |reason: &str, message: Value| {
            let waiting = json!({"reason": reason, "message": message});
            json!({
                "state": {"waiting": waiting}, "lastState": {"terminated": {"exitCode": 2}},
            })
        };
        let pull = waiting("ImagePullBackOff", json!("Back-off pulling image \"i\""));
        assert_eq!(why(&pull), "ImagePullBackOff: Back-off pulling image \"i\"");
        let crash = waiting("CrashLoopBackOff", json!("back-off 40s"));
        assert_eq!(
            why(&crash),
            "container install-cni keeps crashing (exit code 2)"
        );
        let error = waiting("CreateContainerConfigError", Value::Null);
        assert_eq!(
            why(&error),
            "CreateContainerConfigError (example.test/cni:1)"
        );
    }

    #[test]
    fn a_mount_that_failed_counts_until_containers_begin() {
        let creating = json!({"state": {"waiting": {"reason": "ContainerCreating"}}});
        assert_eq!(why(&creating), "no such directory");
        assert_eq!(why(&json!({})), "no such directory");
        assert_eq!(why(&json!({"state": {"running": {}}})), NOT_READY);
        let ended = json!({"state": {"terminated": {"exitCode": 1}}});
        assert_eq!(why(&ended), "container install-cni ended (exit code 1)");
    }
}

//! Facts that can be read off a pod, and off its node.

use k8s_openapi::api::core::v1::{ContainerState, ContainerStatus, Event, Node, Pod};

/// Whether the pod's condition `Ready` is true.
pub fn is_ready(pod: &Pod) -> bool {
    condition(pod, "Ready").is_some_and(|(status, _)| status == "True")
}

/// The node the pod runs on, or for a DaemonSet's pod shall run on.
pub fn node(pod: &Pod) -> Option<&str> {
    let spec = pod.spec.as_ref()?;
    spec.node_name
        .as_deref()
        .filter(|it| !it.is_empty())
        .or_else(|| {
            // The DaemonSet controller binds a pod to its node by an affinity on metadata.name.
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

/// Whether the node's condition `Ready` is true.
pub fn is_node_ready(node: &Node) -> bool {
    let conditions = node.status.as_ref().and_then(|it| it.conditions.as_ref());
    conditions
        .into_iter()
        .flatten()
        .any(|it| it.type_ == "Ready" && it.status == "True")
}

/// The events about exactly this pod.
pub fn events_of<'a>(pod: &'a Pod, events: &'a [Event]) -> impl Iterator<Item = &'a Event> {
    let uid = pod.metadata.uid.as_deref();
    events
        .iter()
        .filter(move |it| uid.is_some() && it.involved_object.uid.as_deref() == uid)
}

/// The reason of a pod that runs and has nothing to say.
pub const NOT_READY: &str = "running, not ready";

/// In words, why a pod is not ready.
///
/// The container that says most comes first: an image that cannot be pulled, a crash loop, then a
/// mount that fails, then where the pod waits to be scheduled.
pub fn why_not_ready(pod: &Pod, events: &[Event]) -> String {
    if let Some(reason) = statuses(pod).find_map(container_fault) {
        return reason;
    }
    let failed_mount = events_of(pod, events)
        .filter(|event| event.reason.as_deref() == Some("FailedMount"))
        .find_map(|event| event.message.clone());
    if let Some(message) = failed_mount {
        return message;
    }
    match condition(pod, "PodScheduled") {
        Some(("False", message)) => {
            format!("not scheduled: {}", message.unwrap_or("no reason given"))
        }
        None => "not scheduled yet".to_owned(),
        Some(_) => match statuses(pod).next() {
            None => "starting".to_owned(),
            Some(_) => NOT_READY.to_owned(),
        },
    }
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

fn container_fault(status: &ContainerStatus) -> Option<String> {
    let waiting = status.state.as_ref()?.waiting.as_ref()?;
    let reason = waiting.reason.as_deref()?;
    if matches!(reason, "ContainerCreating" | "PodInitializing") {
        return None;
    }
    let message = waiting.message.as_deref();
    let ended = status.last_state.as_ref().and_then(exit_code);
    Some(match (reason, ended, message) {
        ("CrashLoopBackOff", Some(code), _) => {
            format!(
                "container {} keeps crashing (exit code {code})",
                status.name
            )
        }
        (_, _, Some(message)) => format!("{reason}: {message}"),
        _ => format!("{reason} ({})", status.image),
    })
}

fn exit_code(state: &ContainerState) -> Option<i32> {
    Some(state.terminated.as_ref()?.exit_code)
}

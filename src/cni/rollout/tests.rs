use serde_json::{Value, json};

use super::*;

struct World {
    generation: u32,
    desired: u32,
    /// How many pods the DaemonSet's controller counts as new.
    updated: usize,
    pods: Vec<Pod>,
    nodes: Vec<Node>,
    events: Vec<Event>,
    pod_security: Option<&'static str>,
}

impl World {
    fn judge(&self) -> Rollout {
        let daemon_set = Object::from_value(json!({
            "apiVersion": "apps/v1", "kind": "DaemonSet",
            "metadata": {"name": "istio-cni-node", "generation": self.generation, "uid": "ds"},
            "status": {
                "observedGeneration": 1, "desiredNumberScheduled": self.desired,
                "updatedNumberScheduled": self.updated,
                "numberReady": self.pods.iter().filter(|it| pod::is_ready(it)).count(),
            },
        }))
        .unwrap();
        rollout(RolloutFacts {
            daemon_set: &daemon_set,
            pods: &self.pods,
            nodes: &self.nodes,
            events: &self.events,
            pod_security: self.pod_security,
        })
    }
}

fn of<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

fn node(name: &str, ready: &str) -> Node {
    of(json!({
        "metadata": {"name": name},
        "status": {"conditions": [{"type": "Ready", "status": ready}]},
    }))
}

fn pod(node: &str, ready: &str) -> Pod {
    of(json!({
        "metadata": {"name": format!("agent-{node}"), "uid": format!("uid-{node}")},
        "spec": {"nodeName": node, "containers": []},
        "status": {"conditions": [
            {"type": "PodScheduled", "status": "True"}, {"type": "Ready", "status": ready},
        ]},
    }))
}

fn event(uid: &str, reason: &str, message: &str) -> Event {
    of(json!({
        "metadata": {}, "involvedObject": {"uid": uid}, "reason": reason, "message": message,
    }))
}

fn three_nodes() -> World {
    World {
        generation: 1,
        desired: 3,
        updated: 3,
        pods: ["a", "b", "c"].map(|it| pod(it, "True")).into(),
        nodes: ["a", "b", "c"].map(|it| node(it, "True")).into(),
        events: Vec::new(),
        pod_security: None,
    }
}

#[test]
fn all_pods_ready_is_ready() {
    let rollout = three_nodes().judge();
    assert!(
        rollout.ready && rollout.held_by.is_empty() && rollout.fault.is_none(),
        "{rollout:?}"
    );
}

#[test]
fn a_pod_that_is_not_ready_holds_unless_its_node_is_not_ready() {
    let mut world = three_nodes();
    world.pods[1] = pod("b", "False");
    let rollout = world.judge();
    assert!(!rollout.ready);
    assert_eq!(rollout.held_by.keys().collect::<Vec<_>>(), ["b"]);
    world.nodes[1] = node("b", "Unknown");
    assert!(world.judge().ready);
}

#[test]
fn a_cordoned_ready_node_holds() {
    let mut world = three_nodes();
    world.pods[2] = pod("c", "False");
    world.nodes[2].spec = Some(of(json!({"unschedulable": true})));
    assert!(!world.judge().ready);
}

#[test]
fn pods_that_are_still_to_be_made_hold() {
    let mut world = three_nodes();
    world.pods.pop();
    assert!(!world.judge().ready);
    // Nodes that the controller leaves out are not desired.
    world.desired = 2;
    assert!(world.judge().ready);
}

#[test]
fn a_controller_that_has_not_seen_the_newest_specification_or_keeps_old_pods_holds() {
    let mut unseen = three_nodes();
    unseen.generation = 2;
    assert!(!unseen.judge().ready);
    let mut old = three_nodes();
    old.updated = 2;
    assert!(!old.judge().ready);
}

#[test]
fn a_pod_without_a_node_yet_is_known_by_its_affinity() {
    let mut world = three_nodes();
    world.pods[0] = of(json!({
        "metadata": {"name": "agent-a", "uid": "uid-a"},
        "spec": {"containers": [], "affinity": {"nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
                {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["a"]}]},
            ]},
        }}},
        "status": {"conditions": [{
            "type": "PodScheduled", "status": "False", "message": "Too many pods",
        }]},
    }));
    let held = world.judge().held_by;
    assert_eq!(
        held.get("a").map(String::as_str),
        Some("not scheduled: Too many pods")
    );
    world.nodes[0] = node("a", "False");
    assert!(world.judge().ready);
}

/// What kubelet says of `/no/such/bin`, in Kubernetes 1.32 and 1.37.
const MISSING: [&str; 3] = [
    "MountVolume.SetUp failed for volume \"cni-bin-dir\" : hostPath type check failed: \
     /no/such/bin is not a directory",
    "MountVolume.SetUp failed for volume \"cni-bin-dir\" : hostPath type check failed, \
     /no/such/bin is not a directory, unable to determine its type: path \"/no/such/bin\" does \
     not exist",
    "MountVolume.SetUp failed for volume \"cni-bin-dir\" : hostPath type check failed: \
     /no/such/bin is not a directory, it's a File",
];

#[test]
fn a_missing_directory_is_a_fault_with_paths_and_nodes() {
    for message in MISSING {
        let mut world = three_nodes();
        for (index, name) in [(0, "a"), (2, "c")] {
            world.pods[index] = pod(name, "False");
            world
                .events
                .push(event(&format!("uid-{name}"), "FailedMount", message));
        }
        // An event of a pod that has gone says nothing.
        world.events.push(event("uid-gone", "FailedMount", message));
        let expected = AgentFault::PathMissing {
            paths: ["/no/such/bin".to_owned()].into(),
            nodes: ["a".to_owned(), "c".to_owned()].into(),
        };
        assert_eq!(world.judge().fault, Some(expected), "{message}");
        world.pods = three_nodes().pods;
        assert_eq!(
            world.judge().fault,
            None,
            "pods that are ready now have no fault"
        );
    }
}

#[test]
fn pod_security_is_a_fault_while_pods_are_missing() {
    let mut world = three_nodes();
    let message = "Error creating: pods \"istio-cni-node-\" is forbidden: violates PodSecurity \
                   \"baseline:latest\": hostPath volumes";
    world.events.push(event("ds", "FailedCreate", message));
    assert_eq!(world.judge().fault, None);
    world.pods.clear();
    assert_eq!(
        world.judge().fault,
        Some(AgentFault::Refused(PodRefusal::PodSecurity))
    );
    world.pod_security = Some("restricted");
    assert_eq!(
        world.judge().fault,
        Some(AgentFault::Refused(PodRefusal::PodSecurity))
    );
    world.pod_security = Some("privileged");
    assert_eq!(world.judge().fault, None, "the event is from before");
}

#[test]
fn the_last_event_is_the_one_that_happened_last() {
    let mut world = three_nodes();
    world.pods.clear();
    let at = |time: &str, message: &str| {
        let mut event = event("ds", "FailedCreate", message);
        event.last_timestamp = of(json!(time));
        event
    };
    // They come by name.
    world.events = vec![
        at("2026-01-01T00:00:02Z", "exceeded quota: second"),
        at("2026-01-01T00:00:01Z", "exceeded quota: first"),
    ];
    let refusal = world.judge().refusal;
    assert_eq!(refusal.as_deref(), Some("exceeded quota: second"));
    world.events[1].series = of(json!({"lastObservedTime": "2026-01-01T00:00:03.000000Z"}));
    let refusal = world.judge().refusal;
    assert_eq!(refusal.as_deref(), Some("exceeded quota: first"));
}

#[test]
fn the_reason_comes_from_the_container_that_fails() {
    let mut world = three_nodes();
    let mut failing = pod("a", "False");
    failing.status.as_mut().unwrap().container_statuses = of(json!([{
        "name": "install-cni", "image": "i", "imageID": "", "ready": false, "restartCount": 3,
        "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 40s"}},
        "lastState": {"terminated": {"exitCode": 2}},
    }]));
    world.pods[0] = failing;
    let held = world.judge().held_by;
    assert_eq!(
        held["a"],
        "container install-cni keeps crashing (exit code 2)"
    );
}

#[test]
fn a_pod_that_runs_and_is_not_ready_is_one_to_ask() {
    let mut world = three_nodes();
    assert_eq!(world.judge().running, BTreeMap::new());
    let mut running = pod("b", "False");
    running.status.as_mut().unwrap().container_statuses = of(json!([{
        "name": "install-cni", "image": "i", "imageID": "", "ready": false, "restartCount": 0,
        "state": {"running": {}},
    }]));
    world.pods[1] = running;
    let expected = [("b".to_owned(), "agent-b".to_owned())].into();
    assert_eq!(world.judge().running, expected);
    let log = "warn install Istio CNI is configured as chained plugin, but cannot find existing \
               CNI network config: no networks found in /host/etc/cni/net.d";
    assert!(waits_for_configuration(log));
    assert!(!waits_for_configuration(
        "info install Wrote CNI config to /host/etc/cni/net.d/x"
    ));
}

#[test]
fn a_node_that_has_gone_does_not_hold() {
    let mut world = three_nodes();
    world.pods[1] = pod("b", "False");
    world.nodes.remove(1);
    world.desired = 2;
    assert!(world.judge().ready, "its pod is left until it is collected");
}

#[test]
fn a_mount_that_failed_before_the_containers_began_is_no_fault() {
    let message = "hostPath type check failed: /no/such/bin is not a directory";
    let mut world = three_nodes();
    let mut crashing = pod("a", "False");
    crashing.status.as_mut().unwrap().container_statuses = of(json!([{
        "name": "install-cni", "image": "i", "imageID": "", "ready": false, "restartCount": 1,
        "state": {"waiting": {"reason": "CrashLoopBackOff"}},
        "lastState": {"terminated": {"exitCode": 1}},
    }]));
    world.pods[0] = crashing;
    world.events.push(event("uid-a", "FailedMount", message));
    assert_eq!(world.judge().fault, None, "the directory is there by now");
}

#[test]
fn what_refuses_pods_is_told_while_pods_are_missing() {
    let mut world = three_nodes();
    let quota = "Error creating: pods \"istio-cni-node-\" is forbidden: exceeded quota: small";
    world.events.push(event("ds", "FailedCreate", quota));
    assert_eq!(world.judge().reason(), None);
    world.pods.pop();
    let rollout = world.judge();
    assert_eq!(rollout.fault, None);
    assert_eq!(rollout.reason().as_deref(), Some(quota));
    // A pod that is there and fails tells more.
    world.pods[0] = pod("a", "False");
    assert_eq!(world.judge().reason().as_deref(), Some("a: starting"));
}

#[test]
fn the_reason_of_most_nodes_is_told_with_the_first_three() {
    let names = ["a", "b", "c", "d", "e", "f"];
    let world = World {
        generation: 1,
        desired: 6,
        updated: 6,
        pods: names.map(|it| pod(it, "False")).into(),
        nodes: names.map(|it| node(it, "True")).into(),
        events: ["b", "c", "d", "f"]
            .map(|it| event(&format!("uid-{it}"), "FailedMount", "no such volume"))
            .into(),
        pod_security: None,
    };
    let reason = world.judge().reason();
    assert_eq!(reason.as_deref(), Some("b, c, d (+1 more): no such volume"));
}

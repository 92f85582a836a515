//! Nodes that come, go or are special, and what the status says of those that hold the switch.

use serde_json::{Value, json};

use super::support::{BOTH_PATHS, MODEL, World, assert_says, shown, until};

/// Adds a node on which pods never start: nothing plays kubelet for it.
pub(super) fn add_node(world: &World, name: &str, system: &str, ready: &str) {
    let node = json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": {"name": name, "labels": {"kubernetes.io/os": system}},
        "status": {"allocatable": {"cpu": "8", "memory": "8Gi", "pods": "110"}},
    });
    world.cluster.apply(&node).unwrap();
    let condition = json!({
        "type": "Ready", "status": ready, "reason": "Test", "message": "",
        "lastHeartbeatTime": "2026-01-01T00:00:00Z", "lastTransitionTime": "2026-01-01T00:00:00Z",
    });
    set_status(world, &["node", name], &json!({"conditions": [condition]}));
}

fn set_status(world: &World, object: &[&str], status: &Value) {
    let patch = json!({"status": status}).to_string();
    let more = ["--subresource=status", "--type=merge", "-p", &patch];
    world
        .cluster
        .kubectl(&[&["patch"], object, &more].concat())
        .unwrap();
}

/// The pods of the node agent.
fn agents(world: &World) -> Vec<Value> {
    let pods = ["pods", "-n", MODEL, "-l", "k8s-app=istio-cni-node"];
    let pods = world.cluster.get(&pods).unwrap();
    pods["items"].as_array().unwrap().clone()
}

/// Says of every pod of the node agent what kubelet says when a directory is missing. It counts
/// for those that are not ready.
pub(super) fn refuse_mounts(world: &World, path: &str) {
    for pod in agents(world) {
        let event = json!({
            "apiVersion": "v1", "kind": "Event",
            "metadata": {"generateName": "mount-", "namespace": MODEL},
            "involvedObject": {
                "apiVersion": "v1", "kind": "Pod", "namespace": MODEL,
                "name": pod["metadata"]["name"], "uid": pod["metadata"]["uid"],
            },
            "reason": "FailedMount", "type": "Warning", "source": {"component": "kubelet"},
            "message": format!(
                "MountVolume.SetUp failed for volume \"cni-bin-dir\" : hostPath type check failed, \
                 {path} is not a directory, unable to determine its type: path \"{path}\" does not exist"
            ),
        });
        world
            .cluster
            .kubectl_with_input(&["create", "-f", "-"], &event.to_string())
            .unwrap();
    }
}

/// Says of the pods of the node agent on some nodes what kubelet says of a container that waits.
fn let_wait(world: &World, nodes: &[&str], state: &Value, last_state: &Value) {
    for pod in agents(world) {
        let node = pod["spec"]["nodeName"].as_str().unwrap_or_default();
        if nodes.contains(&node) {
            let name = pod["metadata"]["name"].as_str().unwrap();
            let container = json!({
                "name": "install-cni", "image": "i", "imageID": "", "ready": false,
                "restartCount": 1, "state": {"waiting": state}, "lastState": last_state,
            });
            let status = json!({"containerStatuses": [container]});
            set_status(world, &["pod", name, "-n", MODEL], &status);
        }
    }
}

#[test]
fn nodes_that_are_special_come_or_go() {
    let mut world = World::deployed();
    let kubectl = |world: &World, arguments: &[&str]| world.cluster.kubectl(arguments).unwrap();
    // istiod stays where it is, as it would find no other node now.
    let istiod = ["pods", "-n", MODEL, "-l", "app=istiod"];
    let istiod = world.cluster.get(&istiod).unwrap();
    let its_node = istiod["items"][0]["spec"]["nodeName"].as_str().unwrap();
    let nodes = ["node1", "node2", "node3"];
    let others: Vec<_> = nodes.into_iter().filter(|it| *it != its_node).collect();
    kubectl(&world, &["cordon", its_node]);
    for (node, effect) in others.into_iter().zip(["NoSchedule", "NoExecute"]) {
        let taint = format!("dedicated=x:{effect}");
        kubectl(&world, &["taint", "node", node, &taint]);
    }
    add_node(&world, "windows", "windows", "True");
    add_node(&world, "down", "linux", "False");
    let on = world.configure(&BOTH_PATHS);
    assert_eq!(on, shown("active", "CNI on (3/4 nodes)"), "{}", world.log());
    assert!(world.injects_validation());

    // One that joins counts, and does not switch injection back.
    add_node(&world, "joins", "linux", "True");
    until("it shall have a node agent", || agents(&world).len() == 5);
    let joined = world.update_status();
    assert_eq!(
        joined,
        shown("active", "CNI on (3/5 nodes)"),
        "{}",
        world.log()
    );
    refuse_mounts(&world, "/opt/cni/bin");
    let message = "cni-bin-dir /opt/cni/bin does not exist on joins; pods there cannot start";
    assert_eq!(
        world.update_status(),
        shown("blocked", message),
        "{}",
        world.log()
    );
    assert!(world.injects_validation());

    // Those that leave hold neither the one nor the other direction, though their pods stay for a
    // while.
    kubectl(&world, &["delete", "node", "joins", "down", "windows"]);
    // The DaemonSet counts them until their pods are collected.
    assert_says(&world.update_status(), "active", "CNI on (3/");
    let off = world.configure(&[("cni-bin-dir", "")]);
    assert_eq!(off.0, "active", "{}", world.log());
    assert_eq!(world.agent_objects(), Vec::<String>::new());
}

#[test]
fn what_holds_the_node_agent_is_told() {
    let mut world = World::deployed();
    let bare = ["bare1", "bare2", "bare3", "bare4"];
    for name in bare {
        add_node(&world, name, "linux", "True");
    }
    world.model.set_variable("ISTIO_PILOT_ROLLOUT_TIMEOUT", "4");
    let starting = world.configure(&BOTH_PATHS);
    assert_says(&starting, "waiting", "istio-cni-node 3/7 nodes (");
    let pull = json!({"reason": "ImagePullBackOff", "message": "Back-off pulling image \"i\""});
    let_wait(&world, &bare, &pull, &json!({}));
    let message = "istio-cni-node 3/7 nodes (bare1, bare2, bare3 (+1 more): ImagePullBackOff: \
                   Back-off pulling image \"i\")";
    assert_says(&world.update_status(), "waiting", message);
    let crash = json!({"reason": "CrashLoopBackOff", "message": "back-off 40s"});
    let ended = json!({"terminated": {"exitCode": 2}});
    let_wait(&world, &bare[1..], &crash, &ended);
    let message = "(bare2, bare3, bare4: container install-cni keeps crashing (exit code 2))";
    assert_says(&world.update_status(), "waiting", message);
    assert!(!world.injects_validation());
}

#[test]
fn a_node_agent_that_fails_while_the_cni_is_on_is_told() {
    let mut world = World::deployed();
    world.configure(&BOTH_PATHS);
    add_node(&world, "joins", "linux", "True");
    until("it shall have a node agent", || agents(&world).len() == 4);
    world.model.set_variable("ISTIO_PILOT_ROLLOUT_TIMEOUT", "4");
    let pull = json!({"reason": "ImagePullBackOff", "message": "Back-off pulling image \"i\""});
    let_wait(&world, &["joins"], &pull, &json!({}));
    let message =
        "istio-cni-node 3/4 nodes (joins: ImagePullBackOff: Back-off pulling image \"i\")";
    assert_says(&world.update_status(), "waiting", message);
    assert!(world.injects_validation());
}

#[test]
fn a_missing_directory_hides_nothing_of_the_control_plane() {
    let mut world = World::new();
    add_node(&world, "bare", "linux", "True");
    // The node agent tolerates it; istiod finds no node.
    let cordon = ["cordon", "bare", "node1", "node2", "node3"];
    world.cluster.kubectl(&cordon).unwrap();
    world.model.set_variable("ISTIO_PILOT_ROLLOUT_TIMEOUT", "4");
    world.deploy_without_settling();
    world.configure(&BOTH_PATHS);
    until("it shall have a node agent", || agents(&world).len() == 4);
    refuse_mounts(&world, "/opt/cni/bin");
    let blocked = world.update_status();
    let message = "cni-bin-dir /opt/cni/bin does not exist on bare; injection stays at istio-init";
    assert_says(&blocked, "blocked", message);
    assert_says(&blocked, "blocked", "(+1 more, see debug-log)");
    assert!(world.log().contains("istiod 0/1 ready"), "{}", world.log());

    world.cluster.kubectl(&["uncordon", "node1"]).unwrap();
    let ready = ["deployment", "istiod", "-n", MODEL];
    until("istiod is ready", || {
        world.cluster.get(&ready).unwrap()["status"]["availableReplicas"] == 1
    });
    assert_eq!(world.update_status(), shown("blocked", message));
    let webhook = format!("MutatingWebhookConfiguration istio-sidecar-injector-{MODEL}");
    assert!(
        world.objects().contains_key(&webhook),
        "{:?}",
        world.objects()
    );
}

#[test]
fn what_refuses_the_node_agents_pods_is_told() {
    let mut world = World::deployed();
    let quota = json!({
        "apiVersion": "v1", "kind": "ResourceQuota",
        "metadata": {"name": "full", "namespace": MODEL}, "spec": {"hard": {"pods": "1"}},
    });
    world.cluster.apply(&quota).unwrap();
    until("the quota counts", || {
        let quota = world.get("resourcequota", "full");
        quota["status"]["used"]["pods"] == "1"
    });
    world.model.set_variable("ISTIO_PILOT_ROLLOUT_TIMEOUT", "5");
    let refused = world.configure(&BOTH_PATHS);
    assert_says(&refused, "waiting", "istio-cni-node 0/3 nodes (");
    assert_says(&refused, "waiting", "exceeded quota: full");
    world
        .cluster
        .kubectl(&["delete", "resourcequota", "full", "-n", MODEL])
        .unwrap();
    world
        .model
        .set_variable("ISTIO_PILOT_ROLLOUT_TIMEOUT", "60");
    let on = world.update_status();
    assert_eq!(on, shown("active", "CNI on (3/3 nodes)"), "{}", world.log());
}

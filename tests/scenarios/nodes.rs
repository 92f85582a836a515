//! Nodes that come, go or are special, and what the status says of those that hold the switch.

use anyhow::Result;
use charm_world::{World, until};
use expect_test::expect;
use serde_json::{Value, json};

use super::support::{
    BOTH_PATHS, MODEL, deployed, names, without_count_of_events, without_desired_nodes,
    without_pod_suffixes, world,
};

/// Adds a node on which pods never start: nothing plays kubelet for it.
pub(super) fn add_node(world: &World, name: &str, system: &str, ready: &str) -> Result<()> {
    world.apply(&json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": {"name": name, "labels": {"kubernetes.io/os": system}},
        "status": {"allocatable": {"cpu": "8", "memory": "8Gi", "pods": "110"}},
    }))?;
    let condition = json!({
        "type": "Ready", "status": ready, "reason": "Test", "message": "",
        "lastHeartbeatTime": "2026-01-01T00:00:00Z", "lastTransitionTime": "2026-01-01T00:00:00Z",
    });
    let object = format!("node {name}");
    set_status(world, &object, &json!({"conditions": [condition]}))?;
    // A DaemonSet counts the nodes that its controller has heard of. The controllers share what they
    // hear, and one of them adds this label.
    until(&format!("the controllers know {name}"), || {
        let labels = &world.get(&object)?["metadata"]["labels"];
        Ok(labels["beta.kubernetes.io/os"] == system)
    })
}

fn set_status(world: &World, object: &str, status: &Value) -> Result<()> {
    let line = format!("{object} --subresource=status");
    world.patch(&line, &json!({"status": status}))
}

/// The pods of the node agent.
fn agents(world: &World) -> Result<Value> {
    world.get("pods -l k8s-app=istio-cni-node")
}

/// Waits until there are that many pods of the node agent.
fn until_agents(world: &World, count: usize) -> Result<()> {
    until(&format!("there are {count} node agents"), || {
        Ok(names(&agents(world)?).len() == count)
    })
}

/// Says of every pod of the node agent what kubelet says when a directory is missing. It counts
/// for those that are not ready.
pub(super) fn refuse_mounts(world: &World, path: &str) -> Result<()> {
    for pod in agents(world)?["items"].as_array().unwrap() {
        let message = format!(
            "MountVolume.SetUp failed for volume \"cni-bin-dir\" : hostPath type check failed, \
             {path} is not a directory, unable to determine its type: path \"{path}\" does not exist"
        );
        let event = json!({
            "apiVersion": "v1", "kind": "Event",
            "metadata": {"generateName": "mount-", "namespace": MODEL},
            "involvedObject": {
                "apiVersion": "v1", "kind": "Pod", "namespace": MODEL,
                "name": pod["metadata"]["name"], "uid": pod["metadata"]["uid"],
            },
            "reason": "FailedMount", "type": "Warning", "source": {"component": "kubelet"},
            "message": message,
        });
        world
            .cluster
            .kubectl_with_input("create -f -", &event.to_string())?;
    }
    Ok(())
}

/// Says of the pods of the node agent on some nodes what kubelet says of a container that waits.
fn let_wait(world: &World, nodes: &[&str], state: &Value, last_state: &Value) -> Result<()> {
    for pod in agents(world)?["items"].as_array().unwrap() {
        let node = pod["spec"]["nodeName"].as_str().unwrap_or_default();
        if nodes.contains(&node) {
            let name = pod["metadata"]["name"].as_str().unwrap();
            let container = json!({
                "name": "install-cni", "image": "i", "imageID": "", "ready": false,
                "restartCount": 1, "state": {"waiting": state}, "lastState": last_state,
            });
            let status = json!({"containerStatuses": [container]});
            set_status(world, &format!("pod {name}"), &status)?;
        }
    }
    Ok(())
}

#[test]
fn nodes_that_are_special_come_or_go() -> Result<()> {
    let mut world = deployed()?;
    // istiod stays where it is, as it would find no other node now.
    let istiod = world.get("pods -l app=istiod")?;
    let its_node = istiod["items"][0]["spec"]["nodeName"].as_str().unwrap();
    world.kubectl(&format!("cordon {its_node}"))?;
    let others = ["node1", "node2", "node3"].into_iter();
    let others = others.filter(|it| *it != its_node);
    for (node, effect) in others.zip(["NoSchedule", "NoExecute"]) {
        world.kubectl(&format!("taint node {node} dedicated=x:{effect}"))?;
    }
    add_node(&world, "windows", "windows", "True")?;
    add_node(&world, "down", "linux", "False")?;
    expect!["active: CNI on (3/4 nodes)"].assert_eq(&world.configure(&BOTH_PATHS)?);
    assert!(world.injects_validation()?);

    // One that joins counts, and does not switch injection back.
    add_node(&world, "joins", "linux", "True")?;
    until_agents(&world, 5)?;
    world.set_rollout_timeout(4);
    expect!["waiting: istio-cni-node 3/5 nodes (joins: starting); continues at the next update-status, or: juju run pilot/leader reconcile"].assert_eq(&world.update_status()?);
    refuse_mounts(&world, "/opt/cni/bin")?;
    expect!["blocked: cni-bin-dir /opt/cni/bin does not exist on joins; pods there cannot start"]
        .assert_eq(&world.update_status()?);
    assert!(world.injects_validation()?);

    // Those that leave hold neither the one nor the other direction, though their pods stay for a
    // while.
    world.kubectl("delete node joins windows")?;
    world.set_rollout_timeout(60);
    // The DaemonSet counts them until their pods are collected.
    let on = world.update_status()?;
    expect!["active: CNI on (3/… nodes)"].assert_eq(&without_desired_nodes(&on));

    // One that is away keeps the node agent: its runtime calls the plugin when it is back.
    // istiod has to be silent for 10 s before the switch goes on without it.
    world.set_rollout_timeout(15);
    expect!["waiting: the CNI node agent stays, as down is not Ready (bring it back, or: kubectl delete node down); continues at the next update-status, or: juju run pilot/leader reconcile"].assert_eq(&world.configure(&[("cni-bin-dir", "")])?);
    assert!(!world.injects_validation()?);
    world.get("daemonset istio-cni-node")?;
    world.kubectl("delete node down")?;
    world.set_rollout_timeout(60);
    expect!["active: CNI off: cni-bin-dir is not set"].assert_eq(&world.update_status()?);
    assert_eq!(world.agent_objects()?, Vec::<String>::new());
    Ok(())
}

#[test]
fn what_holds_the_node_agent_is_told() -> Result<()> {
    let mut world = deployed()?;
    let bare = ["bare1", "bare2", "bare3", "bare4"];
    for name in bare {
        add_node(&world, name, "linux", "True")?;
    }
    world.set_rollout_timeout(4);
    expect!["waiting: istio-cni-node 3/7 nodes (bare1, bare2, bare3 (+1 more): starting); continues at the next update-status, or: juju run pilot/leader reconcile"].assert_eq(&world.configure(&BOTH_PATHS)?);
    let pull = json!({"reason": "ImagePullBackOff", "message": "Back-off pulling image \"i\""});
    let_wait(&world, &bare, &pull, &json!({}))?;
    expect![[r#"waiting: istio-cni-node 3/7 nodes (bare1, bare2, bare3 (+1 more): ImagePullBackOff: Back-off pulling image "i"); continues at the next update-status, or: juju run pilot/leader reconcile"#]].assert_eq(&world.update_status()?);
    let crash = json!({"reason": "CrashLoopBackOff", "message": "back-off 40s"});
    let ended = json!({"terminated": {"exitCode": 2}});
    let_wait(&world, &bare[1..], &crash, &ended)?;
    expect!["waiting: istio-cni-node 3/7 nodes (bare2, bare3, bare4: container install-cni keeps crashing (exit code 2)); continues at the next update-status, or: juju run pilot/leader reconcile"].assert_eq(&world.update_status()?);
    assert!(!world.injects_validation()?);
    Ok(())
}

#[test]
fn a_node_agent_that_fails_while_the_cni_is_on_is_told() -> Result<()> {
    let mut world = deployed()?;
    world.configure(&BOTH_PATHS)?;
    add_node(&world, "joins", "linux", "True")?;
    until_agents(&world, 4)?;
    world.set_rollout_timeout(4);
    let pull = json!({"reason": "ImagePullBackOff", "message": "Back-off pulling image \"i\""});
    let_wait(&world, &["joins"], &pull, &json!({}))?;
    expect![[r#"waiting: istio-cni-node 3/4 nodes (joins: ImagePullBackOff: Back-off pulling image "i"); continues at the next update-status, or: juju run pilot/leader reconcile"#]].assert_eq(&world.update_status()?);
    assert!(world.injects_validation()?);
    Ok(())
}

#[test]
fn a_missing_directory_hides_nothing_of_the_control_plane() -> Result<()> {
    let mut world = world()?;
    add_node(&world, "bare", "linux", "True")?;
    // The node agent tolerates it; istiod finds no node.
    world.kubectl("cordon bare node1 node2 node3")?;
    world.set_rollout_timeout(4);
    world.model.deploy(world.deployment().trusted())?;
    world.configure(&BOTH_PATHS)?;
    until_agents(&world, 4)?;
    refuse_mounts(&world, "/opt/cni/bin")?;
    expect!["blocked: cni-bin-dir /opt/cni/bin does not exist on bare; injection stays at istio-init (+1 more, see debug-log)"].assert_eq(&world.update_status()?);
    expect![[r#"
        the node agent on bare is not ready: MountVolume.SetUp failed for volume "cni-bin-dir" : hostPath type check failed, /opt/cni/bin is not a directory, unable to determine its type: path "/opt/cni/bin" does not exist
        blocked: cni-bin-dir /opt/cni/bin does not exist on bare; injection stays at istio-init
        waiting: istiod 0/1 ready: not scheduled: 0/4 nodes are available: 4 node(s) were unschedulable. preemption: 0/4 nodes are available: 4 Preemption is not helpful for scheduling."#]].assert_eq(&world.logged("WARNING"));

    world.kubectl("uncordon node1")?;
    until("istiod is ready", || {
        Ok(world.get("deployment istiod")?["status"]["availableReplicas"] == 1)
    })?;
    expect![
        "blocked: cni-bin-dir /opt/cni/bin does not exist on bare; injection stays at istio-init"
    ]
    .assert_eq(&world.update_status()?);
    let objects = world.objects()?;
    let webhook = format!("MutatingWebhookConfiguration istio-sidecar-injector-{MODEL}");
    assert!(objects.contains_key(&webhook), "{objects:?}");
    Ok(())
}

#[test]
fn what_refuses_the_node_agents_pods_is_told() -> Result<()> {
    let mut world = deployed()?;
    world.apply(&json!({
        "apiVersion": "v1", "kind": "ResourceQuota",
        "metadata": {"name": "full", "namespace": MODEL}, "spec": {"hard": {"pods": "1"}},
    }))?;
    until("the quota counts", || {
        Ok(world.get("resourcequota full")?["status"]["used"]["pods"] == "1")
    })?;
    world.set_rollout_timeout(5);
    let refused = world.configure(&BOTH_PATHS)?;
    expect![[r#"waiting: istio-cni-node 0/3 nodes (Error creating: pods "istio-cni-node-…" is forbidden: exceeded quota: full, requested: pods=1, used: pods=1, limited: pods=1); continues at the next update-status, or: juju run pilot/leader reconcile"#]].assert_eq(&without_count_of_events(&without_pod_suffixes(&refused)));
    world.kubectl("delete resourcequota full")?;
    world.set_rollout_timeout(60);
    expect!["active: CNI on (3/3 nodes)"].assert_eq(&world.update_status()?);
    Ok(())
}

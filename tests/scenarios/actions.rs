//! What `juju run` does.

use std::process::Command;

use anyhow::Result;
use expect_test::expect;
use serde_json::{Map, Value, json};

use super::support::{APPLICATION, deployed, outcome};

#[test]
fn plan_shows_what_reconcile_then_does() -> Result<()> {
    let mut world = deployed()?;
    let nothing = world.run_action("plan", &json!({}))?;
    expect![[r#"
        completed
        changes: 0
        obstacles: 0
        plan: nothing to change"#]]
    .assert_eq(&outcome(&nothing));
    world.kubectl("delete configmap istio")?;
    let writes = world.writes()?;
    let plan = world.run_action("plan", &json!({}))?;
    expect![[r#"
        completed
        changes: 1
        obstacles: 0
        plan: + ConfigMap mesh/istio"#]]
    .assert_eq(&outcome(&plan));
    assert_eq!(world.writes()?, writes, "a plan changes nothing");
    let reconcile = world.run_action("reconcile", &json!({}))?;
    expect![[r#"
        completed
        message: CNI off
        status: active"#]]
    .assert_eq(&outcome(&reconcile));
    world.get("configmap istio")?;
    Ok(())
}

#[test]
fn an_action_fails_with_what_to_do() -> Result<()> {
    let mut world = deployed()?;
    world.scale(2)?;
    let follower = world.unit(1);
    let reconcile = world
        .model
        .run_action(&follower, "reconcile", &Map::new())?;
    expect!["failed: only the leader reconciles; run: juju run pilot/leader reconcile"]
        .assert_eq(&outcome(&reconcile));
    Ok(())
}

#[test]
fn detect_cni_paths_looks_at_nodes_and_network_plugins() -> Result<()> {
    let mut world = deployed()?;
    let unsure = world.run_action("detect-cni-paths", &json!({}))?;
    expect![[r#"
        completed
        certainty: unsure
        distribution: unknown
        note: node1, node2, node3: neither its distribution nor a network plugin's directories could be recognised. To make sure, on a node run `sudo crictl info` and read config.cni: binDir (or binDirs) and confDir; with CRI-O run `sudo crio config` and read plugin_dirs and network_dir of [crio.network]. Without a shell on the node: kubectl debug node/NAME -it --profile=sysadmin --image=busybox -- chroot /host crictl info"#]].assert_eq(&outcome(&unsure));

    world.apply(include_str!("manifests/calico_node.yaml"))?;
    world.kubectl("label node --all microk8s.io/cluster=true")?;
    world.kubectl("rollout status -n kube-system ds/calico-node --timeout=60s")?;
    let writes = world.writes()?;
    let found = world.run_action("detect-cni-paths", &json!({}))?;
    expect![[r#"
        completed
        certainty: certain
        cni-bin-dir: /var/snap/microk8s/current/opt/cni/bin
        cni-conf-dir: /var/snap/microk8s/current/args/cni-network
        command: juju config pilot cni-bin-dir=/var/snap/microk8s/current/opt/cni/bin cni-conf-dir=/var/snap/microk8s/current/args/cni-network
        distribution: MicroK8s
        evidence:
        label microk8s.io/cluster (on 3 of 3: node1, node2, node3)
        DaemonSet kube-system/calico-node uses /var/snap/microk8s/current/opt/cni/bin and /var/snap/microk8s/current/args/cni-network (on 3 of 3: node1, node2, node3)
        note: snap refresh points /var/snap/microk8s/current to another directory, and the node agent's pods go on with the one that it was when they started: after each refresh run kubectl rollout restart daemonset istio-cni-node in the model's namespace, while no pods are being created"#]].assert_eq(&outcome(&found));
    assert_eq!(world.writes()?, writes, "looking changes nothing");

    let mut tool = Command::new(env!("CARGO_BIN_EXE_istio-pilot"));
    tool.args(["detect-cni-paths", "--app", APPLICATION])
        .env("KUBECONFIG", world.cluster.kubeconfig());
    let output = tool.output()?;
    assert!(output.status.success(), "{output:?}");
    expect![[r#"
        distribution: MicroK8s
        certainty: certain
        cni-bin-dir: /var/snap/microk8s/current/opt/cni/bin
        cni-conf-dir: /var/snap/microk8s/current/args/cni-network
        command: juju config pilot cni-bin-dir=/var/snap/microk8s/current/opt/cni/bin cni-conf-dir=/var/snap/microk8s/current/args/cni-network
        evidence:
          label microk8s.io/cluster (on 3 of 3: node1, node2, node3)
          DaemonSet kube-system/calico-node uses /var/snap/microk8s/current/opt/cni/bin and /var/snap/microk8s/current/args/cni-network (on 3 of 3: node1, node2, node3)
        note: snap refresh points /var/snap/microk8s/current to another directory, and the node agent's pods go on with the one that it was when they started: after each refresh run kubectl rollout restart daemonset istio-cni-node in the model's namespace, while no pods are being created
    "#]].assert_eq(&String::from_utf8(output.stdout)?);

    world.kubectl("label node node1 k8sd.io/role=worker microk8s.io/cluster-")?;
    world.kubectl("delete -n kube-system ds/calico-node --cascade=foreground")?;
    let output = tool.output()?;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    Ok(())
}

#[test]
fn every_action_that_is_declared_exists() -> Result<()> {
    let mut world = deployed()?;
    let declared = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/actions.yaml"))?;
    let declared: Map<String, Value> = serde_yaml::from_str(&declared)?;
    assert!(!declared.is_empty());
    for action in declared.keys() {
        let result = world.run_action(action, &json!({}))?;
        // The one action that needs a relation, which here is none.
        if action == "rotate-private-key" {
            let why = "there is no relation certificates";
            assert!(result.message.starts_with(why), "{}", result.message);
        } else {
            assert!(result.completed, "{action}: {}", result.message);
        }
    }
    Ok(())
}

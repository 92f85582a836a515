//! What `juju run` does.

use std::process::Command;

use serde_json::{Map, Value, json};

use super::support::{APPLICATION, MODEL, World};

#[test]
fn plan_shows_what_reconcile_then_does() {
    let mut world = World::deployed();
    let unit = format!("{APPLICATION}/0");
    let plan = world.model.run_action(&unit, "plan", &Map::new()).unwrap();
    assert!(plan.completed, "{}", plan.message);
    assert_eq!(plan.results["plan"], "nothing to change");
    world
        .cluster
        .kubectl(&["delete", "configmap", "istio", "-n", MODEL])
        .unwrap();
    let writes = world.writes();
    let plan = world.model.run_action(&unit, "plan", &Map::new()).unwrap();
    assert_eq!(plan.results["changes"], "1");
    assert_eq!(plan.results["plan"], format!("+ ConfigMap {MODEL}/istio\n"));
    assert_eq!(world.writes(), writes, "a plan changes nothing");
    let reconcile = world
        .model
        .run_action(&unit, "reconcile", &Map::new())
        .unwrap();
    assert!(reconcile.completed, "{}", reconcile.message);
    assert_eq!(reconcile.results["status"], "active");
    world.get("configmap", "istio");
}

#[test]
fn an_action_fails_with_what_to_do() {
    let mut world = World::deployed();
    world.model.scale(APPLICATION, 2).unwrap();
    world.settle();
    let follower = format!("{APPLICATION}/1");
    let reconcile = world
        .model
        .run_action(&follower, "reconcile", &Map::new())
        .unwrap();
    assert!(!reconcile.completed);
    let told = format!("juju run {APPLICATION}/leader reconcile");
    assert!(reconcile.message.contains(&told), "{}", reconcile.message);
}

#[test]
fn detect_cni_paths_looks_at_nodes_and_network_plugins() {
    let mut world = World::deployed();
    let unit = format!("{APPLICATION}/0");
    let unsure = world
        .model
        .run_action(&unit, "detect-cni-paths", &Map::new())
        .unwrap();
    assert!(unsure.completed, "{}", unsure.message);
    assert_eq!(unsure.results["distribution"], "unknown");
    assert_eq!(unsure.results["certainty"], "unsure");
    assert_eq!(unsure.results.get("command"), None);

    // A network plugin as MicroK8s has it, on simulated nodes.
    let (bin_dir, conf_dir) = (
        "/var/snap/microk8s/current/opt/cni/bin",
        "/var/snap/microk8s/current/args/cni-network",
    );
    world
        .cluster
        .apply(&network_plugin(bin_dir, conf_dir))
        .unwrap();
    for node in ["node1", "node2", "node3"] {
        world
            .cluster
            .kubectl(&["label", "node", node, "microk8s.io/cluster=true"])
            .unwrap();
    }
    let wait = [
        "rollout",
        "status",
        "-n",
        "kube-system",
        "ds/calico-node",
        "--timeout=60s",
    ];
    world.cluster.kubectl(&wait).unwrap();
    let writes = world.writes();
    let found = world
        .model
        .run_action(&unit, "detect-cni-paths", &Map::new())
        .unwrap();
    assert_eq!(found.results["distribution"], "MicroK8s");
    assert_eq!(found.results["certainty"], "certain");
    let command =
        format!("juju config {APPLICATION} cni-bin-dir={bin_dir} cni-conf-dir={conf_dir}");
    assert_eq!(found.results["command"], command);
    assert_eq!(world.writes(), writes, "looking changes nothing");

    let mut tool = Command::new(env!("CARGO_BIN_EXE_istio-pilot"));
    tool.args(["detect-cni-paths", "--app", APPLICATION])
        .env("KUBECONFIG", world.cluster.kubeconfig());
    let output = tool.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(
        printed.contains(&format!("command: {command}\n")),
        "{printed}"
    );

    world
        .cluster
        .kubectl(&[
            "label",
            "node",
            "node1",
            "k8sd.io/role=worker",
            "microk8s.io/cluster-",
        ])
        .unwrap();
    world
        .cluster
        .kubectl(&[
            "delete",
            "-n",
            "kube-system",
            "ds/calico-node",
            "--cascade=foreground",
        ])
        .unwrap();
    let output = tool.output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
}

/// The DaemonSet of a network plugin with these directories.
fn network_plugin(bin_dir: &str, conf_dir: &str) -> Value {
    let labels = json!({"k8s-app": "calico-node"});
    let directory = |name: &str, path: &str| json!({"name": name, "hostPath": {"path": path}});
    json!({
        "apiVersion": "apps/v1", "kind": "DaemonSet",
        "metadata": {"name": "calico-node", "namespace": "kube-system"},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "hostNetwork": true,
                    "containers": [{
                        "name": "calico-node",
                        "image": "example.test/calico:1",
                        "volumeMounts": [
                            {"name": "cni-bin-dir", "mountPath": "/host/opt/cni/bin"},
                            {"name": "cni-net-dir", "mountPath": "/host/etc/cni/net.d"},
                        ],
                    }],
                    "volumes": [
                        directory("cni-bin-dir", bin_dir),
                        directory("cni-net-dir", conf_dir),
                    ],
                },
            },
        },
    })
}

#[test]
fn every_action_that_is_declared_exists() {
    let mut world = World::deployed();
    let declared = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/actions.yaml"));
    let declared: Map<String, serde_json::Value> =
        serde_yaml::from_str(&declared.unwrap()).unwrap();
    assert!(!declared.is_empty());
    let unit = format!("{APPLICATION}/0");
    for action in declared.keys() {
        let result = world.model.run_action(&unit, action, &Map::new()).unwrap();
        assert!(
            !result.message.contains("has no action"),
            "{action}: {}",
            result.message
        );
    }
}

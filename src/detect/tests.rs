//! What single facts about nodes and pods lead to. Whole clusters are in `tests/detect.rs`.

use serde_json::{Value, json};

use super::*;

mod distributions;
mod notes;
mod plugins;

fn node(name: &str, changes: &Value) -> Node {
    let mut node = json!({
        "metadata": {"name": name, "labels": {}, "annotations": {}},
        "spec": {},
        "status": {
            "conditions": [{"type": "Ready", "status": "True"}],
            "nodeInfo": {
                "architecture": "amd64", "bootID": "", "containerRuntimeVersion": "containerd://2.2.1",
                "kernelVersion": "6.8.0", "kubeProxyVersion": "", "kubeletVersion": "v1.34.2",
                "machineID": "", "operatingSystem": "linux", "osImage": "Debian", "systemUUID": "",
            },
        },
    });
    for (pointer, value) in changes.as_object().unwrap() {
        let (parent, key) = pointer.rsplit_once('>').unwrap();
        let parent = format!("/{}", parent.replace('>', "/"));
        node.pointer_mut(&parent).unwrap()[key] = value.clone();
    }
    serde_json::from_value(node).unwrap()
}

/// A k3s node with the Flannel inside it.
fn k3s(name: &str, version: &str, os_image: &str, arguments: &[&str]) -> Node {
    node(
        name,
        &json!({
            "metadata>annotations>flannel.alpha.coreos.com/backend-type": "vxlan",
            "metadata>annotations>k3s.io/node-args": json!(arguments).to_string(),
            "status>nodeInfo>containerRuntimeVersion": "containerd://2.0.5-k3s2",
            "status>nodeInfo>kubeletVersion": version,
            "status>nodeInfo>osImage": os_image,
        }),
    )
}

/// A pod of a network plugin's DaemonSet, with the directories that it has mounted.
fn plugin(name: &str, node: &str, directories: &[(&str, &str)]) -> Pod {
    let volumes: Vec<_> = directories
        .iter()
        .enumerate()
        .map(|(index, (host, _))| json!({"name": format!("v{index}"), "hostPath": {"path": host}}))
        .collect();
    let mounts: Vec<_> = directories
        .iter()
        .enumerate()
        .map(|(index, (_, path))| json!({"name": format!("v{index}"), "mountPath": path}))
        .collect();
    serde_json::from_value(json!({
        "metadata": {
            "name": format!("{name}-x"), "namespace": "kube-system", "labels": {"k8s-app": name},
            "ownerReferences": [
                {"apiVersion": "apps/v1", "kind": "DaemonSet", "name": name, "uid": "u", "controller": true},
            ],
        },
        "spec": {
            "nodeName": node,
            "containers": [{"name": "agent"}],
            "initContainers": [{"name": "install", "volumeMounts": mounts}],
            "volumes": volumes,
        },
        "status": {"conditions": [{"type": "Ready", "status": "True"}]},
    }))
    .unwrap()
}

fn with_both(name: &str, node: &str, bin_dir: &str, conf_dir: &str) -> Pod {
    let mounts = [
        (bin_dir, "/host/opt/cni/bin"),
        (conf_dir, "/host/etc/cni/net.d"),
    ];
    plugin(name, node, &mounts)
}

/// The answer in short: certainty and directories.
fn short(detection: &Detection) -> String {
    match &detection.answer {
        Answer::Paths { paths, certainty } => {
            format!("{certainty:?} {} {}", paths.bin_dir, paths.conf_dir)
        }
        Answer::NotEnough(_) => "NotEnough".to_owned(),
        Answer::Unsure {
            guess: Some(paths), ..
        } => {
            format!("Unsure {} {}", paths.bin_dir, paths.conf_dir)
        }
        Answer::Unsure { guess: None, .. } => "Unsure".to_owned(),
    }
}

fn why(detection: &Detection) -> &str {
    match &detection.answer {
        Answer::Paths { .. } => "",
        Answer::NotEnough(why) | Answer::Unsure { why, .. } => why,
    }
}

const STANDARD: &str = "/opt/cni/bin /etc/cni/net.d";

#[test]
fn a_cluster_without_nodes_shows_nothing() {
    let detection = detect(&[], &[]);
    assert_eq!(short(&detection), "Unsure");
    assert_eq!(detection.results("mesh")[0].1, "unknown");
}

#[test]
fn an_unknown_node_without_a_plugin_is_unsure_and_the_answer_says_how_to_look() {
    let detection = detect(&[node("a", &json!({}))], &[]);
    assert_eq!(short(&detection), "Unsure");
    assert!(!detection.has_paths());
    let text = detection.to_text("mesh");
    assert!(text.contains("crictl info"), "{text}");
    assert!(!text.contains("command"), "{text}");
}

#[test]
fn nodes_that_differ_cannot_share_one_pair_of_options() {
    let nodes = [
        k3s("edge-1", "v1.31.1+k3s1", "Debian", &[]),
        k3s("edge-2", "v1.34.1+k3s1", "Debian", &[]),
        node(
            "vm-1",
            &json!({"metadata>labels>microk8s.io/cluster": "true"}),
        ),
    ];
    let detection = detect(&nodes, &[]);
    assert_eq!(short(&detection), "NotEnough");
    for part in [
        "edge-1",
        "edge-2",
        "vm-1",
        "data/current/bin",
        "cni-network",
        "symbolic links",
    ] {
        assert!(why(&detection).contains(part), "{}", why(&detection));
    }
    assert_eq!(detection.results("mesh")[0].1, "k3s, MicroK8s");
}

#[test]
fn distributions_with_the_same_directories_share_one_answer() {
    let nodes = [
        node("a", &json!({"status>nodeInfo>osImage": "Talos (v1.11.3)"})),
        node("b", &json!({"metadata>labels>k8sd.io/role": "worker"})),
    ];
    assert_eq!(short(&detect(&nodes, &[])), format!("Likely {STANDARD}"));
}

#[test]
fn one_node_that_shows_nothing_makes_it_unsure() {
    let nodes = [
        node("a", &json!({"metadata>labels>k8sd.io/role": "worker"})),
        node("b", &json!({})),
    ];
    let detection = detect(&nodes, &[]);
    assert_eq!(short(&detection), format!("Unsure {STANDARD}"));
    assert!(why(&detection).starts_with("b: "), "{}", why(&detection));
}

#[test]
fn a_node_that_is_not_ready_takes_no_certainty_away() {
    let nodes = |status: &str| {
        let ready = json!([{"type": "Ready", "status": status}]);
        [
            node("a", &json!({"metadata>labels>k8sd.io/role": "worker"})),
            node(
                "b",
                &json!({"metadata>labels>k8sd.io/role": "worker", "status>conditions": ready}),
            ),
        ]
    };
    let pods = [with_both("cilium", "a", "/opt/cni/bin", "/etc/cni/net.d")];
    assert_eq!(
        short(&detect(&nodes("Unknown"), &pods)),
        format!("Certain {STANDARD}")
    );
    assert_eq!(
        short(&detect(&nodes("True"), &pods)),
        format!("Likely {STANDARD}")
    );
}

#[test]
fn a_command_is_safe_for_a_shell() {
    let nodes = [node("a", &json!({}))];
    let pods = [with_both("cni", "a", "/srv/my plugins", "/srv/it's")];
    let text = detect(&nodes, &pods).to_text("mesh");
    assert!(
        text.contains(
            r"juju config mesh cni-bin-dir='/srv/my plugins' cni-conf-dir='/srv/it'\''s'"
        ),
        "{text}"
    );
}

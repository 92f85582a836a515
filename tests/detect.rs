//! What is recognised of the nodes and system pods of each distribution.
//!
//! The objects in `tests/detect/` are as such a cluster has them, shortened to what matters and
//! some of what does not.
#![allow(
    clippy::unwrap_used,
    reason = "tests and their helpers fail by panicking"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use istio_pilot::detect::{Detection, detect};
use k8s_openapi::api::core::v1::{Node, Pod};
use test_cluster::yaml_documents;

/// Every distribution that is to be recognised, as the files are named.
const DISTRIBUTIONS: [&str; 13] = [
    "aks",
    "canonical-kubernetes",
    "eks",
    "gke",
    "k3d",
    "k3s",
    "kind",
    "kubeadm",
    "microk8s",
    "minikube",
    "openshift",
    "rke2",
    "talos",
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/detect")
}

fn detection(cluster: &str) -> Detection {
    let text = fs::read_to_string(folder().join(format!("{cluster}.yaml"))).unwrap();
    let (mut nodes, mut pods) = (Vec::<Node>::new(), Vec::<Pod>::new());
    for object in yaml_documents(&text).unwrap() {
        match object["kind"].as_str().unwrap() {
            "Node" => nodes.push(serde_json::from_value(object).unwrap()),
            "Pod" => pods.push(serde_json::from_value(object).unwrap()),
            other => unreachable!("{cluster} has a {other}"),
        }
    }
    detect(&nodes, &pods)
}

/// The answer as the tool prints it, without the lines of evidence and the notes.
fn answer(cluster: &str) -> String {
    let results = detection(cluster).results("istio-pilot");
    let short = results
        .iter()
        .filter(|(key, _)| !matches!(*key, "evidence" | "note"));
    let lines: Vec<_> = short.map(|(key, text)| format!("{key}: {text}")).collect();
    lines.join("\n")
}

fn result(cluster: &str, wanted: &str) -> String {
    let results = detection(cluster).results("istio-pilot");
    let found = results.into_iter().find(|(key, _)| *key == wanted);
    found.map(|(_, text)| text).unwrap_or_default()
}

/// The answer of a distribution with the usual directories.
fn usual(distribution: &str, certainty: &str) -> String {
    format!(
        "distribution: {distribution}\n\
         certainty: {certainty}\n\
         cni-bin-dir: /opt/cni/bin\n\
         cni-conf-dir: /etc/cni/net.d\n\
         command: juju config istio-pilot cni-bin-dir=/opt/cni/bin cni-conf-dir=/etc/cni/net.d"
    )
}

#[test]
fn there_is_a_cluster_of_every_distribution() {
    let files: BTreeSet<String> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let expected = DISTRIBUTIONS
        .iter()
        .map(|it| format!("{it}.yaml"))
        .collect();
    assert_eq!(files, expected);
}

#[test]
fn microk8s() {
    assert_eq!(
        detection("microk8s").to_text("istio-pilot"),
        "distribution: MicroK8s\n\
         certainty: certain\n\
         cni-bin-dir: /var/snap/microk8s/current/opt/cni/bin\n\
         cni-conf-dir: /var/snap/microk8s/current/args/cni-network\n\
         command: juju config istio-pilot cni-bin-dir=/var/snap/microk8s/current/opt/cni/bin \
         cni-conf-dir=/var/snap/microk8s/current/args/cni-network\n\
         evidence:\n  \
         label microk8s.io/cluster (on 3 of 3: juju-0, juju-1, juju-2)\n  \
         DaemonSet kube-system/calico-node uses /var/snap/microk8s/current/opt/cni/bin and \
         /var/snap/microk8s/current/args/cni-network (on 3 of 3: juju-0, juju-1, juju-2)\n"
    );
}

#[test]
fn canonical_kubernetes() {
    assert_eq!(
        answer("canonical-kubernetes"),
        usual("Canonical Kubernetes", "certain")
    );
    assert!(result("canonical-kubernetes", "note").contains("cni.exclusive"));
}

#[test]
fn k3s() {
    assert_eq!(
        answer("k3s"),
        "distribution: k3s\n\
         certainty: likely\n\
         cni-bin-dir: /var/lib/rancher/k3s/data/cni\n\
         cni-conf-dir: /var/lib/rancher/k3s/agent/etc/cni/net.d\n\
         command: juju config istio-pilot cni-bin-dir=/var/lib/rancher/k3s/data/cni \
         cni-conf-dir=/var/lib/rancher/k3s/agent/etc/cni/net.d"
    );
    assert_eq!(result("k3s", "note"), "");
}

#[test]
fn k3d() {
    assert_eq!(
        answer("k3d"),
        answer("k3s").replace("k3s\ncertainty", "k3d\ncertainty")
    );
}

#[test]
fn rke2() {
    assert_eq!(answer("rke2"), usual("RKE2", "certain"));
}

#[test]
fn kind() {
    // kindnet shows only where the configuration is.
    assert_eq!(answer("kind"), usual("kind", "likely"));
}

#[test]
fn kubeadm() {
    assert_eq!(answer("kubeadm"), usual("kubeadm", "certain"));
    assert!(result("kubeadm", "evidence").starts_with(
        "annotation kubeadm.kubernetes.io/kube-apiserver.advertise-address.endpoint on the control \
         plane's pods (on 2 of 2: cp-1, w-1)"
    ));
}

#[test]
fn minikube() {
    assert_eq!(answer("minikube"), usual("minikube", "likely"));
}

#[test]
fn gke() {
    assert_eq!(
        answer("gke"),
        "distribution: GKE\n\
         certainty: certain\n\
         cni-bin-dir: /home/kubernetes/bin\n\
         cni-conf-dir: /etc/cni/net.d\n\
         command: juju config istio-pilot cni-bin-dir=/home/kubernetes/bin \
         cni-conf-dir=/etc/cni/net.d"
    );
    assert!(result("gke", "note").contains("ResourceQuota"));
}

#[test]
fn eks() {
    assert_eq!(answer("eks"), usual("EKS", "certain"));
    assert_eq!(
        result("eks", "note"),
        "fargate-ip-10-1-40-9.eu-central-1.compute.internal can run no node agent: pods with a \
         sidecar fail there once the CNI is on"
    );
}

#[test]
fn aks() {
    // The node of Windows neither counts nor is spoken of.
    assert_eq!(answer("aks"), usual("AKS", "certain"));
    assert!(!result("aks", "evidence").contains("akswin"));
}

#[test]
fn talos() {
    assert_eq!(answer("talos"), usual("Talos", "certain"));
    assert!(result("talos", "note").contains("pod-security.kubernetes.io/enforce=privileged"));
}

#[test]
fn openshift() {
    assert_eq!(
        answer("openshift"),
        "distribution: OpenShift\ncertainty: certain"
    );
    assert!(!detection("openshift").has_paths());
    let note = result("openshift", "note");
    for part in [
        "Multus",
        "/var/lib/cni/bin",
        "/etc/cni/multus/net.d",
        "platform=openshift",
    ] {
        assert!(note.contains(part), "{note}");
    }
}

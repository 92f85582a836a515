//! What is recognised of the nodes and system pods of each distribution.
//!
//! The objects in `tests/detect/` are as such a cluster has them, shortened to what matters and
//! some of what does not.
//!
//! After a text has changed, `UPDATE_EXPECT=1 cargo test --test detect` writes the new one here.
#![allow(
    clippy::unwrap_used,
    reason = "tests and their helpers fail by panicking"
)]
#![allow(
    clippy::needless_raw_string_hashes,
    reason = "UPDATE_EXPECT writes them"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use expect_test::expect;
use istio_pilot::detect::{Detection, detect};
use k8s_openapi::api::core::v1::{Node, Pod};
use test_cluster::yaml_documents;

/// Every distribution that is to be recognised, as the files are named.
const DISTRIBUTIONS: [&str; 14] = [
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
    "rancher-desktop",
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

/// The answer as the tool prints it.
fn answer(cluster: &str) -> String {
    detection(cluster).to_text("istio-pilot")
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
fn aks() {
    // The node of Windows neither counts nor is spoken of.
    expect![[r#"
        distribution: AKS
        certainty: certain
        cni-bin-dir: /opt/cni/bin
        cni-conf-dir: /etc/cni/net.d
        command: juju config istio-pilot cni-bin-dir=/opt/cni/bin cni-conf-dir=/etc/cni/net.d
        evidence:
          label kubernetes.azure.com/cluster (on 1 of 1: aks-nodepool1-24187551-vmss000000)
          label kubernetes.azure.com/agentpool (on 1 of 1: aks-nodepool1-24187551-vmss000000)
          node names aks-... (on 1 of 1: aks-nodepool1-24187551-vmss000000)
          provider id azure://... (on 1 of 1: aks-nodepool1-24187551-vmss000000)
          DaemonSet kube-system/azure-cns uses /opt/cni/bin and /etc/cni/net.d (on 1 of 1: aks-nodepool1-24187551-vmss000000)
    "#]].assert_eq(&answer("aks"));
}

#[test]
fn canonical_kubernetes() {
    expect![[r#"
        distribution: Canonical Kubernetes
        certainty: certain
        cni-bin-dir: /opt/cni/bin
        cni-conf-dir: /etc/cni/net.d
        command: juju config istio-pilot cni-bin-dir=/opt/cni/bin cni-conf-dir=/etc/cni/net.d
        evidence:
          label k8sd.io/role (on 2 of 2: k8s-0, k8s-1)
          DaemonSet kube-system/cilium uses /opt/cni/bin and /etc/cni/net.d (on 2 of 2: k8s-0, k8s-1)
        note:
          Cilium removes the configuration of other plugins unless its setting cni.exclusive is false; to check: kubectl get configmap cilium-config -n kube-system -o jsonpath='{.data.cni-exclusive}'
          no pod of kube-proxy is there; where Cilium stands in for it, it may translate the addresses of services inside of pods, before the sidecar sees them, unless its setting socketLB.hostNamespaceOnly is true; to check: kubectl get configmap cilium-config -n kube-system -o jsonpath='{.data.bpf-lb-sock-hostns-only}'
    "#]].assert_eq(&answer("canonical-kubernetes"));
}

#[test]
fn eks() {
    expect![[r#"
        distribution: EKS
        certainty: certain
        cni-bin-dir: /opt/cni/bin
        cni-conf-dir: /etc/cni/net.d
        command: juju config istio-pilot cni-bin-dir=/opt/cni/bin cni-conf-dir=/etc/cni/net.d
        evidence:
          label eks.amazonaws.com/capacityType (on 1 of 1: ip-10-1-33-12.eu-central-1.compute.internal)
          kubelet v1.34.1-eks-113cf36 (on 1 of 1: ip-10-1-33-12.eu-central-1.compute.internal)
          provider id aws://... (on 1 of 1: ip-10-1-33-12.eu-central-1.compute.internal)
          DaemonSet kube-system/aws-node uses /opt/cni/bin and /etc/cni/net.d (on 1 of 1: ip-10-1-33-12.eu-central-1.compute.internal)
        note: fargate-ip-10-1-40-9.eu-central-1.compute.internal can run no node agent: pods with a sidecar fail there once the CNI is on
    "#]].assert_eq(&answer("eks"));
}

#[test]
fn gke() {
    expect![[r#"
        distribution: GKE
        certainty: certain
        cni-bin-dir: /home/kubernetes/bin
        cni-conf-dir: /etc/cni/net.d
        command: juju config istio-pilot cni-bin-dir=/home/kubernetes/bin cni-conf-dir=/etc/cni/net.d
        evidence:
          label cloud.google.com/gke-nodepool (on 2 of 2: gke-prod-default-pool-3c1b7a52-9x4d, gke-prod-default-pool-3c1b7a52-kk2p)
          kubelet v1.33.5-gke.1080000 (on 2 of 2: gke-prod-default-pool-3c1b7a52-9x4d, gke-prod-default-pool-3c1b7a52-kk2p)
          node names gke-... (on 2 of 2: gke-prod-default-pool-3c1b7a52-9x4d, gke-prod-default-pool-3c1b7a52-kk2p)
          provider id gce://... (on 2 of 2: gke-prod-default-pool-3c1b7a52-9x4d, gke-prod-default-pool-3c1b7a52-kk2p)
          DaemonSet kube-system/anetd uses /home/kubernetes/bin and /etc/cni/net.d (on 2 of 2: gke-prod-default-pool-3c1b7a52-9x4d, gke-prod-default-pool-3c1b7a52-kk2p)
        note: GKE admits pods of the priority class system-node-critical, which the node agent has, only to namespaces with a ResourceQuota for it: the model's namespace needs one, with a scopeSelector of scope PriorityClass
    "#]].assert_eq(&answer("gke"));
}

#[test]
fn k3d() {
    expect![[r#"
        distribution: k3d
        certainty: likely
        cni-bin-dir: /var/lib/rancher/k3s/data/cni
        cni-conf-dir: /var/lib/rancher/k3s/agent/etc/cni/net.d
        command: juju config istio-pilot cni-bin-dir=/var/lib/rancher/k3s/data/cni cni-conf-dir=/var/lib/rancher/k3s/agent/etc/cni/net.d
        evidence:
          operating system K3s v1.33.4+k3s1 (on 2 of 2: k3d-mesh-server-0, k3d-mesh-agent-0)
          node names k3d-... (on 2 of 2: k3d-mesh-server-0, k3d-mesh-agent-0)
    "#]].assert_eq(&answer("k3d"));
}

#[test]
fn k3s() {
    expect![[r#"
        distribution: k3s
        certainty: likely
        cni-bin-dir: /var/lib/rancher/k3s/data/cni
        cni-conf-dir: /var/lib/rancher/k3s/agent/etc/cni/net.d
        command: juju config istio-pilot cni-bin-dir=/var/lib/rancher/k3s/data/cni cni-conf-dir=/var/lib/rancher/k3s/agent/etc/cni/net.d
        evidence:
          kubelet v1.33.4+k3s1 (on 2 of 2: edge-1, edge-2)
          annotation k3s.io/hostname (on 2 of 2: edge-1, edge-2)
          provider id k3s://... (on 2 of 2: edge-1, edge-2)
          label node.kubernetes.io/instance-type=k3s (on 2 of 2: edge-1, edge-2)
    "#]].assert_eq(&answer("k3s"));
}

#[test]
fn kind() {
    // kindnet shows only where the configuration is.
    expect![[r#"
        distribution: kind
        certainty: likely
        cni-bin-dir: /opt/cni/bin
        cni-conf-dir: /etc/cni/net.d
        command: juju config istio-pilot cni-bin-dir=/opt/cni/bin cni-conf-dir=/etc/cni/net.d
        evidence:
          provider id kind://... (on 2 of 2: mesh-control-plane, mesh-worker)
          node names ...-control-plane (on 1 of 2: mesh-control-plane)
          DaemonSet kube-system/kindnet uses /etc/cni/net.d (on 2 of 2: mesh-control-plane, mesh-worker)
    "#]].assert_eq(&answer("kind"));
}

#[test]
fn kubeadm() {
    expect![[r#"
        distribution: kubeadm
        certainty: certain
        cni-bin-dir: /opt/cni/bin
        cni-conf-dir: /etc/cni/net.d
        command: juju config istio-pilot cni-bin-dir=/opt/cni/bin cni-conf-dir=/etc/cni/net.d
        evidence:
          annotation kubeadm.kubernetes.io/kube-apiserver.advertise-address.endpoint on the control plane's pods (on 2 of 2: cp-1, w-1)
          DaemonSet calico-system/calico-node uses /opt/cni/bin and /etc/cni/net.d (on 2 of 2: cp-1, w-1)
    "#]].assert_eq(&answer("kubeadm"));
}

#[test]
fn microk8s() {
    expect![[r#"
        distribution: MicroK8s
        certainty: certain
        cni-bin-dir: /var/snap/microk8s/current/opt/cni/bin
        cni-conf-dir: /var/snap/microk8s/current/args/cni-network
        command: juju config istio-pilot cni-bin-dir=/var/snap/microk8s/current/opt/cni/bin cni-conf-dir=/var/snap/microk8s/current/args/cni-network
        evidence:
          label microk8s.io/cluster (on 3 of 3: juju-0, juju-1, juju-2)
          DaemonSet kube-system/calico-node uses /var/snap/microk8s/current/opt/cni/bin and /var/snap/microk8s/current/args/cni-network (on 3 of 3: juju-0, juju-1, juju-2)
        note: snap refresh points /var/snap/microk8s/current to another directory, and the node agent's pods go on with the one that it was when they started: after each refresh run kubectl rollout restart daemonset istio-cni-node in the model's namespace, while no pods are being created
    "#]].assert_eq(&answer("microk8s"));
}

#[test]
fn minikube() {
    expect![[r#"
        distribution: minikube
        certainty: likely
        cni-bin-dir: /opt/cni/bin
        cni-conf-dir: /etc/cni/net.d
        command: juju config istio-pilot cni-bin-dir=/opt/cni/bin cni-conf-dir=/etc/cni/net.d
        evidence:
          label minikube.k8s.io/commit (on 1 of 1: minikube)
          node names minikube... (on 1 of 1: minikube)
    "#]]
    .assert_eq(&answer("minikube"));
}

#[test]
fn openshift() {
    assert!(!detection("openshift").has_paths());
    expect![[r#"
        distribution: OpenShift
        certainty: certain
        evidence:
          label node.openshift.io/os_id (on 1 of 1: ip-10-0-57-188.ec2.internal)
          annotation machineconfiguration.openshift.io/currentConfig (on 1 of 1: ip-10-0-57-188.ec2.internal)
          operating system Red Hat Enterprise Linux CoreOS 9.6.20251023-0 (on 1 of 1: ip-10-0-57-188.ec2.internal)
          DaemonSet openshift-multus/multus uses /var/lib/cni/bin and /etc/kubernetes/cni/net.d (on 1 of 1: ip-10-0-57-188.ec2.internal)
        note: OpenShift calls network plugins through Multus: its plugins are in /var/lib/cni/bin and their configuration in /etc/cni/multus/net.d, but the Istio CNI also has to stand there in a file of its own instead of a chain, be named by a NetworkAttachmentDefinition and an annotation of each pod, and run under the SecurityContextConstraints privileged with the SELinux type spc_t. Leave cni-bin-dir and cni-conf-dir empty; for an Istio CNI there, install Istio with istioctl and --set values.global.platform=openshift, or use OpenShift Service Mesh
    "#]].assert_eq(&answer("openshift"));
}

#[test]
fn rancher_desktop() {
    expect![[r#"
        distribution: Rancher Desktop
        certainty: likely
        cni-bin-dir: /usr/libexec/cni
        cni-conf-dir: /etc/cni/net.d
        command: juju config istio-pilot cni-bin-dir=/usr/libexec/cni cni-conf-dir=/etc/cni/net.d
        evidence: node names lima-rancher-desktop... (on 1 of 1: lima-rancher-desktop)
    "#]]
    .assert_eq(&answer("rancher-desktop"));
}

#[test]
fn rke2() {
    expect![[r#"
        distribution: RKE2
        certainty: certain
        cni-bin-dir: /opt/cni/bin
        cni-conf-dir: /etc/cni/net.d
        command: juju config istio-pilot cni-bin-dir=/opt/cni/bin cni-conf-dir=/etc/cni/net.d
        evidence:
          kubelet v1.33.5+rke2r1 (on 2 of 2: sles-a, sles-b)
          annotation rke2.io/hostname (on 2 of 2: sles-a, sles-b)
          label node.kubernetes.io/instance-type=rke2 (on 2 of 2: sles-a, sles-b)
          DaemonSet kube-system/rke2-canal uses /opt/cni/bin and /etc/cni/net.d (on 2 of 2: sles-a, sles-b)
    "#]].assert_eq(&answer("rke2"));
}

#[test]
fn talos() {
    expect![[r#"
        distribution: Talos
        certainty: certain
        cni-bin-dir: /opt/cni/bin
        cni-conf-dir: /etc/cni/net.d
        command: juju config istio-pilot cni-bin-dir=/opt/cni/bin cni-conf-dir=/etc/cni/net.d
        evidence:
          operating system Talos (v1.11.3) (on 2 of 2: talos-cp-1, talos-w-1)
          kernel 6.12.52-talos (on 2 of 2: talos-cp-1, talos-w-1)
          DaemonSet kube-system/kube-flannel uses /opt/cni/bin and /etc/cni/net.d (on 2 of 2: talos-cp-1, talos-w-1)
        note:
          Talos runs its kubelet in a container that does not see /opt/cni/bin, so the node agent's volume is refused as missing: add /opt/cni/bin to machine.kubelet.extraMounts of every node's machine configuration (source and destination /opt/cni/bin, type bind, options bind, rshared, rw)
          Talos enforces Pod Security baseline by default, and the node agent needs privileged: label the model's namespace with pod-security.kubernetes.io/enforce=privileged
    "#]].assert_eq(&answer("talos"));
}

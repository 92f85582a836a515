//! What else people must know about a cluster before they set the options.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{Node, Pod};

use super::directories::Directories;
use super::distribution::{Distribution, k3s};
use super::plugins::Mounts;
use super::{NodeFacts, report};
use crate::k8s::node;
use crate::text::up_to_three;

/// What the notes follow from.
pub(super) struct Shown<'a> {
    pub(super) distributions: &'a BTreeSet<Distribution>,
    /// The nodes that can run the node agent.
    pub(super) nodes: &'a [&'a Node],
    pub(super) virtual_nodes: &'a [&'a Node],
    pub(super) facts: &'a [NodeFacts<'a>],
    pub(super) mounts: &'a BTreeMap<&'a str, Vec<Mounts>>,
    /// Pods in the network of their node.
    pub(super) pods: &'a [Pod],
}

/// The notes about a cluster, what its distribution needs first.
pub(super) fn of(shown: &Shown<'_>) -> Vec<String> {
    let mut notes: Vec<String> = shown
        .distributions
        .iter()
        .flat_map(|it| of_distribution(*it, shown.nodes))
        .map(str::to_owned)
        .collect();
    notes.extend(of_unusual_directories(shown.facts));
    notes.extend(of_selinux(shown.nodes));
    let has = |is: fn(&Mounts) -> bool| shown.mounts.values().flatten().any(is);
    if has(Mounts::is_cilium) {
        notes.push(CILIUM_EXCLUSIVE.to_owned());
        if !shown.pods.iter().any(is_kube_proxy) {
            notes.push(CILIUM_WITHOUT_KUBE_PROXY.to_owned());
        }
    }
    // On OpenShift the answer itself speaks of it.
    if has(Mounts::is_multus) && !shown.distributions.contains(&Distribution::OpenShift) {
        notes.push(MULTUS.to_owned());
    }
    notes.extend(of_virtual_nodes(shown.virtual_nodes));
    notes
}

fn of_distribution(distribution: Distribution, nodes: &[&Node]) -> Vec<&'static str> {
    match distribution {
        Distribution::Gke => vec![GKE],
        Distribution::Talos => vec![TALOS_KUBELET, TALOS_POD_SECURITY],
        Distribution::MicroK8s => vec![MICROK8S],
        Distribution::K3s if nodes.iter().any(|node| k3s::moves_on_upgrade(node)) => vec![OLD_K3S],
        _ => Vec::new(),
    }
}

fn of_unusual_directories(facts: &[NodeFacts<'_>]) -> Option<String> {
    let is_unusual = |node: &&NodeFacts| matches!(node.directories, Directories::Unusual(_));
    let unusual: Vec<_> = facts.iter().filter(is_unusual).map(|it| it.name).collect();
    (!unusual.is_empty()).then(|| {
        format!(
            "the network plugin on {} uses other directories than its distribution does by \
             default; to make sure, {}",
            up_to_three(&unusual),
            report::HOW_TO_LOOK
        )
    })
}

/// Nodes do not show whether `SELinux` is on. These systems enforce it as they are installed.
fn of_selinux(nodes: &[&Node]) -> Option<String> {
    let enforces = |node: &&&Node| {
        let image = node::system_info(node).map_or("", |it| it.os_image.as_str());
        ENFORCE_SELINUX.iter().any(|start| image.starts_with(start))
    };
    let nodes: Vec<_> = nodes
        .iter()
        .filter(enforces)
        .map(|it| node::name(it))
        .collect();
    (!nodes.is_empty()).then(|| {
        format!(
            "the operating system of {} enforces SELinux unless that was changed, and then may not \
             let the node agent, which asks for no SELinux type of its own, write to the node (its \
             log says permission denied): allow that by the nodes' policy, or leave cni-bin-dir and \
             cni-conf-dir empty",
            up_to_three(&nodes)
        )
    })
}

fn of_virtual_nodes(nodes: &[&Node]) -> Option<String> {
    let names: Vec<_> = nodes.iter().map(|node| node::name(node)).collect();
    (!names.is_empty()).then(|| {
        format!(
            "{} can run no node agent: pods with a sidecar fail there once the CNI is on",
            up_to_three(&names)
        )
    })
}

/// kube-proxy as kubeadm and the clouds run it: a DaemonSet or static pods.
fn is_kube_proxy(pod: &Pod) -> bool {
    let name = pod.metadata.name.as_deref().unwrap_or_default();
    name.starts_with("kube-proxy")
}

/// How the names of operating systems begin that enforce `SELinux` by default. (Amazon Linux 2023
/// does not; Red Hat Enterprise Linux `CoreOS` is that of `OpenShift`.)
const ENFORCE_SELINUX: [&str; 10] = [
    "Bottlerocket",
    "Red Hat Enterprise Linux 8",
    "Red Hat Enterprise Linux 9",
    "Red Hat Enterprise Linux 10",
    "Rocky Linux",
    "AlmaLinux",
    "CentOS",
    "Fedora",
    "Oracle Linux",
    "SUSE Linux Micro",
];

/// <https://istio.io/latest/docs/ambient/install/platform-prerequisites/#namespace-restrictions>
const GKE: &str = "GKE admits pods of the priority class system-node-critical, which the node agent \
     has, only to namespaces with a ResourceQuota for it: the model's namespace needs one, with a \
     scopeSelector of scope PriorityClass";

/// The mounts of Talos's kubelet are in `internal/app/machined/pkg/system/services/kubelet.go`:
/// `/etc/cni` is one, `/opt/cni` is none. The node agent's volumes have the type Directory, which
/// the kubelet checks where it runs.
const TALOS_KUBELET: &str = "Talos runs its kubelet in a container that does not see /opt/cni/bin, \
     so the node agent's volume is refused as missing: add /opt/cni/bin to \
     machine.kubelet.extraMounts of every node's machine configuration (source and destination \
     /opt/cni/bin, type bind, options bind, rshared, rw)";

/// <https://www.talos.dev/latest/kubernetes-guides/configuration/pod-security/>
const TALOS_POD_SECURITY: &str = "Talos enforces Pod Security baseline by default, and the node \
     agent needs privileged: label the model's namespace with \
     pod-security.kubernetes.io/enforce=privileged";

/// canonical/microk8s issue 5583.
const MICROK8S: &str = "snap refresh points /var/snap/microk8s/current to another directory, and the \
     node agent's pods go on with the one that it was when they started: after each refresh run \
     kubectl rollout restart daemonset istio-cni-node in the model's namespace, while no pods are \
     being created";

const OLD_K3S: &str = "this k3s keeps its plugins in a directory that changes when k3s is upgraded: \
     restart the DaemonSet istio-cni-node after that; from v1.28.15, v1.29.10, v1.30.6 and v1.31.2 \
     on it no longer changes";

/// Cilium removes the configuration of other plugins by default
/// (<https://istio.io/latest/docs/ambient/install/platform-prerequisites/#cilium>).
const CILIUM_EXCLUSIVE: &str = "Cilium removes the configuration of other plugins unless its setting \
     cni.exclusive is false; to check: kubectl get configmap cilium-config -n kube-system -o \
     jsonpath='{.data.cni-exclusive}'";

/// <https://docs.cilium.io/en/stable/network/servicemesh/istio/>
const CILIUM_WITHOUT_KUBE_PROXY: &str = "no pod of kube-proxy is there; where Cilium stands in for \
     it, it may translate the addresses of services inside of pods, before the sidecar sees them, \
     unless its setting socketLB.hostNamespaceOnly is true; to check: kubectl get \
     configmap cilium-config -n kube-system -o jsonpath='{.data.bpf-lb-sock-hostns-only}'";

/// k8snetworkplumbingwg/multus-cni issue 971.
const MULTUS: &str = "Multus calls the other network plugins there, with a configuration that it \
     generates when it starts: the Istio CNI works only where it is part of that one. After both \
     options are set, create a pod with a sidecar on every kind of node, and see that its \
     istio-validation ends well, before all others are created again";

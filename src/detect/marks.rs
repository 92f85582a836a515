//! What a node says about itself, and which distribution that shows.

use k8s_openapi::api::core::v1::{Node, Pod};

use super::distribution::Distribution;
use crate::k8s::node;

/// A distribution that a node shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Recognition {
    pub(super) distribution: Distribution,
    pub(super) strength: Strength,
    /// What shows the distribution, for people.
    pub(super) evidence: Vec<String>,
}

/// How much a mark is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Strength {
    /// A habit that others may have too, such as names and the cloud.
    Weak,
    /// Only the distribution itself sets it.
    Strong,
}

/// Something on a node that shows its distribution.
#[derive(Clone, Copy)]
enum Mark {
    /// A label whose key has this beginning.
    Label(&'static str),
    /// A label with this value.
    LabelValue(&'static str, &'static str),
    /// An annotation whose key has this beginning.
    Annotation(&'static str),
    /// A part of the kubelet's version.
    Kubelet(&'static str),
    /// The beginning of the operating system's name.
    OsImage(&'static str),
    /// The end of the kernel's version.
    Kernel(&'static str),
    /// The beginning of the provider's id.
    Provider(&'static str),
    /// The beginning of the node's name.
    Name(&'static str),
    /// The end of the node's name.
    NameEnd(&'static str),
}

use Distribution::{
    Aks, CanonicalKubernetes, Eks, Gke, K3d, K3s, Kind, Kubeadm, MicroK8s, Minikube, OpenShift,
    RancherDesktop, Rke2, Talos,
};
use Mark::{Annotation, Kernel, Kubelet, Label, LabelValue, Name, NameEnd, OsImage, Provider};
use Strength::{Strong, Weak};

/// All marks. A node has the first distribution of this table with a strong mark on it, or else the
/// first with a weak one: distributions that build on kubeadm or k3s come before those.
///
/// Sources: the labels that the snaps of MicroK8s (`microk8s.io/cluster`) and Canonical Kubernetes
/// (`src/k8s/pkg/k8sd/setup/kubelet.go`: `k8sd.io/role`) give to their kubelets; k3s and RKE2
/// (`pkg/agent/run.go`, `pkg/nodeconfig`: provider, instance type, `node-args`;
/// `package/Dockerfile` of k3s: the operating system's name in its image); Talos
/// (`/etc/os-release`, kernel suffix); Rancher Desktop (its Lima instance, and `/etc/os-release` of
/// its WSL distribution); the clouds' documentation of node labels; kind
/// (`providerID`); minikube (`minikube.k8s.io/`); kubeadm (`cmd/kubeadm/app/constants`, its
/// annotation disappears with the feature `NodeLocalCRISocket`); OpenShift
/// (machine-config-operator).
const MARKS: &[(Distribution, Strength, Mark)] = &[
    (OpenShift, Strong, Label("node.openshift.io/")),
    (
        OpenShift,
        Strong,
        Annotation("machineconfiguration.openshift.io/"),
    ),
    (
        OpenShift,
        Strong,
        OsImage("Red Hat Enterprise Linux CoreOS"),
    ),
    (MicroK8s, Strong, Label("microk8s.io/cluster")),
    (CanonicalKubernetes, Strong, Label("k8sd.io/")),
    (Rke2, Strong, Kubelet("+rke2")),
    (Rke2, Strong, Annotation("rke2.io/")),
    (
        Rke2,
        Strong,
        LabelValue("node.kubernetes.io/instance-type", "rke2"),
    ),
    (RancherDesktop, Strong, OsImage("Rancher Desktop ")),
    (RancherDesktop, Strong, Name("lima-rancher-desktop")),
    (K3d, Strong, OsImage("K3s ")),
    (K3s, Strong, Kubelet("+k3s")),
    (K3s, Strong, Annotation("k3s.io/")),
    (K3s, Strong, Provider("k3s://")),
    (
        K3s,
        Strong,
        LabelValue("node.kubernetes.io/instance-type", "k3s"),
    ),
    (Talos, Strong, OsImage("Talos (")),
    (Talos, Strong, Kernel("-talos")),
    (Gke, Strong, Label("cloud.google.com/gke-nodepool")),
    (Gke, Strong, Kubelet("-gke.")),
    (Eks, Strong, Label("eks.amazonaws.com/")),
    (Eks, Strong, Kubelet("-eks-")),
    (Aks, Strong, Label("kubernetes.azure.com/cluster")),
    (Aks, Strong, Label("kubernetes.azure.com/agentpool")),
    (Minikube, Strong, Label("minikube.k8s.io/")),
    (Kind, Strong, Provider("kind://")),
    (Kubeadm, Strong, Annotation("kubeadm.alpha.kubernetes.io/")),
    (K3d, Weak, Name("k3d-")),
    (Gke, Weak, Name("gke-")),
    (Gke, Weak, Name("gk3-")),
    (Gke, Weak, Provider("gce://")),
    (Eks, Weak, Provider("aws://")),
    (Aks, Weak, Name("aks-")),
    (Aks, Weak, Provider("azure://")),
    (Minikube, Weak, Name("minikube")),
    (Kind, Weak, NameEnd("-control-plane")),
];

/// The distribution that a node shows, with all evidence.
pub(super) fn recognise(node: &Node) -> Option<Recognition> {
    let found = |wanted: Strength| {
        let mut marks = MARKS.iter().filter(|(_, strength, _)| *strength == wanted);
        marks.find_map(|(distribution, strength, mark)| {
            mark.on(node).map(|_| (*distribution, *strength))
        })
    };
    let (distribution, strength) = found(Strong).or_else(|| found(Weak))?;
    let marks = MARKS.iter().filter(|(of, ..)| *of == distribution);
    Some(Recognition {
        distribution,
        strength,
        evidence: marks.filter_map(|(.., mark)| mark.on(node)).collect(),
    })
}

/// Whether kubeadm has set up the control plane, as the annotations of its static pods show.
///
/// Its newer versions leave no mark on the nodes.
pub(super) fn kubeadm_pods(host_network_pods: &[Pod]) -> Option<Recognition> {
    let of_kubeadm = |key: &&String| key.starts_with("kubeadm.kubernetes.io/");
    let mut annotations = host_network_pods
        .iter()
        .filter_map(|pod| pod.metadata.annotations.as_ref());
    let key = annotations.find_map(|it| it.keys().find(of_kubeadm))?;
    Some(Recognition {
        distribution: Kubeadm,
        strength: Strong,
        evidence: vec![format!("annotation {key} on the control plane's pods")],
    })
}

impl Mark {
    /// This mark on a node, in words for people; `None` when the node does not have it.
    fn on(self, node: &Node) -> Option<String> {
        let info = node::system_info(node);
        let shown = |what: &str, value: &str, found: bool| found.then(|| format!("{what} {value}"));
        match self {
            Label(prefix) => {
                let mut keys = node.metadata.labels.iter().flat_map(|it| it.keys());
                let key = keys.find(|key| key.starts_with(prefix))?;
                Some(format!("label {key}"))
            }
            LabelValue(key, wanted) => {
                let value = node.metadata.labels.as_ref()?.get(key)?;
                (value == wanted).then(|| format!("label {key}={wanted}"))
            }
            Annotation(prefix) => {
                let mut keys = node.metadata.annotations.iter().flat_map(|it| it.keys());
                let key = keys.find(|key| key.starts_with(prefix))?;
                Some(format!("annotation {key}"))
            }
            Kubelet(part) => {
                let version = &info?.kubelet_version;
                shown("kubelet", version, version.contains(part))
            }
            OsImage(start) => {
                let image = &info?.os_image;
                shown("operating system", image, image.starts_with(start))
            }
            Kernel(end) => {
                let version = &info?.kernel_version;
                shown("kernel", version, version.ends_with(end))
            }
            Provider(start) => {
                let id = node.spec.as_ref()?.provider_id.as_deref()?;
                id.starts_with(start)
                    .then(|| format!("provider id {start}..."))
            }
            Name(start) => node::name(node)
                .starts_with(start)
                .then(|| format!("node names {start}...")),
            NameEnd(end) => node::name(node)
                .ends_with(end)
                .then(|| format!("node names ...{end}")),
        }
    }
}

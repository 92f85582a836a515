//! The distributions of Kubernetes that this charm knows, and their CNI directories.

pub(super) mod k3s;

use std::fmt;

use k8s_openapi::api::core::v1::Node;

use crate::intent::cni_paths::CniPaths;
use crate::k8s::node;

/// A distribution of Kubernetes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Distribution {
    /// Azure Kubernetes Service.
    Aks,
    /// Canonical Kubernetes, the snap `k8s`.
    CanonicalKubernetes,
    /// Amazon Elastic Kubernetes Service.
    Eks,
    /// Google Kubernetes Engine.
    Gke,
    /// k3s in containers.
    K3d,
    /// k3s on machines.
    K3s,
    /// Kubernetes in Docker.
    Kind,
    /// Set up by kubeadm, and not by anything more specific.
    Kubeadm,
    /// MicroK8s, the snap `microk8s`.
    MicroK8s,
    /// minikube.
    Minikube,
    /// Red Hat OpenShift, or OKD.
    OpenShift,
    /// Rancher Desktop: k3s in a virtual machine, with a container runtime beside it.
    RancherDesktop,
    /// RKE2.
    Rke2,
    /// Talos Linux.
    Talos,
}

/// The directories that a distribution's nodes have, unless something shows others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Usual {
    /// These directories.
    Known(CniPaths),
    /// Perhaps these directories; the text says why that is uncertain.
    Assumed(CniPaths, &'static str),
    /// Directories alone are not enough; the text says why, and what would be.
    NotEnough(&'static str),
}

impl Usual {
    /// The same, when the distribution itself is uncertain.
    pub(super) fn in_doubt(self) -> Self {
        match self {
            Self::Known(paths) => Self::Assumed(
                paths,
                "only the names of its nodes, or the cloud, speak for this distribution",
            ),
            other => other,
        }
    }
}

/// The directories of the CNI's own tools, which are also containerd's defaults.
const STANDARD: (&str, &str) = ("/opt/cni/bin", "/etc/cni/net.d");

impl fmt::Display for Distribution {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Aks => "AKS",
            Self::CanonicalKubernetes => "Canonical Kubernetes",
            Self::Eks => "EKS",
            Self::Gke => "GKE",
            Self::K3d => "k3d",
            Self::K3s => "k3s",
            Self::Kind => "kind",
            Self::Kubeadm => "kubeadm",
            Self::MicroK8s => "MicroK8s",
            Self::Minikube => "minikube",
            Self::OpenShift => "OpenShift",
            Self::RancherDesktop => "Rancher Desktop",
            Self::Rke2 => "RKE2",
            Self::Talos => "Talos",
        })
    }
}

impl Distribution {
    /// The directories of a node of this distribution.
    ///
    /// Sources: Istio 1.31's platform profiles (`manifests/helm-profiles/platform-*.yaml`) for GKE
    /// (and `manifests/charts/istio-cni/templates/daemonset.yaml`), k3s, MicroK8s and OpenShift;
    /// Canonical Kubernetes: `CNIBinDir` and `CNIConfDir` in `src/k8s/pkg/snap/snap.go`; RKE2:
    /// Rancher's page "Additional Steps for Installing Istio on RKE2 and K3s Clusters"; Talos: the
    /// Flannel that it brings; AKS and EKS: the mounts of `azure-cns` and `aws-node`; kind,
    /// minikube and kubeadm: containerd's and CRI-O's defaults, which they keep; Rancher Desktop: its
    /// `service-cri-dockerd.initd` and `k3s-containerd-config.toml`.
    pub(super) fn usual(self, node: &Node) -> Usual {
        match self {
            Self::MicroK8s => known(
                "/var/snap/microk8s/current/opt/cni/bin",
                "/var/snap/microk8s/current/args/cni-network",
            ),
            Self::K3s | Self::K3d => k3s::usual(node, self == Self::K3d),
            Self::RancherDesktop if k3s::has_runtime_of_its_own(node) => {
                known("/usr/libexec/cni", STANDARD.1)
            }
            Self::RancherDesktop => k3s::usual(node, false),
            Self::Gke if is_autopilot(node) => Usual::NotEnough(AUTOPILOT),
            // /opt/cni/bin is read-only there.
            Self::Gke => known("/home/kubernetes/bin", STANDARD.1),
            Self::Eks if is_auto_mode(node) => assumed(
                STANDARD,
                "EKS Auto Mode runs its network outside of pods, and shows no directories",
            ),
            Self::OpenShift => Usual::NotEnough(OPENSHIFT),
            Self::Aks
            | Self::CanonicalKubernetes
            | Self::Eks
            | Self::Kind
            | Self::Kubeadm
            | Self::Minikube
            | Self::Rke2
            | Self::Talos => known(STANDARD.0, STANDARD.1),
        }
    }
}

/// What Istio's own profile for OpenShift sets, but these two options cannot set
/// (`manifests/helm-profiles/platform-openshift.yaml` of Istio 1.31, and
/// <https://istio.io/latest/docs/setup/platform-setup/openshift/>).
const OPENSHIFT: &str = "OpenShift calls network plugins through Multus: its plugins are in \
     /var/lib/cni/bin and their configuration in /etc/cni/multus/net.d, but the Istio CNI also has \
     to stand there in a file of its own instead of a chain, be named by a \
     NetworkAttachmentDefinition and an annotation of each pod, and run under the \
     SecurityContextConstraints privileged with the SELinux type spc_t. Leave cni-bin-dir and \
     cni-conf-dir empty; for an Istio CNI there, install Istio with istioctl and \
     --set values.global.platform=openshift, or use OpenShift Service Mesh";

/// Autopilot's admission does not allow pods to write to directories of a node (istio/istio.io pull
/// request 16266), but allows NET_ADMIN on request
/// (<https://wdenniss.com/byo-service-mesh-on-gke-autopilot>).
const AUTOPILOT: &str = "the nodes have the names of GKE Autopilot, which refuses the node agent: \
     no pod may write to directories of a node there. Leave cni-bin-dir and cni-conf-dir empty, and \
     have Autopilot accept istio-init: gcloud container clusters update NAME \
     --workload-policies=allow-net-admin";

fn known(bin_dir: &str, conf_dir: &str) -> Usual {
    Usual::Known(paths((bin_dir, conf_dir)))
}

fn assumed(directories: (&str, &str), doubt: &'static str) -> Usual {
    Usual::Assumed(paths(directories), doubt)
}

fn paths((bin_dir, conf_dir): (&str, &str)) -> CniPaths {
    CniPaths {
        bin_dir: bin_dir.to_owned(),
        conf_dir: conf_dir.to_owned(),
    }
}

/// Only nodes of GKE Autopilot have names that begin like this.
fn is_autopilot(node: &Node) -> bool {
    node::name(node).starts_with("gk3-")
}

fn is_auto_mode(node: &Node) -> bool {
    let labels = node.metadata.labels.as_ref();
    let kind = labels.and_then(|it| it.get("eks.amazonaws.com/compute-type"));
    kind.is_some_and(|it| it == "auto")
}

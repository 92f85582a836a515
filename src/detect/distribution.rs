//! The distributions of Kubernetes that this charm knows, and their CNI directories.

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
    /// minikube and kubeadm: containerd's and CRI-O's defaults, which they keep.
    pub(super) fn usual(self, node: &Node) -> Usual {
        match self {
            Self::MicroK8s => known(
                "/var/snap/microk8s/current/opt/cni/bin",
                "/var/snap/microk8s/current/args/cni-network",
            ),
            Self::K3s | Self::K3d => k3s(node, self == Self::K3d),
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

    /// What else people must know about clusters of this distribution.
    pub(super) fn notes(self, nodes: &[&Node]) -> Vec<&'static str> {
        match self {
            // <https://istio.io/latest/docs/ambient/install/platform-prerequisites/#namespace-restrictions>
            Self::Gke => vec![
                "GKE admits pods of the priority class system-node-critical, which the node agent \
                 has, only to namespaces with a ResourceQuota for it: the model's namespace needs \
                 one, with a scopeSelector of scope PriorityClass",
            ],
            // <https://www.talos.dev/latest/kubernetes-guides/configuration/pod-security/>
            Self::Talos => vec![
                "Talos enforces Pod Security baseline by default, and the node agent needs \
                 privileged: label the model's namespace with \
                 pod-security.kubernetes.io/enforce=privileged",
            ],
            Self::K3s if nodes.iter().any(|node| moves_on_upgrade(node)) => vec![
                "this k3s keeps its plugins in a directory that changes when k3s is upgraded: \
                 restart the DaemonSet istio-cni-node after that; from v1.28.15, v1.29.10, \
                 v1.30.6 and v1.31.2 on it no longer changes",
            ],
            _ => Vec::new(),
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

/// k3s with its built-in Flannel has everything below its data directory. With another network
/// plugin k3s keeps containerd's defaults (`pkg/agent/templates`: `NoFlannel`).
///
/// On machines, plugins are in `data/cni` since k3s pull request 10868. In k3s's own image they
/// were in `/bin` until pull request 11790.
fn k3s(node: &Node, in_container: bool) -> Usual {
    let annotation = |key: &str| node.metadata.annotations.as_ref()?.get(key);
    if annotation("flannel.alpha.coreos.com/backend-type").is_none() {
        return assumed(
            STANDARD,
            "k3s runs without its own Flannel there, and no other network plugin shows its \
             directories",
        );
    }
    let arguments = annotation("k3s.io/node-args").map_or("", String::as_str);
    let data = data_directory(arguments).unwrap_or_else(|| "/var/lib/rancher/k3s".to_owned());
    let conf_dir = format!("{data}/agent/etc/cni/net.d");
    let bin_dir = match (in_container, version(node)) {
        (true, Some(version)) if version < static_in_image(version) => "/bin".to_owned(),
        (false, Some(version)) if version < static_on_machines(version) => {
            format!("{data}/data/current/bin")
        }
        _ => format!("{data}/data/cni"),
    };
    Usual::Known(CniPaths { bin_dir, conf_dir })
}

fn moves_on_upgrade(node: &Node) -> bool {
    version(node).is_some_and(|version| version < static_on_machines(version))
}

/// Minor and patch version.
type Version = (u32, u32);

/// The first version of this minor release with `data/cni` on machines.
fn static_on_machines((minor, _): Version) -> Version {
    match minor {
        ..=28 => (28, 15),
        29 => (29, 10),
        30 => (30, 6),
        31 => (31, 2),
        later => (later, 0),
    }
}

/// The first version of this minor release with `data/cni` in k3s's image.
fn static_in_image((minor, _): Version) -> Version {
    match minor {
        ..=29 => (29, 15),
        30 => (30, 11),
        31 => (31, 7),
        32 => (32, 3),
        later => (later, 0),
    }
}

/// Minor and patch version of a kubelet such as `v1.31.2+k3s1`.
fn version(node: &Node) -> Option<Version> {
    let version = node::system_info(node)?
        .kubelet_version
        .strip_prefix("v1.")?;
    let (minor, rest) = version.split_once('.')?;
    let end = rest.find(|letter: char| !letter.is_ascii_digit());
    let patch = &rest[..end.unwrap_or(rest.len())];
    Some((minor.parse().ok()?, patch.parse().ok()?))
}

/// The data directory among the arguments of k3s, which a node has as a JSON list.
fn data_directory(arguments: &str) -> Option<String> {
    let arguments: Vec<String> = serde_json::from_str(arguments).ok()?;
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        let value = match argument.split_once('=') {
            Some(("--data-dir" | "-d", value)) => Some(value.to_owned()),
            None if argument == "--data-dir" || argument == "-d" => arguments.next(),
            _ => None,
        };
        if let Some(value) = value.filter(|it| it.starts_with('/')) {
            return Some(value.trim_end_matches('/').to_owned());
        }
    }
    None
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

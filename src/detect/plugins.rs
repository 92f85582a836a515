//! The network plugins that run on the nodes, and the directories that they use.

use std::collections::BTreeMap;
use std::fmt;

use k8s_openapi::api::core::v1::Pod;

use crate::k8s::pod;

/// The label of Istio's own node agent, which does not count: somebody has set its directories.
const ISTIO_NODE_AGENT: (&str, &str) = ("k8s-app", "istio-cni-node");

/// What the mounts of one network plugin's pod show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mounts {
    /// Namespace and name of its DaemonSet.
    daemon_set: String,
    pub(super) bin_dir: Option<String>,
    pub(super) conf_dir: Option<String>,
}

impl Mounts {
    pub(super) fn is_cilium(&self) -> bool {
        self.name() == "cilium" || self.name().ends_with("-cilium")
    }

    pub(super) fn is_multus(&self) -> bool {
        self.name().contains("multus")
    }

    fn name(&self) -> &str {
        self.daemon_set.rsplit('/').next().unwrap_or_default()
    }
}

impl fmt::Display for Mounts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "DaemonSet {} uses", self.daemon_set)?;
        let shown = [&self.bin_dir, &self.conf_dir];
        let shown: Vec<_> = shown.into_iter().flatten().map(String::as_str).collect();
        write!(formatter, " {}", shown.join(" and "))
    }
}

/// The network plugins of every node, by the node's name.
///
/// Whatever a distribution calls the directories, the installers of plugins have them under the
/// names of the CNI's own tools inside their containers: Calico, Canal, Cilium, Flannel, kindnet,
/// the plugins of the clouds, Antrea, Multus and others all mount them at `/opt/cni/bin` and
/// `/etc/cni/net.d`, often below `/host`. Only ready pods of DaemonSets count,
/// and none that is being deleted.
pub(super) fn mounts(host_network_pods: &[Pod]) -> BTreeMap<&str, Vec<Mounts>> {
    let mut found: BTreeMap<&str, Vec<Mounts>> = BTreeMap::new();
    let stays = |pod: &&Pod| pod.metadata.deletion_timestamp.is_none() && pod::is_ready(pod);
    for pod in host_network_pods.iter().filter(stays) {
        if let (Some(node), Some(mounts)) = (pod::node(pod), of_pod(pod)) {
            found.entry(node).or_default().push(mounts);
        }
    }
    for mounts in found.values_mut() {
        mounts.sort_by(|one, other| one.daemon_set.cmp(&other.daemon_set));
    }
    found
}

fn of_pod(pod: &Pod) -> Option<Mounts> {
    let (key, value) = ISTIO_NODE_AGENT;
    let labels = pod.metadata.labels.as_ref();
    if labels
        .and_then(|it| it.get(key))
        .is_some_and(|it| it == value)
    {
        return None;
    }
    let mut owners = pod.metadata.owner_references.iter().flatten();
    let owner = owners.find(|owner| owner.controller == Some(true) && owner.kind == "DaemonSet")?;
    let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
    let bin_dir = host_path(pod, "/opt/cni/bin");
    let conf_dir = host_path(pod, "/etc/cni/net.d");
    (bin_dir.is_some() || conf_dir.is_some()).then(|| Mounts {
        daemon_set: format!("{namespace}/{}", owner.name),
        bin_dir,
        conf_dir,
    })
}

/// The node's directory that a container of the pod mounts at a path with this end.
fn host_path(pod: &Pod, end: &str) -> Option<String> {
    let spec = pod.spec.as_ref()?;
    let init = spec.init_containers.iter().flatten();
    let containers = init.chain(&spec.containers);
    let mut mounts = containers.flat_map(|it| &it.volume_mounts).flatten();
    let mount = mounts.find(|mount| {
        // A mount with a sub path does not show the volume's own directory.
        mount.sub_path.is_none() && mount.mount_path.trim_end_matches('/').ends_with(end)
    })?;
    let mut volumes = spec.volumes.iter().flatten();
    let volume = volumes.find(|it| it.name == mount.name)?;
    let path = volume.host_path.as_ref()?.path.trim_end_matches('/');
    (!path.is_empty()).then(|| path.to_owned())
}

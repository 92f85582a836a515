//! What a test may choose about its cluster.

use crate::Program;

/// How a cluster is made. [`Options::default`] serves most tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Number of simulated nodes, named `node1`, `node2`, ...; 3 by default. They are Ready when
    /// the cluster has started.
    pub nodes: u16,
    /// Whether kube-controller-manager, kube-scheduler and kwok run; true by default. Without
    /// them the API server stores objects and nothing acts on them: no rollouts, no garbage
    /// collection, namespaces never finish deleting, nodes are not created.
    pub controllers: bool,
    /// Whether each request is recorded for [`crate::TestCluster::audit_requests`]; false by
    /// default.
    pub audit: bool,
    /// Further flags of kube-apiserver, such as `--feature-gates=...`; none by default.
    pub api_server_flags: Vec<String>,
    /// The Kubernetes version that the nodes report, as kubelet writes it; `v1.37.2` by default.
    /// The API server is always 1.37.2.
    pub kubelet_version: String,
    /// Whether the cluster's addresses are ones that the pods of a [`crate::RealNode`] reach,
    /// instead of loopback addresses; false by default. There are no simulated nodes then. Only
    /// inside of a [`crate::Enclosure`]: the address of the API server is put on the loopback
    /// interface.
    pub real_node: bool,
}

impl Options {
    /// What plays the nodes, if they are simulated.
    pub(super) fn simulator(&self) -> Option<Program> {
        (self.controllers && !self.real_node).then_some(Program::Kwok)
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            nodes: 3,
            controllers: true,
            audit: false,
            api_server_flags: Vec::new(),
            kubelet_version: "v1.37.2".to_owned(),
            real_node: false,
        }
    }
}

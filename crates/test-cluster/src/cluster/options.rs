//! What a test may choose about its cluster.

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
}

impl Default for Options {
    fn default() -> Self {
        Self {
            nodes: 3,
            controllers: true,
            audit: false,
            api_server_flags: Vec::new(),
            kubelet_version: "v1.37.2".to_owned(),
        }
    }
}

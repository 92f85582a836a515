//! What a control plane shall be: the typed values from which every object is rendered.

use serde::Serialize;

use crate::k8s::version::KubernetesVersion;

/// The directories of the nodes that the Istio CNI node agent writes to, already validated.
///
/// Both are absolute, without a trailing slash, and differ
/// (the rules stand in [`crate::configuration`]).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CniPaths {
    /// Where the container runtime looks for CNI plugins; config option `cni-bin-dir`.
    pub bin_dir: String,
    /// Where the container runtime looks for CNI configuration; config option `cni-conf-dir`.
    pub conf_dir: String,
}

/// What redirects a new pod's traffic to its sidecar, decided by the injection configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Injection {
    /// The privileged init container `istio-init` (`NET_ADMIN`, `NET_RAW`).
    IstioInit,
    /// The node agent; the pod gets the unprivileged init container `istio-validation`.
    IstioValidation,
}

/// The init container with `NET_ADMIN` and `NET_RAW`.
pub const ISTIO_INIT: &str = "istio-init";
/// The init container that checks the node agent's work.
pub const ISTIO_VALIDATION: &str = "istio-validation";

impl Injection {
    /// The init container that a new pod gets.
    pub fn init_container(self) -> &'static str {
        match self {
            Self::IstioInit => ISTIO_INIT,
            Self::IstioValidation => ISTIO_VALIDATION,
        }
    }
}

/// The images, as whole references such as `docker.io/istio/pilot:1.31.1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Images {
    /// Registry and repository prefix for images named without one; `docker.io/istio`.
    pub hub: String,
    /// Tag for images named without one; `1.31.1`.
    pub tag: String,
    /// istiod.
    pub pilot: String,
    /// Sidecars and gateways.
    pub proxy: String,
    /// The init containers `istio-init` and `istio-validation`.
    pub proxy_init: String,
    /// The CNI node agent.
    pub cni: String,
    /// The init container of the gRPC templates; `busybox:1.28`.
    pub grpc_bootstrap_init: String,
}

/// Everything that decides the objects of one control plane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlPlane {
    /// The Juju application's name.
    pub application: String,
    /// The namespace of the Juju model, where the control plane lives.
    pub namespace: String,
    /// The images in use.
    pub images: Images,
    /// The node agent's directories; `None` when there shall be no node agent.
    pub node_agent: Option<CniPaths>,
    /// What new pods get.
    pub injection: Injection,
    /// The API server's version.
    pub kubernetes: KubernetesVersion,
}

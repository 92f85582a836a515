//! What Istio calls things: its release, its init containers, and the objects of a control plane.

pub mod names;

/// The Istio version that this charm installs.
pub const ISTIO_VERSION: &str = "1.31.1";

/// The revision of every control plane that this charm installs.
pub const REVISION: &str = "default";

/// The init container with `NET_ADMIN` and `NET_RAW`.
pub const ISTIO_INIT: &str = "istio-init";
/// The init container that checks the node agent's work.
pub const ISTIO_VALIDATION: &str = "istio-validation";

/// Port of istiod for proxies: configuration and certificates
/// (`pilot/cmd/pilot-discovery/app/cmd.go`, Istio 1.31).
pub const DISCOVERY_PORT: u16 = 15012;

/// Port of istiod, and of each node agent, for their metrics
/// (`pilot/cmd/pilot-discovery/app/cmd.go` and `cni/pkg/cmd/root.go`, Istio 1.31).
pub const METRICS_PORT: u16 = 15014;

/// What redirects a new pod's traffic to its sidecar, decided by the injection configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Injection {
    /// The privileged init container `istio-init` (`NET_ADMIN`, `NET_RAW`).
    IstioInit,
    /// The node agent; the pod gets the unprivileged init container `istio-validation`.
    IstioValidation,
}

impl Injection {
    /// The init container that a new pod gets.
    pub fn init_container(self) -> &'static str {
        match self {
            Self::IstioInit => ISTIO_INIT,
            Self::IstioValidation => ISTIO_VALIDATION,
        }
    }
}

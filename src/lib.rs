//! The istio-pilot charm: installs and keeps an Istio control plane on Kubernetes.

pub mod control_plane;
pub mod object;

/// The Istio version that this charm installs.
pub const ISTIO_VERSION: &str = "1.31.1";

//! The istio-pilot charm: installs and keeps an Istio control plane on Kubernetes.

pub mod cluster;
pub mod cni;
pub mod configuration;
pub mod control_plane;
pub mod injection;
pub mod kinds;
pub mod labels;
pub mod names;
pub mod object;
pub mod plan;
pub mod pods;
pub mod readiness;
pub mod render;
pub mod template;

/// The Istio version that this charm installs.
pub const ISTIO_VERSION: &str = "1.31.1";

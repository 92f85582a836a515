//! The istio-pilot charm: installs and keeps an Istio control plane on Kubernetes.
//!
//! Data flows one way: a hook's event and facts are read, a phase and the wanted objects are
//! decided, a plan against the live objects is made, applied, and concluded as a status.

pub mod actions;
pub mod cli;
pub mod cluster;
pub mod cni;
pub mod conclude;
pub mod configuration;
pub mod control_plane;
pub mod decide;
pub mod detect;
pub mod dispatch;
pub mod injection;
pub mod injector;
pub mod k8s;
pub mod names;
pub mod plan;
pub mod reconcile;
pub mod removal;
pub mod render;
pub mod snapshot;
pub mod stale;
pub mod template;
pub mod text;
pub mod yaml;

/// The Istio version that this charm installs.
pub const ISTIO_VERSION: &str = "1.31.1";

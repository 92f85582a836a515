//! The istio-pilot charm: installs and keeps an Istio control plane on Kubernetes.
//!
//! Data flows one way: a hook's facts say what is asked, the cluster is observed and assessed
//! against that, one step after the other is taken, and the result is reported. ARCHITECTURE.md has
//! a drawing. The modules are listed from the outside to the ground floor.

pub mod charm;
pub mod cli;
pub mod reconcile;

pub mod report;
pub mod step;

pub mod assess;
pub mod decide;
pub mod endpoints;

pub mod cni;
pub mod desired;
pub mod intent;
pub mod observed;
pub mod plan;

pub mod detect;
pub mod stale;

pub mod certificates;
pub mod cluster;
pub mod istio;
pub mod k8s;
pub mod text;

#[cfg(test)]
mod simulated;

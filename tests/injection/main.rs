//! Our injection configuration beside upstream's, through Istio's own programs.
//!
//! Upstream's configuration is what `istioctl manifest generate` gives for the same installation.
//! Both go through `istioctl kube-inject` and through a real istiod; the results have to be equal,
//! or the difference has to stand in [`compare::REVIEWED`] with its reason.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking, in its helpers too"
)]

mod capabilities;
mod compare;
mod coverage;
mod equality;
mod gateways;
mod generator;
mod grpc;
mod hostile;
mod istiod;
mod kube_inject;
mod random;
mod setup;
mod values;
mod webhook;
mod workloads;

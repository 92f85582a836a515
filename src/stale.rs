//! Workloads whose pods are not what they would be if they were created now: pure.
//!
//! A pod keeps what was injected into it when it was created. After a switch of the CNI it has the
//! other init container, after an upgrade the older proxy, and one whose `istio-validation` failed
//! never starts. Each pod is examined alone ([`StalePod::of`]), then the pods of one workload are
//! put together ([`workload`]), because only a workload can be restarted.

pub mod injected;
pub mod keeper;
mod report;
pub mod workload;

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;

use crate::istio::{ISTIO_INIT, ISTIO_VALIDATION, Injection, REVISION};
use crate::k8s::version::{self, IstioVersion};
use crate::observed::new_pods::NewPods;
use injected::InjectedPod;
use keeper::Controller;

pub use report::{to_json, to_table, why};

/// The container with the proxy; with native sidecars it is an init container.
const ISTIO_PROXY: &str = "istio-proxy";

/// Selects pods that may have been injected into: every template with a proxy sets this label.
pub const INJECTED: &str = "service.istio.io/canonical-name";

/// Why a pod is stale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// Its `istio-validation` ended with this exit code: it cannot start.
    FailedValidation(i32),
    /// It has `istio-init`, and new pods get `istio-validation`.
    HasIstioInit,
    /// It has `istio-validation`, and new pods get `istio-init`: it does not survive a new sandbox,
    /// for example after a reboot of its node.
    HasIstioValidation,
    /// Its proxy has this version, and new pods get a newer one.
    OlderProxy(IstioVersion),
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FailedValidation(code) => {
                write!(formatter, "{ISTIO_VALIDATION} failed (exit code {code})")
            }
            Self::HasIstioInit => write!(formatter, "has {ISTIO_INIT}"),
            Self::HasIstioValidation => write!(formatter, "has {ISTIO_VALIDATION}"),
            Self::OlderProxy(version) => write!(formatter, "proxy {version}"),
        }
    }
}

/// A pod that is not what it would be if it were created now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StalePod {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The controller that keeps it; `None` for a bare pod.
    pub controller: Option<Controller>,
    /// Why it is stale, at least one reason.
    pub reasons: BTreeSet<Reason>,
}

impl StalePod {
    /// A pod and why it is stale; `None` when it is current, or has no sidecar of this control
    /// plane.
    ///
    /// A pod that ends or has ended is current: nobody will recreate it. A failed pod is stale only
    /// if its validation failed. A pod that asks for a certain proxy image has the right one.
    pub fn of(pod: &InjectedPod, new_pods: &NewPods) -> Option<Self> {
        let metadata = &pod.metadata;
        if metadata.deletion_timestamp.is_some() || !is_ours(pod) {
            return None;
        }
        let proxy = pod.containers().find(|it| it.name == ISTIO_PROXY)?;
        let mut reasons = BTreeSet::new();
        reasons.extend(failed_validation(pod).map(Reason::FailedValidation));
        if !pod.has_ended() {
            reasons.extend(other_init_container(pod, new_pods));
            if metadata.annotations.proxy_image.is_none() {
                reasons.extend(older_proxy(proxy.image.as_deref(), new_pods));
            }
        }
        (!reasons.is_empty()).then(|| Self {
            namespace: metadata.namespace.clone(),
            name: metadata.name.clone(),
            controller: Controller::among(metadata.owner_references.iter().flatten()),
            reasons,
        })
    }
}

/// Whether this control plane has injected into a pod, rather than one of another revision.
fn is_ours(pod: &InjectedPod) -> bool {
    let Some(status) = &pod.metadata.annotations.status else {
        return false;
    };
    let status: Value = serde_json::from_str(status).unwrap_or_default();
    status["revision"].as_str().is_none_or(|it| it == REVISION)
}

fn other_init_container(pod: &InjectedPod, new_pods: &NewPods) -> Option<Reason> {
    let has = |name: &str| pod.containers().any(|it| it.name == name);
    match new_pods.injection {
        Injection::IstioValidation => has(ISTIO_INIT).then_some(Reason::HasIstioInit),
        Injection::IstioInit => has(ISTIO_VALIDATION).then_some(Reason::HasIstioValidation),
    }
}

fn older_proxy(proxy_image: Option<&str>, new_pods: &NewPods) -> Option<Reason> {
    let version = IstioVersion::parse(version::tag(proxy_image?)?)?;
    (version < new_pods.proxy?).then_some(Reason::OlderProxy(version))
}

/// The exit code with which `istio-validation` last ended, if it failed.
fn failed_validation(pod: &InjectedPod) -> Option<i32> {
    pod.exit_code_of(ISTIO_VALIDATION).filter(|it| *it != 0)
}

#[cfg(test)]
mod tests;

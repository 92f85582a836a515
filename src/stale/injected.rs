//! What is read of a pod that may have been injected into.
//!
//! A whole pod is 20 KiB, and a cluster may have thousands of them.

use k8s_openapi::api::core::v1::ContainerState;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{OwnerReference, Time};
use serde::Deserialize;

/// A pod, as far as it shows whether it is stale.
#[derive(Debug, Deserialize)]
pub struct InjectedPod {
    pub(super) metadata: Metadata,
    #[serde(default)]
    pub(super) spec: Spec,
    #[serde(default)]
    pub(super) status: Status,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Metadata {
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) namespace: String,
    #[serde(default)]
    pub(super) annotations: Annotations,
    pub(super) owner_references: Option<Vec<OwnerReference>>,
    pub(super) deletion_timestamp: Option<Time>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Annotations {
    /// What istiod writes on every pod that it has injected into
    /// (`SidecarInjectionStatus` in `pkg/kube/inject/inject.go` of Istio 1.31.1).
    #[serde(rename = "sidecar.istio.io/status")]
    pub(super) status: Option<String>,
    /// Asks for a certain image of the proxy, whatever other pods get.
    #[serde(rename = "sidecar.istio.io/proxyImage")]
    pub(super) proxy_image: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Spec {
    init_containers: Option<Vec<Container>>,
    containers: Option<Vec<Container>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Container {
    pub(super) name: String,
    pub(super) image: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Status {
    phase: Option<String>,
    init_container_statuses: Option<Vec<ContainerStatus>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ContainerStatus {
    name: String,
    state: Option<ContainerState>,
    last_state: Option<ContainerState>,
}

impl InjectedPod {
    /// All containers, init containers first.
    pub(super) fn containers(&self) -> impl Iterator<Item = &Container> {
        let init = self.spec.init_containers.iter().flatten();
        init.chain(self.spec.containers.iter().flatten())
    }

    /// Whether all containers have ended for good.
    pub(super) fn has_ended(&self) -> bool {
        matches!(self.status.phase.as_deref(), Some("Failed" | "Succeeded"))
    }

    /// The exit code with which an init container ended last; `None` when it has not.
    pub(super) fn exit_code_of(&self, init_container: &str) -> Option<i32> {
        let mut statuses = self.status.init_container_statuses.iter().flatten();
        let status = statuses.find(|it| it.name == init_container)?;
        let latest = [status.state.as_ref(), status.last_state.as_ref()];
        let mut ends = latest
            .into_iter()
            .flatten()
            .filter_map(|it| it.terminated.as_ref());
        ends.next().map(|it| it.exit_code)
    }
}

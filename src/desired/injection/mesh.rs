//! The mesh configuration.

use serde::Serialize;
use serde_json::Value;

use super::providers::providers;
use super::{InjectionError, discovery_address};
use crate::desired::Inputs;
use crate::desired::yaml;

/// Where proxies write their access log: their standard output.
pub(super) const ACCESS_LOG: &str = "/dev/stdout";

/// The domain of the cluster's services, and of the workloads' identities.
const DOMAIN: &str = "cluster.local";

/// The data of the ConfigMap `istio`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MeshConfig {
    /// Key `mesh`: the mesh configuration (`istio.mesh.v1alpha1.MeshConfig`), in YAML.
    pub mesh: String,
    /// Key `meshNetworks`: the networks of a mesh of several clusters, in YAML; always empty.
    pub mesh_networks: String,
}

/// What differs from istiod's own defaults (`DefaultMeshConfig` in `pkg/config/mesh/mesh.go`), or
/// has to match what the templates assume.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Mesh<'a> {
    /// Proxies write their access log to their standard output; by default they write none.
    access_log_file: &'static str,
    default_config: DefaultConfig,
    default_providers: Providers,
    /// The agent serves the application's metrics with the proxy's. This is the default; it is
    /// written because istioctl writes it and tools look for it.
    enable_prometheus_merge: bool,
    /// What relations add.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    extension_providers: Vec<Value>,
    /// Where istiod looks for configuration of the whole mesh; the default is istio-system.
    root_namespace: &'a str,
    /// The default; the templates pass it to the proxies.
    trust_domain: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DefaultConfig {
    /// The address of istiod for proxies; the default is in istio-system.
    discovery_address: String,
}

#[derive(Serialize)]
struct Providers {
    /// Proxies collect metrics for Prometheus; the default is none.
    metrics: [&'static str; 1],
}

#[derive(Serialize)]
struct Networks {
    networks: serde_json::Map<String, serde_json::Value>,
}

/// The data of the ConfigMap `istio` for a control plane.
///
/// # Errors
/// A defect of this program: a value that has no YAML form.
pub fn mesh_config(inputs: &Inputs<'_>) -> Result<MeshConfig, InjectionError> {
    let mesh = Mesh {
        access_log_file: ACCESS_LOG,
        default_config: DefaultConfig {
            discovery_address: discovery_address(inputs),
        },
        default_providers: Providers {
            metrics: ["prometheus"],
        },
        enable_prometheus_merge: true,
        extension_providers: providers(inputs),
        root_namespace: inputs.identity.namespace(),
        trust_domain: DOMAIN,
    };
    let networks = Networks {
        networks: serde_json::Map::new(),
    };
    Ok(MeshConfig {
        mesh: yaml::to_string(&serde_json::to_value(&mesh)?),
        mesh_networks: yaml::to_string(&serde_json::to_value(&networks)?),
    })
}

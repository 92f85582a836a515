//! Settings of the proxy's process, applied when a pod starts.
//!
//! Follows <https://istio.io/latest/docs/reference/config/networking/proxy-config/>.

use std::collections::BTreeMap;

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_with::skip_serializing_none;

use crate::{
    Kind,
    schema::{nullable, values},
    selector::WorkloadSelector,
    status::IstioStatus,
};

/// How the proxies of some workloads run. Changes take effect when their pods are started again.
///
/// In the root namespace it may be for the whole mesh; the narrower one wins.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, CustomResource)]
#[serde(rename_all = "camelCase")]
#[kube(
    group = "networking.istio.io",
    version = "v1beta1",
    kind = "ProxyConfig",
    plural = "proxyconfigs",
    namespaced,
    status = "IstioStatus",
    schema = "disabled",
    derive = "Default",
    derive = "PartialEq"
)]
pub struct ProxyConfigSpec {
    /// The workloads it is for. If not set, all of the namespace; in the root namespace, all of the
    /// mesh.
    pub selector: Option<WorkloadSelector>,
    /// How many worker threads it has; 0 for one per core of the machine. Not set, it follows the
    /// CPU limit of the proxy.
    #[schemars(range(min = 0), transform = nullable)]
    pub concurrency: Option<i32>,
    /// Environment variables of the proxy, by name; istiod is told those with `ISTIO_META_` before.
    #[schemars(transform = values(json!({ "maxLength": 2048 })))]
    pub environment_variables: Option<BTreeMap<String, String>>,
    /// The image of the proxy.
    pub image: Option<ProxyImage>,
}

impl Kind for ProxyConfig {
    const VERSIONS: &'static [&'static str] = &["v1beta1"];
    const STORAGE_VERSION: &'static str = "v1beta1";
}

/// Which of the images of the same release the proxy has.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProxyImage {
    /// The variant: `default`, `debug` or `distroless`. That of the installation if not set.
    pub image_type: Option<String>,
}

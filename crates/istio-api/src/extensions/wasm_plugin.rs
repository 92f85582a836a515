//! `WebAssembly` modules in the proxies.
//!
//! Follows <https://istio.io/latest/docs/reference/config/proxy_extensions/wasm-plugin/>.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use serde_with::skip_serializing_none;

use super::plugin::{FailStrategy, PluginType, PullPolicy, TrafficSelector, VmConfig};
use crate::{
    Kind,
    schema::{Rule, nullable, preserve_unknown_fields, rules},
    selector::{ONE_WAY_TO_SELECT, PolicyTargetReference, WorkloadSelector},
    status::IstioStatus,
};

const KNOWN_SCHEME: Rule = Rule {
    message: "url must have schema one of [http, https, file, oci]",
    rule: "isURL(self) ? (url(self).getScheme() in [\"\", \"http\", \"https\", \"oci\", \"file\"]) : (isURL(\"http://\" + self) &&\nurl(\"http://\" + self).getScheme() in [\"\", \"http\", \"https\", \"oci\", \"file\"])",
};

/// A `WebAssembly` module that proxies fetch and put among their filters. `TrafficExtension` has
/// taken its place.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, CustomResource)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = rules(&[ONE_WAY_TO_SELECT]))]
#[kube(
    group = "extensions.istio.io",
    version = "v1alpha1",
    kind = "WasmPlugin",
    plural = "wasmplugins",
    namespaced,
    status = "IstioStatus",
    schema = "disabled",
    derive = "Default",
    derive = "PartialEq",
    printcolumn(
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp"
    )
)]
pub struct WasmPluginSpec {
    /// The workloads it is for. If neither this nor `targetRefs` is set, all of the namespace; in
    /// the root namespace, all of the mesh.
    pub selector: Option<WorkloadSelector>,
    /// The resource it is for; `targetRefs` has taken its place.
    pub target_ref: Option<PolicyTargetReference>,
    /// The resources whose proxies it is for, at most 16. Waypoints heed only this, not `selector`.
    #[schemars(length(max = 16))]
    pub target_refs: Option<Vec<PolicyTargetReference>>,
    /// Where the module is, with the scheme `oci`, `http`, `https` or `file`; `oci` by default.
    #[schemars(length(min = 1), transform = rules(&[KNOWN_SCHEME]))]
    pub url: String,
    /// The SHA-256 sum that the module, or the image, must have, in lower-case hexadecimal digits.
    #[schemars(regex(pattern = "(^$|^[a-f0-9]{64}$)"))]
    pub sha256: Option<String>,
    /// When a module that is already there is fetched again, if it has no digest; `Always` by
    /// default for the tag `latest`, otherwise `IfNotPresent`.
    pub image_pull_policy: Option<PullPolicy>,
    /// The secret of the same namespace with the registry's credentials.
    #[schemars(length(min = 1, max = 253))]
    pub image_pull_secret: Option<String>,
    /// The public key that the module must be signed with. Not implemented by Istio.
    pub verification_key: Option<String>,
    /// The module's own configuration.
    #[schemars(transform = preserve_unknown_fields)]
    pub plugin_config: Option<Map<String, Value>>,
    /// The name by which the module knows which of its plugins to run.
    #[schemars(length(min = 1, max = 256))]
    pub plugin_name: Option<String>,
    /// Where among the filters it stands; near the end by default.
    pub phase: Option<PluginPhase>,
    /// The order among those of the same phase: the highest first, 0 by default.
    #[schemars(transform = nullable)]
    pub priority: Option<i32>,
    /// What happens if it cannot be fetched or breaks; `FAIL_CLOSE` by default.
    pub fail_strategy: Option<FailStrategy>,
    /// The virtual machine that runs the module.
    pub vm_config: Option<VmConfig>,
    /// The traffic that passes through it: what one of these matches, or all if there are none.
    pub r#match: Option<Vec<TrafficSelector>>,
    /// Whether it is for HTTP requests, which is the default, or for connections.
    pub r#type: Option<PluginType>,
}

impl Kind for WasmPlugin {
    const VERSIONS: &'static [&'static str] = &["v1alpha1"];
    const STORAGE_VERSION: &'static str = "v1alpha1";
    const SPEC_REQUIRED: bool = true;
}

/// Where among the filters a plugin stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PluginPhase {
    /// Near the end, just before requests are routed.
    UnspecifiedPhase,
    /// Before Istio authenticates.
    Authn,
    /// After Istio authenticates and before it authorizes.
    Authz,
    /// After Istio authorizes and before it counts.
    Stats,
}

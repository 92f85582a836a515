//! `WebAssembly` modules and Lua scripts in the proxies.
//!
//! Follows <https://istio.io/latest/docs/reference/config/proxy_extensions/traffic_extension/>.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use serde_with::skip_serializing_none;

use super::plugin::{FailStrategy, PluginType, PullPolicy, TrafficSelector, VmConfig};
use crate::{
    Kind,
    schema::{Rule, at_most_one_of, nullable, preserve_unknown_fields, rules},
    selector::{PolicyTargetReference, WorkloadSelector},
    status::IstioStatus,
};

const SELECTOR_OR_TARGETS: Rule = Rule {
    message: "only one of targetRefs or selector can be set",
    rule: "(has(self.selector) ? 1 : 0) + (has(self.targetRefs) ? 1 : 0) <= 1",
};
const ONE_LANGUAGE: Rule = Rule {
    message: "exactly one of wasm or lua must be set",
    rule: "has(self.wasm) != has(self.lua)",
};
/// As that of `WasmPlugin`, but with the schemes in another order.
const KNOWN_SCHEME: Rule = Rule {
    message: "url must have schema one of [http, https, file, oci]",
    rule: "isURL(self) ? (url(self).getScheme() in [\"\", \"http\", \"https\", \"file\", \"oci\"]) : (isURL(\"http://\" + self) &&\nurl(\"http://\" + self).getScheme() in [\"\", \"http\", \"https\", \"file\", \"oci\"])",
};

/// A `WebAssembly` module or a Lua script among the filters of proxies; exactly one of the two.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, CustomResource)]
#[serde(rename_all = "camelCase")]
#[schemars(
    transform = at_most_one_of(&["wasm", "lua"]),
    transform = rules(&[SELECTOR_OR_TARGETS, ONE_LANGUAGE])
)]
#[kube(
    group = "extensions.istio.io",
    version = "v1alpha1",
    kind = "TrafficExtension",
    plural = "trafficextensions",
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
pub struct TrafficExtensionSpec {
    /// The workloads it is for. If neither this nor `targetRefs` is set, all of the namespace; in
    /// the root namespace, all of the mesh.
    pub selector: Option<WorkloadSelector>,
    /// The resources whose proxies it is for, at most 16. Waypoints heed only this, not `selector`.
    #[schemars(length(max = 16))]
    pub target_refs: Option<Vec<PolicyTargetReference>>,
    /// Where among the filters it stands; near the end by default.
    pub phase: Option<ExecutionPhase>,
    /// The order among those of the same phase: the highest first, 0 by default.
    #[schemars(transform = nullable)]
    pub priority: Option<i32>,
    /// The traffic that passes through it: what one of these matches, or all if there are none.
    pub r#match: Option<Vec<TrafficSelector>>,
    /// The `WebAssembly` module.
    pub wasm: Option<WasmConfig>,
    /// The Lua script.
    pub lua: Option<LuaConfig>,
}

impl Kind for TrafficExtension {
    const VERSIONS: &'static [&'static str] = &["v1alpha1"];
    const STORAGE_VERSION: &'static str = "v1alpha1";
    const SPEC_REQUIRED: bool = true;
}

/// Where among the filters an extension stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ExecutionPhase {
    /// Near the end, just before requests are routed.
    Unspecified,
    /// Before Istio authenticates.
    Authn,
    /// After Istio authenticates and before it authorizes.
    Authz,
    /// After Istio authorizes and before it counts.
    Stats,
}

/// A `WebAssembly` module.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WasmConfig {
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
    /// What happens if it cannot be fetched or breaks; `FAIL_CLOSE` by default.
    pub fail_strategy: Option<FailStrategy>,
    /// The virtual machine that runs the module.
    pub vm_config: Option<VmConfig>,
    /// Whether it is for HTTP requests, which is the default, or for connections.
    pub r#type: Option<PluginType>,
}

/// A Lua script, for HTTP.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LuaConfig {
    /// The script, with `envoy_on_request` or `envoy_on_response` or both; at most 65536
    /// characters.
    #[schemars(length(min = 1, max = 65536))]
    pub inline_code: String,
}

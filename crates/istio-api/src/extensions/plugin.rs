//! What the two kinds of extension have in common.
//!
//! Follows <https://istio.io/latest/docs/reference/config/proxy_extensions/wasm-plugin/>; ports
//! follow <https://istio.io/latest/docs/reference/config/type/workload-selector/>.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use crate::{
    schema::{Rule, map_list, rules},
    selector::WorkloadMode,
};

const NO_VALUE_FROM_HOST: Rule = Rule {
    message: "value may only be set when valueFrom is INLINE",
    rule: r#"(has(self.valueFrom) ? self.valueFrom : "") != "HOST" || !has(self.value)"#,
};

/// Which traffic passes through an extension.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TrafficSelector {
    /// The direction; both by default. A gateway is a client.
    pub mode: Option<WorkloadMode>,
    /// The ports, all by default: outwards those of the target's service, inwards those that the
    /// workload listens on.
    #[schemars(transform = map_list("number"))]
    pub ports: Option<Vec<PortSelector>>,
}

/// A port by its number.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PortSelector {
    /// The number, from 1 to 65535.
    #[schemars(range(min = 1))]
    pub number: u16,
}

/// Where a plugin is put into the proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PluginType {
    /// As `HTTP`.
    UnspecifiedPluginType,
    /// Among the filters of HTTP requests.
    Http,
    /// Among the filters of connections.
    Network,
}

/// When the proxy fetches a module that it already has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum PullPolicy {
    /// `Always` for images with the tag `latest`, otherwise `IfNotPresent`.
    #[serde(rename = "UNSPECIFIED_POLICY")]
    Unspecified,
    /// Never.
    IfNotPresent,
    /// Each time that the resource changes.
    Always,
}

/// What happens if a plugin cannot be fetched or breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FailStrategy {
    /// Requests fail with a 5xx status.
    FailClose,
    /// Requests pass without the plugin; not for plugins that guard something.
    FailOpen,
    /// After an error at run time the next request gets a new instance; other errors close.
    FailReload,
}

/// The virtual machine that runs a WebAssembly module.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VmConfig {
    /// Environment variables of the module, at most 256.
    #[schemars(length(max = 256), transform = map_list("name"))]
    pub env: Option<Vec<EnvVar>>,
}

/// An environment variable of a WebAssembly module.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = rules(&[NO_VALUE_FROM_HOST]))]
pub struct EnvVar {
    /// The name, an identifier as in C.
    #[schemars(length(min = 1, max = 256))]
    pub name: String,
    /// Where the value comes from; `INLINE` by default.
    pub value_from: Option<EnvValueSource>,
    /// The value, with `INLINE`; empty by default.
    #[schemars(length(max = 2048))]
    pub value: Option<String>,
}

/// Where an environment variable gets its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum EnvValueSource {
    /// It stands in the resource.
    Inline,
    /// The proxy's own variable of that name, if it has one.
    Host,
}

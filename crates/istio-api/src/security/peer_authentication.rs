//! Which callers may connect without mutual TLS.
//!
//! Follows <https://istio.io/latest/docs/reference/config/security/peer_authentication/>.

use std::collections::BTreeMap;

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use crate::{
    Kind,
    schema::{Rule, min_properties, rules},
    selector::WorkloadSelector,
    status::IstioStatus,
};

const PORTS_NEED_SELECTOR: Rule = Rule {
    message: "portLevelMtls requires selector",
    rule: "has(self.portLevelMtls) ? (((has(self.selector) && has(self.selector.matchLabels)) ? self.selector.matchLabels : {}).size() > 0) : true",
};
const KEY_IS_PORT: Rule = Rule {
    message: "port must be between 1-65535",
    rule: "self.all(key, 0 < int(key) && int(key) <= 65535)",
};

/// Whether workloads require mutual TLS of those that connect to them.
///
/// In the root namespace and without selector it holds for the mesh; elsewhere without selector,
/// for its namespace. The narrower one wins. With a selector it has no effect in the root
/// namespace.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, CustomResource)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = rules(&[PORTS_NEED_SELECTOR]))]
#[kube(
    group = "security.istio.io",
    version = "v1",
    kind = "PeerAuthentication",
    plural = "peerauthentications",
    shortname = "pa",
    namespaced,
    status = "IstioStatus",
    schema = "disabled",
    derive = "Default",
    derive = "PartialEq",
    printcolumn(name = "Mode", type_ = "string", json_path = ".spec.mtls.mode"),
    printcolumn(
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp"
    )
)]
pub struct PeerAuthenticationSpec {
    /// The workloads it is for. If not set, all of the namespace; in the root namespace, all of the
    /// mesh.
    pub selector: Option<WorkloadSelector>,
    /// The mode for all ports; that of the parent, or `PERMISSIVE`, if not set.
    pub mtls: Option<MutualTls>,
    /// Modes for single ports, by the port that the workload listens on, which may not be that of
    /// its service. Needs a selector.
    #[schemars(transform = min_properties(1), transform = rules(&[KEY_IS_PORT]))]
    pub port_level_mtls: Option<BTreeMap<u16, MutualTls>>,
}

impl Kind for PeerAuthentication {
    const VERSIONS: &'static [&'static str] = &["v1", "v1beta1"];
    const STORAGE_VERSION: &'static str = "v1";
}

/// Mutual TLS of incoming connections.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MutualTls {
    /// What is accepted; as in the parent if not set.
    pub mode: Option<MutualTlsMode>,
}

/// Which connections are accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum MutualTlsMode {
    /// As in the parent; `PERMISSIVE` if there is none.
    Unset,
    /// Plain ones; the proxy does not terminate TLS. Not in ambient mode.
    Disable,
    /// Plain ones and those with mutual TLS.
    Permissive,
    /// Only those with mutual TLS.
    Strict,
}

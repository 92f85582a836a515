//! How a policy says where it applies; shared by the kinds of several API groups.
//!
//! Follows <https://istio.io/latest/docs/reference/config/type/workload-selector/>.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_with::skip_serializing_none;

use crate::schema::{Rule, max_properties, rules, values};

pub(crate) const NO_WILDCARD_IN_KEY: Rule = Rule {
    message: "wildcard not allowed in label key match",
    rule: r#"self.all(key, !key.contains("*"))"#,
};
pub(crate) const KEY_NOT_EMPTY: Rule = Rule {
    message: "key must not be empty",
    rule: "self.all(key, key.size() != 0)",
};
pub(crate) const NO_WILDCARD_IN_VALUE: Rule = Rule {
    message: "wildcard not allowed in label value match",
    rule: r#"!self.contains("*")"#,
};
pub(crate) const SAME_NAMESPACE: Rule = Rule {
    message: "cross namespace referencing is not currently supported",
    rule: "self.size() == 0",
};
/// For the kinds that still have the single `targetRef`.
pub(crate) const ONE_WAY_TO_SELECT: Rule = Rule {
    message: "only one of targetRefs or selector can be set",
    rule: "(has(self.selector) ? 1 : 0) + (has(self.targetRef) ? 1 : 0) + (has(self.targetRefs) ? 1 : 0) <= 1",
};

/// Selects workloads by the labels of their pods, or of their workload entries; in the root
/// namespace, most kinds select in every namespace.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WorkloadSelector {
    /// The labels that a workload must have, all of them, with these very values; at most 4096.
    /// Without any, every workload of the namespace is selected; in the root namespace, every one
    /// of the mesh.
    #[schemars(
        transform = max_properties(4096),
        transform = rules(&[NO_WILDCARD_IN_KEY, KEY_NOT_EMPTY]),
        transform = values(json!({
            "maxLength": 63,
            "x-kubernetes-validations": [NO_WILDCARD_IN_VALUE],
        })),
    )]
    pub match_labels: Option<BTreeMap<String, String>>,
}

/// Selects proxies by the resource that they stand for, such as a gateway of the Gateway API, or a
/// service that has a waypoint.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PolicyTargetReference {
    /// The API group of the resource; empty for the core group, such as that of services.
    #[schemars(
        length(max = 253),
        regex(pattern = r"^$|^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$")
    )]
    pub group: Option<String>,
    /// The kind of the resource: `Gateway`, `Service` (waypoints only), `ServiceEntry`, or from the
    /// root namespace `GatewayClass`.
    #[schemars(
        length(min = 1, max = 63),
        regex(pattern = "^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$")
    )]
    pub kind: String,
    /// The name of the resource.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// The namespace of the resource. Only that of the policy is possible, which is the default, so
    /// this stays empty.
    #[schemars(transform = rules(&[SAME_NAMESPACE]))]
    pub namespace: Option<String>,
}

/// The direction of traffic, as the workload sees it. A gateway is a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum WorkloadMode {
    /// As if not set.
    Undefined,
    /// What the workload sends.
    Client,
    /// What the workload receives.
    Server,
    /// Both.
    ClientAndServer,
}

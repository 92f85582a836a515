//! How the older kinds of the group select workloads.
//!
//! Follows <https://istio.io/latest/docs/reference/config/networking/sidecar/#WorkloadSelector>.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_with::skip_serializing_none;

use crate::schema::{Rule, max_properties, values};

const NO_WILDCARD: Rule = Rule {
    message: "wildcard is not supported in selector",
    rule: r#"!self.contains("*")"#,
};

/// Selects workloads of the resource's namespace by labels; for an `EnvoyFilter` of the root
/// namespace, of every one.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WorkloadLabels {
    /// The labels that a workload must have, all of them; at most 256.
    #[schemars(
        transform = max_properties(256),
        transform = values(json!({
            "maxLength": 63,
            "x-kubernetes-validations": [NO_WILDCARD],
        }))
    )]
    pub labels: Option<BTreeMap<String, String>>,
}

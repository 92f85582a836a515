//! Which requests a route is for.
//!
//! Follows <https://istio.io/latest/docs/reference/config/networking/virtual-service/>.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use crate::schema::at_most_one_of;

/// Requests; every field that is set must match.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HttpMatchRequest {
    /// A name for access logs, written after that of the route.
    pub name: Option<String>,
    /// The path.
    pub uri: Option<StringMatch>,
    /// The scheme of the URI.
    pub scheme: Option<StringMatch>,
    /// The method.
    pub method: Option<StringMatch>,
    /// The host as the request names it.
    pub authority: Option<StringMatch>,
    /// Headers, by their names in lower case; `uri`, `scheme`, `method` and `authority` are
    /// ignored. An empty match asks only that the header is there.
    pub headers: Option<BTreeMap<String, StringMatch>>,
    /// The port that the client connects to.
    pub port: Option<u32>,
    /// Labels of the workloads that route like this; only with the gateway `mesh`.
    pub source_labels: Option<BTreeMap<String, String>>,
    /// The gateways that route like this, in place of those of the resource.
    pub gateways: Option<Vec<String>>,
    /// Query parameters, by name. The exact value `""` stands for a parameter without value.
    pub query_params: Option<BTreeMap<String, StringMatch>>,
    /// Whether case does not matter in `uri`, unless it is a regular expression; false by default.
    pub ignore_uri_case: Option<bool>,
    /// Headers that must not match, by their names in lower case. An empty match asks that the
    /// header is not there.
    pub without_headers: Option<BTreeMap<String, StringMatch>>,
    /// The namespace of the workloads that route like this; only with the gateway `mesh`.
    pub source_namespace: Option<String>,
    /// A name for the route in Envoy's statistics, after `route.`; it has none of its own if not
    /// set.
    pub stat_prefix: Option<String>,
}

/// A text, in at most one of three ways. Case matters, unless a regular expression says otherwise.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = at_most_one_of(&["exact", "prefix", "regex"]))]
pub struct StringMatch {
    /// It is this.
    pub exact: Option<String>,
    /// It begins with this.
    pub prefix: Option<String>,
    /// It is matched, as a whole, by this regular expression (RE2).
    pub regex: Option<String>,
}

impl StringMatch {
    /// Matches this text alone.
    pub fn exact(text: impl Into<String>) -> Self {
        Self {
            exact: Some(text.into()),
            ..Self::default()
        }
    }

    /// Matches what begins with this text.
    pub fn prefix(text: impl Into<String>) -> Self {
        Self {
            prefix: Some(text.into()),
            ..Self::default()
        }
    }
}

//! Traces of requests.
//!
//! Follows <https://istio.io/latest/docs/reference/config/telemetry/>.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::{ModeSelector, ProviderRef};
use crate::schema::{at_most_one_of, nullable};

/// Traces of some traffic.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Tracing {
    /// The traffic; all by default.
    pub r#match: Option<ModeSelector>,
    /// Where spans go, one at most; the default provider of the mesh configuration if not set.
    pub providers: Option<Vec<ProviderRef>>,
    /// How many requests are traced, in percent with two digits after the point, if none before
    /// decided it already. Not set, it is as the provider or the mesh configuration says, 1 unless
    /// changed; Istio's page says 0.
    #[schemars(range(min = 0, max = 100), transform = nullable)]
    pub random_sampling_percentage: Option<f64>,
    /// Whether no spans are sent; false by default. Decisions to trace are still passed on.
    #[schemars(transform = nullable)]
    pub disable_span_reporting: Option<bool>,
    /// Further tags of each span, by name, in place of those of the parents.
    pub custom_tags: Option<BTreeMap<String, CustomTag>>,
    /// Whether the request's ID decides about tracing it; true by default. False suits requests
    /// whose ID something else than Envoy made.
    #[schemars(transform = nullable)]
    pub use_request_id_for_trace_sampling: Option<bool>,
    /// Whether spans have Istio's own tags; true by default.
    #[schemars(transform = nullable)]
    pub enable_istio_tags: Option<bool>,
    /// Whether requests are sent on without the headers of the trace, as an egress gateway may
    /// want; false by default.
    #[schemars(transform = nullable)]
    pub disable_context_propagation: Option<bool>,
}

/// A tag of each span: at most one of these says where its value comes from.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = at_most_one_of(&["literal", "environment", "header", "formatter"]))]
pub struct CustomTag {
    /// Always the same value.
    pub literal: Option<Literal>,
    /// What an environment variable of the proxy holds.
    pub environment: Option<Environment>,
    /// The value of a header of the request.
    pub header: Option<RequestHeader>,
    /// A text as in access logs.
    pub formatter: Option<Formatter>,
}

/// A tag with a fixed value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Literal {
    /// The value.
    #[schemars(length(min = 1))]
    pub value: String,
}

/// A tag from an environment variable.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Environment {
    /// The variable's name.
    #[schemars(length(min = 1))]
    pub name: String,
    /// The value if there is no such variable.
    pub default_value: Option<String>,
}

/// A tag from a header.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RequestHeader {
    /// The header's name.
    #[schemars(length(min = 1))]
    pub name: String,
    /// The value if there is no such header.
    pub default_value: Option<String>,
}

/// A tag from a format of access logs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Formatter {
    /// The format, such as `%REQUESTED_SERVER_NAME%`. Unknown parts become empty.
    #[schemars(length(min = 1))]
    pub value: String,
}

//! Metrics of requests and connections.
//!
//! Follows <https://istio.io/latest/docs/reference/config/telemetry/>.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::{ProviderRef, WorkloadMode};
use crate::{
    Duration,
    schema::{Rule, at_most_one_of, nullable, rules},
};

const UPSERT_HAS_VALUE: Rule = Rule {
    message: "value must be set when operation is UPSERT",
    rule: r#"((has(self.operation) ? self.operation : "") == "UPSERT") ? (self.value != "") : true"#,
};
const REMOVE_HAS_NO_VALUE: Rule = Rule {
    message: "value must not be set when operation is REMOVE",
    rule: r#"((has(self.operation) ? self.operation : "") == "REMOVE") ? !has(self.value) : true"#,
};

/// Which metrics are made, and with which labels.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Metrics {
    /// Where the metrics go; the default providers of the mesh configuration if not set.
    pub providers: Option<Vec<ProviderRef>>,
    /// Changes to the metrics, made in this order after those of the parents.
    pub overrides: Option<Vec<MetricsOverrides>>,
    /// How often metrics of open TCP connections are reported; 5 s by default.
    pub reporting_interval: Option<Duration>,
}

/// A change to one metric, or to all.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MetricsOverrides {
    /// The metrics; all of both directions by default.
    pub r#match: Option<MetricSelector>,
    /// Whether they are left out; false by default. A value here replaces that of the parent.
    #[schemars(transform = nullable)]
    pub disabled: Option<bool>,
    /// Changes to their labels, by the label's name.
    pub tag_overrides: Option<BTreeMap<String, TagOverride>>,
}

/// Which metrics a change is for: one of Istio's, or one of another name.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = at_most_one_of(&["metric", "customMetric"]))]
pub struct MetricSelector {
    /// One of Istio's standard metrics; `ALL_METRICS` by default.
    pub metric: Option<IstioMetric>,
    /// The name of another metric.
    #[schemars(length(min = 1))]
    pub custom_metric: Option<String>,
    /// The direction; both by default.
    pub mode: Option<WorkloadMode>,
}

/// Istio's standard metrics; the names in the comments are those in Prometheus.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum IstioMetric {
    /// All of the following.
    AllMetrics,
    /// Requests over HTTP and gRPC: `istio_requests_total`.
    RequestCount,
    /// How long they take, in milliseconds: `istio_request_duration_milliseconds`.
    RequestDuration,
    /// The size of their bodies, in bytes: `istio_request_bytes`.
    RequestSize,
    /// The size of the answers' bodies, in bytes: `istio_response_bytes`.
    ResponseSize,
    /// TCP connections opened: `istio_tcp_connections_opened_total`.
    TcpOpenedConnections,
    /// TCP connections closed: `istio_tcp_connections_closed_total`.
    TcpClosedConnections,
    /// Bytes sent as answer over TCP: `istio_tcp_sent_bytes_total`.
    TcpSentBytes,
    /// Bytes received as request over TCP: `istio_tcp_received_bytes_total`.
    TcpReceivedBytes,
    /// gRPC messages from clients: `istio_request_messages_total`.
    GrpcRequestMessages,
    /// gRPC messages from servers: `istio_response_messages_total`.
    GrpcResponseMessages,
}

/// A change to one label of a metric.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = rules(&[UPSERT_HAS_VALUE, REMOVE_HAS_NO_VALUE]))]
pub struct TagOverride {
    /// What happens with the label; `UPSERT` by default.
    pub operation: Option<TagOperation>,
    /// The label's value, a CEL expression over Envoy's attributes; only with `UPSERT`.
    pub value: Option<String>,
}

/// What happens with a label of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TagOperation {
    /// It gets the value, whether it was there or not.
    Upsert,
    /// It is left out.
    Remove,
}

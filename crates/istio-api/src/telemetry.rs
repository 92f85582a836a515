//! What the proxies report: traces, metrics and access logs.
//!
//! Follows <https://istio.io/latest/docs/reference/config/telemetry/>.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use crate::{
    Kind,
    schema::{nullable, rules},
    selector::{ONE_WAY_TO_SELECT, PolicyTargetReference, WorkloadSelector},
    status::IstioStatus,
};

mod metrics;
mod tracing;

pub use metrics::{
    IstioMetric, MetricSelector, Metrics, MetricsOverrides, TagOperation, TagOverride,
};
pub use tracing::{CustomTag, Environment, Formatter, Literal, RequestHeader, Tracing};

/// What the proxies of some workloads report, and to whom.
///
/// What the resource of a workload does not say, that of its namespace says, or else that of the
/// root namespace.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, CustomResource)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = rules(&[ONE_WAY_TO_SELECT]))]
#[kube(
    group = "telemetry.istio.io",
    version = "v1",
    kind = "Telemetry",
    plural = "telemetries",
    shortname = "telemetry",
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
pub struct TelemetrySpec {
    /// The workloads it is for. If neither this nor `targetRefs` is set, all of the namespace; in
    /// the root namespace, all of the mesh.
    pub selector: Option<WorkloadSelector>,
    /// The resource it is for; `targetRefs` has taken its place.
    pub target_ref: Option<PolicyTargetReference>,
    /// The resources whose proxies it is for, at most 16. Waypoints heed only this, not `selector`.
    #[schemars(length(max = 16))]
    pub target_refs: Option<Vec<PolicyTargetReference>>,
    /// Traces of requests.
    pub tracing: Option<Vec<Tracing>>,
    /// Metrics of requests and connections.
    pub metrics: Option<Vec<Metrics>>,
    /// Access logs.
    pub access_logging: Option<Vec<AccessLogging>>,
}

impl Kind for Telemetry {
    const VERSIONS: &'static [&'static str] = &["v1", "v1alpha1"];
    const STORAGE_VERSION: &'static str = "v1alpha1";
}

/// The direction of traffic, as the workload sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum WorkloadMode {
    /// Both directions.
    ClientAndServer,
    /// What the workload sends.
    Client,
    /// What the workload receives.
    Server,
}

/// Which traffic a part of the configuration is for.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ModeSelector {
    /// The direction; both by default.
    pub mode: Option<WorkloadMode>,
}

/// Someone who takes reports.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProviderRef {
    /// The name among `extensionProviders` of the mesh configuration.
    #[schemars(length(min = 1))]
    pub name: String,
}

/// Access logs of some traffic.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccessLogging {
    /// The traffic; all by default.
    pub r#match: Option<ModeSelector>,
    /// Where the logs go; the default providers of the mesh configuration if not set.
    pub providers: Option<Vec<ProviderRef>>,
    /// Whether these providers get no logs; false by default. A value here replaces that of the
    /// parent.
    #[schemars(transform = nullable)]
    pub disabled: Option<bool>,
    /// What is logged; everything if not set.
    pub filter: Option<AccessLoggingFilter>,
}

/// Chooses what is logged.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccessLoggingFilter {
    /// A CEL expression over Envoy's attributes, such as `response.code >= 400`.
    pub expression: Option<String>,
}

//! What Istio reports about a resource; the same for every kind.
//!
//! Follows <https://istio.io/latest/docs/reference/config/meta/v1beta1/istio-status/>; the messages
//! of analyzers follow <https://istio.io/latest/docs/reference/config/istio.analysis.v1alpha1/>.

use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use serde_with::skip_serializing_none;

use crate::schema::preserve_unknown_fields;

/// The status that istiod writes if it is told to; by default it writes none.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = preserve_unknown_fields)]
pub struct IstioStatus {
    /// The state of the resource, as one condition per aspect.
    pub conditions: Option<Vec<IstioCondition>>,
    /// What Istio's analyzers found wrong with the resource.
    pub validation_messages: Option<Vec<AnalysisMessage>>,
    /// The generation of the resource that the conditions speak about; deprecated, as each has its
    /// own.
    #[schemars(transform = int_or_string)]
    pub observed_generation: Option<IntOrString>,
    /// Fields that the definition does not name, such as the addresses that istiod assigned to a
    /// service entry.
    #[serde(flatten)]
    #[schemars(skip)]
    pub other: Map<String, Value>,
}

/// One aspect of a resource's state.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct IstioCondition {
    /// The aspect, such as `Reconciled` or `Ready`.
    pub r#type: Option<String>,
    /// `True`, `False` or `Unknown`.
    pub status: Option<String>,
    /// When this condition was last looked at: a time of RFC 3339, kept with its fractions.
    #[schemars(extend("format" = "date-time"))]
    pub last_probe_time: Option<String>,
    /// When `status` last changed: a time of RFC 3339, kept with its fractions.
    #[schemars(extend("format" = "date-time"))]
    pub last_transition_time: Option<String>,
    /// Why `status` last changed, as one word for programs.
    pub reason: Option<String>,
    /// Why `status` last changed, for people.
    pub message: Option<String>,
    /// The generation of the resource that this condition speaks about.
    #[schemars(transform = int_or_string)]
    pub observed_generation: Option<IntOrString>,
}

/// One finding of Istio's analyzers.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AnalysisMessage {
    /// Which finding it is.
    pub r#type: Option<AnalysisMessageType>,
    /// How bad it is.
    pub level: Option<AnalysisMessageLevel>,
    /// The page that explains the finding.
    pub documentation_url: Option<String>,
}

/// Which finding of the analyzers a message reports.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AnalysisMessageType {
    /// A name for people, such as `InternalError`.
    pub name: Option<String>,
    /// A number for programs, with the prefix `IST` and four digits.
    pub code: Option<String>,
}

/// How bad a finding of the analyzers is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AnalysisMessageLevel {
    /// Not stated.
    Unknown,
    /// The resource does not do what it says.
    Error,
    /// The resource may not do what its author wanted.
    Warning,
    /// Worth knowing.
    Info,
}

/// A 64-bit number, which the protocol buffer's JSON form writes as text.
fn int_or_string(schema: &mut Schema) {
    let description = schema.remove("description");
    *schema = Schema::from(Map::from_iter([
        (
            "anyOf".into(),
            json!([{ "type": "integer" }, { "type": "string" }]),
        ),
        ("x-kubernetes-int-or-string".into(), Value::Bool(true)),
    ]));
    if let Some(description) = description {
        schema.insert("description".into(), description);
    }
}

//! Not typed yet.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Kind, schema::preserve_unknown_fields, status::IstioStatus};

/// The fields, not typed yet.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, CustomResource)]
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
#[schemars(transform = preserve_unknown_fields)]
pub struct TelemetrySpec {
    /// The fields by their names.
    #[serde(flatten)]
    #[schemars(skip)]
    pub fields: Map<String, Value>,
}

impl Kind for Telemetry {
    const VERSIONS: &'static [&'static str] = &["v1", "v1alpha1"];
    const STORAGE_VERSION: &'static str = "v1alpha1";
}

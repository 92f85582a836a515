//! Not typed yet.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Kind, schema::preserve_unknown_fields, status::IstioStatus};

/// The fields, not typed yet.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, CustomResource)]
#[kube(
    group = "networking.istio.io",
    version = "v1alpha3",
    kind = "EnvoyFilter",
    plural = "envoyfilters",
    namespaced,
    status = "IstioStatus",
    schema = "disabled",
    derive = "Default",
    derive = "PartialEq"
)]
#[schemars(transform = preserve_unknown_fields)]
pub struct EnvoyFilterSpec {
    /// The fields by their names.
    #[serde(flatten)]
    #[schemars(skip)]
    pub fields: Map<String, Value>,
}

impl Kind for EnvoyFilter {
    const VERSIONS: &'static [&'static str] = &["v1alpha3"];
    const STORAGE_VERSION: &'static str = "v1alpha3";
}

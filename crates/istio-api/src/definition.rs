//! From a kind's types to the definition that the API server takes.

use k8s_openapi::{
    apiextensions_apiserver::pkg::apis::apiextensions::v1::{
        CustomResourceDefinition, CustomResourceDefinitionVersion, CustomResourceValidation,
    },
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};
use kube::{CustomResourceExt, Resource, core::object::HasSpec};
use schemars::JsonSchema;
use serde_json::json;

use crate::{schema, status::IstioStatus};

/// What a definition says about a kind beyond kube's derive.
pub trait Kind: CustomResourceExt + HasSpec + Resource<DynamicType = ()> {
    /// The versions that the API server serves, in the order of the definition. Their schemas are
    /// equal, so one Rust type does for all; it writes the version that its `apiVersion` says.
    const VERSIONS: &'static [&'static str];

    /// The version in which the API server stores objects.
    const STORAGE_VERSION: &'static str;

    /// Whether an object without `spec` is rejected.
    const SPEC_REQUIRED: bool = false;
}

/// A type's schema is not one of Kubernetes: a mistake in this crate.
#[derive(Debug, thiserror::Error)]
#[error("the schema of {kind} is not a schema of Kubernetes; please report this as a bug")]
pub struct Error {
    kind: String,
    source: serde_json::Error,
}

/// The definition of one kind, as Istio 1.31.1 ships it, with this crate's descriptions.
///
/// # Errors
/// If the schema derived from the types has a keyword in a form that Kubernetes does not know. This
/// does not depend on any input.
pub fn custom_resource_definition<K>() -> Result<CustomResourceDefinition, Error>
where
    K: Kind,
    K::Spec: JsonSchema,
{
    let mut definition = K::crd();
    let group = K::group(&());
    let first_label = group.split('.').next().unwrap_or_default();
    definition.metadata = metadata(&definition, first_label);
    definition.spec.names.categories =
        Some(vec!["istio-io".into(), format!("{first_label}-istio-io")]);
    // kube says "no short names" as an empty list, which the API server would not give back.
    definition.spec.names.short_names = definition
        .spec
        .names
        .short_names
        .take()
        .filter(|names| !names.is_empty());
    // Set here rather than derived: the API server adds the name of a list itself.
    definition.spec.names.list_kind = Some(format!("{}List", K::kind(&())));

    let open_api_v3_schema = serde_json::from_value(root::<K>()).map_err(|source| Error {
        kind: K::kind(&()).into_owned(),
        source,
    })?;
    let schema = CustomResourceValidation {
        open_api_v3_schema: Some(open_api_v3_schema),
    };
    let derived = definition.spec.versions.pop();
    definition.spec.versions = K::VERSIONS
        .iter()
        .map(|&name| CustomResourceDefinitionVersion {
            name: name.into(),
            served: true,
            storage: name == K::STORAGE_VERSION,
            schema: Some(schema.clone()),
            ..derived.clone().unwrap_or_default()
        })
        .collect();
    Ok(definition)
}

/// The labels are those of upstream's file; the security and telemetry groups have one more.
fn metadata(derived: &CustomResourceDefinition, group: &str) -> ObjectMeta {
    let common = [
        ("app", "istio-pilot"),
        ("chart", "istio"),
        ("heritage", "Tiller"),
        ("release", "istio"),
    ];
    let of_group = matches!(group, "security" | "telemetry").then_some(("istio", group));
    let labels = common.into_iter().chain(of_group);
    ObjectMeta {
        name: derived.metadata.name.clone(),
        labels: Some(
            labels
                .map(|(key, value)| (key.into(), value.into()))
                .collect(),
        ),
        ..ObjectMeta::default()
    }
}

/// The schema of a whole object. The API server adds `apiVersion`, `kind` and `metadata`.
fn root<K>() -> serde_json::Value
where
    K: Kind,
    K::Spec: JsonSchema,
{
    let mut root = json!({
        "type": "object",
        "properties": { "spec": schema::of::<K::Spec>(), "status": schema::of::<IstioStatus>() },
    });
    if K::SPEC_REQUIRED {
        root["required"] = json!(["spec"]);
    }
    root
}

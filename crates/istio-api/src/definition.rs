//! From a kind's types to the definition that the API server takes.

use k8s_openapi::{
    apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};
use kube::{CustomResourceExt, Resource, core::object::HasSpec};
use schemars::JsonSchema;
use serde_json::{Value, json};

use crate::{schema::Schemas, status::IstioStatus};

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

/// A definition has no JSON form: a mistake in this crate.
#[derive(Debug, thiserror::Error)]
#[error("the definition of {kind} cannot be made; please report this as a bug")]
pub struct Error {
    kind: String,
    source: serde_json::Error,
}

/// The definition of one kind, as Istio 1.31.1 ships it, with this crate's descriptions.
///
/// It is plain JSON: the types of Kubernetes for schemas cost several times what making them does.
///
/// # Errors
/// If what the derive gives has no JSON form. This does not depend on any input.
pub fn custom_resource_definition<K>() -> Result<Value, Error>
where
    K: Kind,
    K::Spec: JsonSchema,
{
    of::<K>(&mut Schemas::new())
}

/// As [`custom_resource_definition`], with the schemas that other kinds had made already.
pub(crate) fn of<K>(schemas: &mut Schemas) -> Result<Value, Error>
where
    K: Kind,
    K::Spec: JsonSchema,
{
    let mut derived = K::crd();
    let group = K::group(&());
    let first_label = group.split('.').next().unwrap_or_default();
    derived.metadata = metadata(&derived, first_label);
    derived.spec.names.categories =
        Some(vec!["istio-io".into(), format!("{first_label}-istio-io")]);
    // kube says "no short names" as an empty list, which the API server would not give back.
    derived.spec.names.short_names = derived
        .spec
        .names
        .short_names
        .take()
        .filter(|names| !names.is_empty());
    // Set here rather than derived: the API server adds the name of a list itself.
    derived.spec.names.list_kind = Some(format!("{}List", K::kind(&())));
    let version = derived.spec.versions.pop().unwrap_or_default();

    let json = |error| Error {
        kind: K::kind(&()).into_owned(),
        source: error,
    };
    let mut definition = serde_json::to_value(derived).map_err(json)?;
    let mut version = serde_json::to_value(version).map_err(json)?;
    version["schema"] = json!({});
    version["schema"]["openAPIV3Schema"] = root::<K>(schemas);
    let mut versions = vec![version; K::VERSIONS.len()];
    for (version, &name) in versions.iter_mut().zip(K::VERSIONS) {
        version["name"] = name.into();
        version["served"] = true.into();
        version["storage"] = (name == K::STORAGE_VERSION).into();
    }
    definition["spec"]["versions"] = versions.into();
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
fn root<K>(schemas: &mut Schemas) -> Value
where
    K: Kind,
    K::Spec: JsonSchema,
{
    let mut root = json!({ "type": "object", "properties": {} });
    root["properties"]["spec"] = schemas.of::<K::Spec>();
    root["properties"]["status"] = schemas.of::<IstioStatus>();
    if K::SPEC_REQUIRED {
        root["required"] = json!(["spec"]);
    }
    root
}

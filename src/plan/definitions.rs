//! Custom resource definitions belong to everybody in the cluster.

use serde_json::Value;

use crate::intent::identity::Identity;
use crate::istio::ISTIO_VERSION;
use crate::k8s::kind::CUSTOM_RESOURCE_DEFINITION;
use crate::k8s::labels;
use crate::k8s::object::Object;
use crate::k8s::version::IstioVersion;
use crate::plan::ownership::{Ownership, ownership};

/// What istioctl labels with the version that it installs.
pub const OPERATOR_VERSION: &str = "operator.istio.io/version";

/// What to do with a definition that exists already.
#[derive(Clone, Debug, PartialEq)]
pub enum Definition {
    /// Apply this definition: ours, with the versions that stored objects still need.
    Apply(Object),
    /// Leave it as it is; the text says why.
    Leave(String),
}

/// Decides what to do with one existing definition: it is never downgraded, never loses a schema,
/// and never loses a version in which objects are stored.
pub fn decide(wanted: &Object, live: &Object, identity: &Identity) -> Definition {
    if !live.is_written_by_this_charm()
        && let Ownership::Foreign(whose) = ownership(live, identity)
    {
        return Definition::Leave(format!("it belongs to {whose}"));
    }
    let versions = [labels::VERSION, OPERATOR_VERSION].map(|label| live.label(label));
    for version in versions.into_iter().flatten() {
        if IstioVersion::parse(version) > IstioVersion::parse(ISTIO_VERSION) {
            return Definition::Leave(format!(
                "it is of Istio {version}, newer than {ISTIO_VERSION}"
            ));
        }
    }
    if let Some(field) = lost_field(wanted, live) {
        return Definition::Leave(format!(
            "it has the field {field}, which Istio {ISTIO_VERSION} has not"
        ));
    }
    if loosens(wanted, live) {
        return Definition::Leave("it checks more than this charm's definition".to_owned());
    }
    Definition::Apply(with_stored_versions(wanted, live))
}

/// The labels of Juju that a definition carries. Other objects keep them: that is how Juju cleans up
/// what an application leaves behind.
pub(super) fn labels_of_juju(live: &Object) -> Vec<&'static str> {
    if !live.is(&CUSTOM_RESOURCE_DEFINITION) {
        return Vec::new();
    }
    let carried = |label: &&str| live.label(label).is_some();
    labels::OF_JUJU.into_iter().filter(carried).collect()
}

/// The first field that objects of this kind may have now, and would lose. Whoever has put it there
/// needs it, whatever the labels say.
fn lost_field(wanted: &Object, live: &Object) -> Option<String> {
    versions(wanted).iter().find_map(|wanted| {
        let schema = "/schema/openAPIV3Schema";
        let live = version(live, &wanted["name"])?.pointer(schema)?;
        lost_below(wanted.pointer(schema)?, live, "")
    })
}

fn lost_below(wanted: &Value, live: &Value, path: &str) -> Option<String> {
    if wanted["x-kubernetes-preserve-unknown-fields"] == true {
        return None;
    }
    let properties = live["properties"].as_object().into_iter().flatten();
    let lost = properties.into_iter().find_map(|(name, live)| {
        let path = format!("{path}.{name}");
        match wanted["properties"].get(name) {
            Some(wanted) => lost_below(wanted, live, &path),
            None => Some(path),
        }
    });
    let below = |part: &str| lost_below(wanted.get(part)?, live.get(part)?, path);
    lost.or_else(|| below("items"))
        .or_else(|| below("additionalProperties"))
}

/// Whether a version that has a schema would lose it.
fn loosens(wanted: &Object, live: &Object) -> bool {
    versions(wanted).iter().any(|wanted| {
        let open = "/schema/openAPIV3Schema/properties/spec/x-kubernetes-preserve-unknown-fields";
        let is_open = |version: &Value| version.pointer(open) == Some(&Value::Bool(true));
        let live = version(live, &wanted["name"]);
        is_open(wanted) && live.is_some_and(|live| !is_open(live))
    })
}

fn with_stored_versions(wanted: &Object, live: &Object) -> Object {
    let stored = live.at("/status/storedVersions").and_then(Value::as_array);
    let mut result = wanted.clone();
    for name in stored.into_iter().flatten() {
        let missing = version(wanted, name).is_none();
        if let (true, Some(mut version)) = (missing, version(live, name).cloned())
            && let Some(versions) = result
                .at_mut("/spec/versions")
                .and_then(Value::as_array_mut)
        {
            version["storage"] = Value::Bool(false);
            versions.push(version);
        }
    }
    result
}

fn version<'a>(definition: &'a Object, name: &Value) -> Option<&'a Value> {
    let mut versions = versions(definition).iter();
    versions.find(|it| it["name"] == *name)
}

fn versions(definition: &Object) -> &[Value] {
    definition
        .at("/spec/versions")
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

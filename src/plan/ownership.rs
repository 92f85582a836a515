//! Who owns a live object.

use serde_json::Value;

use crate::intent::identity::Identity;
use crate::k8s::labels;
use crate::k8s::object::Object;

/// Who owns a live object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ownership {
    /// This application made it.
    Ours,
    /// An installation in our namespace made it, which this charm replaces.
    Adopted,
    /// Somebody else owns it; the text says who.
    Foreign(String),
}

const HELM_RELEASE: &str = "meta.helm.sh/release-name";
const OPERATOR_MANAGED: &str = "operator.istio.io/managed";
const OPERATOR_NAMESPACE: &str = "install.operator.istio.io/owning-resource-namespace";

/// Who owns a live object, according to its labels and annotations.
pub fn ownership(live: &Object, identity: &Identity) -> Ownership {
    if let Some(release) = live.annotation(HELM_RELEASE) {
        return Ownership::Foreign(format!("the Helm release {release}"));
    }
    match live.label(labels::INSTANCE) {
        Some(instance) if instance == identity.instance() => return Ownership::Ours,
        Some(instance) if live.label(labels::MANAGED_BY) == Some(labels::MANAGED_BY_VALUE) => {
            return Ownership::Foreign(format!("the application {instance}"));
        }
        _ => {}
    }
    if live.label(OPERATOR_MANAGED).is_some() {
        return match live.label(OPERATOR_NAMESPACE) {
            Some(namespace) if namespace == identity.namespace() => Ownership::Adopted,
            namespace => {
                let of = namespace.unwrap_or("an unknown namespace");
                Ownership::Foreign(format!("an istioctl installation of {of}"))
            }
        };
    }
    Ownership::Foreign(foreign_description(live))
}

/// Whether the charm may delete an object that is no longer wanted.
///
/// A copy that somebody made of one of our objects has our labels, but not our field manager. An
/// object that a controller derived from one of ours has an owner.
pub fn may_delete(live: &Object, identity: &Identity) -> bool {
    let labelled = live.label(labels::INSTANCE) == Some(identity.instance())
        && live.label(labels::MANAGED_BY) == Some(labels::MANAGED_BY_VALUE);
    // Two applications can have the same instance: `a-b` in the model `c`, and `a` in `b-c`.
    let namespace = live.id().namespace.as_ref();
    let here = namespace.is_none_or(|it| it == identity.namespace());
    let derived = live
        .at("/metadata/ownerReferences")
        .and_then(Value::as_array)
        .is_some_and(|owners| !owners.is_empty());
    labelled && here && !derived && live.is_written_by_this_charm()
}

fn foreign_description(live: &Object) -> String {
    match live.label(labels::MANAGED_BY) {
        Some(manager) => format!("{manager} (label {})", labels::MANAGED_BY),
        None => match live.managed_fields().next() {
            Some(entry) => format!("somebody else (field manager {})", entry.manager()),
            None => "somebody else".to_owned(),
        },
    }
}

//! Who owns a live object.

use serde_json::Value;

use super::adoption::PYTHON_CHARM;
use crate::intent::identity::Identity;
use crate::istio::names::{Names, authorization_filter};
use crate::k8s::kind::{CLUSTER_ROLE, CLUSTER_ROLE_BINDING, ENVOY_FILTER};
use crate::k8s::labels;
use crate::k8s::managed_fields::FIELD_MANAGER;
use crate::k8s::object::{LiveObjects, Object};

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

/// Who owns a live object.
///
/// The label [`labels::MANAGED_BY`] says nothing: some versions of Juju write their own name there.
pub fn ownership(live: &Object, identity: &Identity) -> Ownership {
    if let Some(release) = live.annotation(HELM_RELEASE) {
        return Ownership::Foreign(format!("the Helm release {release}"));
    }
    if is_ours(live, identity) {
        return Ownership::Ours;
    }
    match labelled(live) {
        Labelled::With(instance) if instance == identity.instance() => {
            return Ownership::Foreign(format!("another application {instance}"));
        }
        Labelled::With(instance) if live.is_written_by_this_charm() => {
            return Ownership::Foreign(format!("the application {instance}"));
        }
        _ => {}
    }
    if is_filter_of_python_charm(live, identity) {
        return Ownership::Adopted;
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

/// Whether somebody else owns a live object.
pub fn is_foreign(live: &Object, identity: &Identity) -> bool {
    matches!(ownership(live, identity), Ownership::Foreign(_))
}

/// Whether this application made an object: it carries our instance, or has lost that label, and
/// stands where only we put it.
///
/// Two applications can have the same instance: `a-b` in the model `c`, and `a` in `b-c`. So the
/// label alone says nothing of an object that belongs to the whole cluster.
fn is_ours(live: &Object, identity: &Identity) -> bool {
    let is_labelled = match labelled(live) {
        Labelled::With(instance) => instance == identity.instance(),
        Labelled::NoLonger => is_named_by(live, identity),
        Labelled::Never => false,
    };
    is_labelled && is_here(live, identity)
}

/// Whose an object says it is.
enum Labelled<'a> {
    /// It carries the label of this instance.
    With(&'a str),
    /// This charm has written the object, and somebody has taken the label off or changed it.
    NoLonger,
    /// It has no such label, and this charm has not written it.
    Never,
}

fn labelled(live: &Object) -> Labelled<'_> {
    const LABEL: [&str; 3] = ["f:metadata", "f:labels", "f:app.kubernetes.io/instance"];
    let label = live.label(labels::INSTANCE);
    let is_changed = || {
        let mut managers = live.managers_of(&LABEL).peekable();
        managers.peek().is_some() && managers.all(|it| it != FIELD_MANAGER)
    };
    match label {
        Some(instance) if !live.is_written_by_this_charm() || !is_changed() => {
            Labelled::With(instance)
        }
        None if !live.is_written_by_this_charm() => Labelled::Never,
        _ => Labelled::NoLonger,
    }
}

/// Whether only this application gives an object of our namespace that name.
fn is_named_by(live: &Object, identity: &Identity) -> bool {
    let names = Names::new(identity.namespace());
    let id = live.id();
    id.namespace.is_none() || names.has_namespaced(&id.name)
}

/// Whether an object stands in our namespace, or has a name that our namespace gives.
fn is_here(live: &Object, identity: &Identity) -> bool {
    let namespace = identity.namespace();
    match &live.id().namespace {
        Some(its_own) => its_own == namespace,
        None if serves_account_elsewhere(live, namespace) => false,
        None => Names::new(namespace).has_cluster_scoped(&live.id().name),
    }
}

/// Whether a binding gives its rights to an account of another namespace. The names of the node
/// agent's bindings do not show their namespace.
fn serves_account_elsewhere(binding: &Object, namespace: &str) -> bool {
    let subjects = binding.at("/subjects").and_then(Value::as_array);
    let mut subjects = subjects.into_iter().flatten();
    subjects.any(|it| it["namespace"].as_str().is_some_and(|it| it != namespace))
}

/// Whether the Python charm of this application has made an object.
fn is_of_python_charm(live: &Object, identity: &Identity) -> bool {
    live.label("kubernetes-resource-handler-scope").is_some()
        && live.label(labels::INSTANCE) == Some(identity.instance())
        && live.managed_fields().any(|it| it.manager() == PYTHON_CHARM)
}

/// Whether an object is the filter that the Python charm makes, which has no labels.
fn is_filter_of_python_charm(live: &Object, identity: &Identity) -> bool {
    live.is(&ENVOY_FILTER)
        && is_here(live, identity)
        && live.id().name == authorization_filter(identity.application())
        && live.managed_fields().any(|it| it.manager() == PYTHON_CHARM)
}

/// Whether the charm may delete an object that is no longer wanted.
///
/// A copy that somebody made of one of our objects has our labels, but not our field manager. An
/// object that a controller derived from one of ours has an owner.
pub fn may_delete(live: &Object, identity: &Identity) -> bool {
    let derived = live
        .at("/metadata/ownerReferences")
        .and_then(Value::as_array)
        .is_some_and(|owners| !owners.is_empty());
    let is_written = live.is_written_by_this_charm() || is_of_python_charm(live, identity);
    is_ours(live, identity) && !derived && is_written
}

/// Whether a role of the node agent is that of another namespace: the binding of its name says so.
pub(super) fn is_role_of_another(role: &Object, live: &LiveObjects, identity: &Identity) -> bool {
    if !role.is(&CLUSTER_ROLE) {
        return false;
    }
    let mut bindings = live.values().filter(|it| it.is(&CLUSTER_ROLE_BINDING));
    bindings.any(|binding| {
        binding.at("/roleRef/name").and_then(Value::as_str) == Some(&role.id().name)
            && serves_account_elsewhere(binding, identity.namespace())
    })
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

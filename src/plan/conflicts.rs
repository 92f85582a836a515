//! Other installations of Istio that this one cannot coexist with.

use serde_json::Value;

use super::Obstacle;
use super::ownership::{Ownership, is_foreign, ownership};
use crate::intent::Intent;
use crate::intent::identity::Identity;
use crate::istio::{REVISION, names};
use crate::k8s::kind::{DAEMON_SET, DEPLOYMENT, MUTATING_WEBHOOK, VALIDATING_WEBHOOK};
use crate::k8s::object::{LiveObjects, Object};

/// Other control planes of the default revision or tag, and, where the node agent is wanted, other
/// node agents.
///
/// Of two applications of this charm only the younger is in conflict: else both would wait for each
/// other for ever.
pub fn conflicting_installations(intent: &Intent, live: &LiveObjects) -> Vec<Obstacle> {
    let identity = &intent.identity;
    let wants_agent = intent.cni_paths().is_some();
    let others = live
        .values()
        .filter(|object| is_foreign(object, identity) && !is_younger(object, live, identity));
    others
        .filter_map(|object| {
            let whose = whose(object, identity.namespace(), wants_agent)?.to_owned();
            let id = object.id().clone();
            Some(Obstacle { id, whose })
        })
        .collect()
}

/// Whether an object is of another application of this charm, and younger than ours.
fn is_younger(object: &Object, live: &LiveObjects, identity: &Identity) -> bool {
    let ours = live
        .values()
        .filter(|it| it.kind() == object.kind() && ownership(it, identity) == Ownership::Ours);
    let ours = ours
        .filter_map(|it| Some((it.created_at()?, identity.namespace())))
        .min();
    let namespace = namespace_of(object).unwrap_or_default();
    let theirs = object.created_at().map(|it| (it, namespace));
    object.is_written_by_this_charm()
        && ours.zip(theirs).is_some_and(|(ours, theirs)| ours < theirs)
}

/// The namespace of the installation that an object belongs to.
fn namespace_of(object: &Object) -> Option<&str> {
    match object.id().namespace.as_deref() {
        None => object
            .at("/webhooks/0/clientConfig/service/namespace")
            .and_then(Value::as_str),
        namespace => namespace,
    }
}

/// The conflicting installation that an object of others belongs to, if any.
fn whose(object: &Object, namespace: &str, wants_agent: bool) -> Option<&'static str> {
    let is_default = |label: &str| object.label(label) == Some(REVISION);
    let is_elsewhere = namespace_of(object) != Some(namespace);
    if object.is(&DEPLOYMENT) && is_elsewhere && is_default("istio.io/rev") {
        return Some("another control plane of the default revision in this cluster");
    }
    let is_webhook = object.is(&MUTATING_WEBHOOK) || object.is(&VALIDATING_WEBHOOK);
    if is_webhook && calls_elsewhere(object, namespace) {
        if is_default("istio.io/tag") {
            return Some("a control plane that has the default tag of this cluster");
        }
        if is_default("istio.io/rev") {
            return Some("another control plane of the default revision in this cluster");
        }
    }
    let is_agent = wants_agent && object.is(&DAEMON_SET) && is_elsewhere;
    is_agent.then_some("another CNI node agent of this cluster")
}

/// Whether one of the webhooks calls something else than our istiod. One without webhooks calls
/// nothing.
fn calls_elsewhere(configuration: &Object, namespace: &str) -> bool {
    let webhooks = configuration.at("/webhooks").and_then(Value::as_array);
    webhooks.into_iter().flatten().any(|webhook| {
        let service = &webhook["clientConfig"]["service"];
        service["namespace"] != namespace || service["name"] != names::ISTIOD
    })
}

//! Other installations of Istio that this one cannot coexist with.

use serde_json::Value;

use super::Obstacle;
use crate::intent::Intent;
use crate::istio::REVISION;
use crate::k8s::kind::{DAEMON_SET, DEPLOYMENT, MUTATING_WEBHOOK};
use crate::k8s::object::{LiveObjects, Object};

/// Other control planes of the default revision, and, where the node agent is wanted, other node
/// agents.
pub fn conflicting_installations(intent: &Intent, live: &LiveObjects) -> Vec<Obstacle> {
    let namespace = intent.identity.namespace();
    let wants_agent = intent.cni_paths().is_some();
    let others = live
        .values()
        .filter(|object| namespace_of(object) != Some(namespace));
    others
        .filter_map(|object| {
            let whose = whose(object, wants_agent)?.to_owned();
            let id = object.id().clone();
            Some(Obstacle { id, whose })
        })
        .collect()
}

/// The namespace of the installation that an object belongs to.
fn namespace_of(object: &Object) -> Option<&str> {
    if object.is(&MUTATING_WEBHOOK) {
        return object
            .at("/webhooks/0/clientConfig/service/namespace")
            .and_then(Value::as_str);
    }
    object.id().namespace.as_deref()
}

/// The conflicting installation that an object of another namespace belongs to, if any.
fn whose(object: &Object, wants_agent: bool) -> Option<&'static str> {
    let is_of_control_plane = object.is(&DEPLOYMENT) || object.is(&MUTATING_WEBHOOK);
    if is_of_control_plane && object.label("istio.io/rev") == Some(REVISION) {
        return Some("another control plane of the default revision in this cluster");
    }
    (wants_agent && object.is(&DAEMON_SET)).then_some("another CNI node agent of this cluster")
}

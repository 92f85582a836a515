//! What relations ask for, where nobody sees them: the tool shows no change of that.

use serde_json::Value;

use crate::intent::Intent;
use crate::istio::names::{ISTIOD, KEY_AUTHORITIES, MESH_CONFIG};
use crate::k8s::kind::{CONFIG_MAP, DEPLOYMENT};
use crate::k8s::object::{LiveObjects, ObjectId};
use crate::plan::drift::Difference;
use crate::plan::{Plan, Upsert};

/// The volume of istiod with the authorities, and the annotation that says which they are.
const AUTHORITIES_VOLUME: &str = "extracacerts";
const AUTHORITIES_CHECKSUM: &str = "checksum/jwks-extra-cacerts";

/// Objects of the control plane that are there for relations only.
pub(super) fn frozen(intent: &Intent, live: &LiveObjects) -> Option<ObjectId> {
    let id = ObjectId::new(&CONFIG_MAP, intent.identity.namespace(), KEY_AUTHORITIES);
    (is_unseen(intent) && live.contains_key(&id)).then_some(id)
}

/// Takes out of a plan what differs only by what relations add to objects of the control plane.
pub(super) fn leave(plan: &mut Plan, intent: &Intent) {
    if !is_unseen(intent) {
        return;
    }
    plan.upserts.retain_mut(|upsert| {
        let Upsert {
            object,
            differences: Some(differences),
            ..
        } = upsert
        else {
            return true;
        };
        let before = differences.len();
        if object.is(&CONFIG_MAP) && object.id().name == MESH_CONFIG {
            differences.retain(|it| !is_of_relations(it));
        }
        if object.is(&DEPLOYMENT) && object.id().name == ISTIOD {
            differences.retain(|it| !is_of_authorities(it));
        }
        before == 0 || !differences.is_empty()
    });
}

fn is_unseen(intent: &Intent) -> bool {
    !intent.is_removal() && intent.extensions.is_none()
}

/// Whether istiod differs by the authorities that it trusts: what would be removed has to do with them.
fn is_of_authorities(difference: &Difference) -> bool {
    match (&difference.live, &difference.wanted) {
        (Some(live), Some(wanted)) => without_volume(live) == *wanted,
        (_, None) => [AUTHORITIES_VOLUME, "/cacerts", AUTHORITIES_CHECKSUM]
            .iter()
            .any(|it| difference.path.contains(it)),
        (None, Some(_)) => false,
    }
}

/// A part of a pod's specification without the volume of the authorities and its mount.
fn without_volume(part: &Value) -> Value {
    let mut part = part.clone();
    if let Value::Array(items) = &mut part {
        items.retain(|it| it["name"] != AUTHORITIES_VOLUME);
    }
    let inside: Vec<&mut Value> = match &mut part {
        Value::Array(items) => items.iter_mut().collect(),
        Value::Object(fields) => fields.values_mut().collect(),
        _ => Vec::new(),
    };
    for value in inside {
        *value = without_volume(value);
    }
    part
}

/// Whether two mesh configurations differ only by their providers.
fn is_of_relations(difference: &Difference) -> bool {
    let without_providers = |text: &Option<Value>| {
        let text = text.as_ref()?.as_str()?;
        let mut mesh: Value = serde_yaml::from_str(text).ok()?;
        mesh.as_object_mut()?.remove("extensionProviders");
        Some(mesh)
    };
    let (live, wanted) = (&difference.live, &difference.wanted);
    let live = without_providers(live);
    difference.path == ".data.mesh" && live.is_some() && live == without_providers(wanted)
}

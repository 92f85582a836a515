//! What relations ask for, where nobody sees them: the tool shows no change of that.

use serde_json::Value;

use crate::intent::Intent;
use crate::istio::names::MESH_CONFIG;
use crate::k8s::kind::CONFIG_MAP;
use crate::plan::drift::Difference;
use crate::plan::{Plan, Upsert};

/// Takes out of a plan what differs only by what relations add to objects of the control plane.
pub(super) fn leave(plan: &mut Plan, intent: &Intent) {
    if intent.is_removal() || intent.extensions.is_some() {
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
        before == 0 || !differences.is_empty()
    });
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

//! What the ingress gateway waits for.

use crate::intent::Intent;
use crate::intent::ingress::Authorization;
use crate::k8s::kind::{ENVOY_FILTER, GATEWAY, Wave};
use crate::k8s::object::{LiveObjects, Object, ObjectId};
use crate::plan::ownership::may_delete;
use crate::plan::{Plan, close};

/// What relations have asked for, where nobody knows whether they still do.
pub(super) fn frozen(intent: &Intent, live: &LiveObjects) -> Vec<ObjectId> {
    if intent.is_removal() || intent.ingress.is_some() {
        return Vec::new();
    }
    let ids = live.keys();
    ids.filter(|id| id.wave().is_some_and(Wave::is_of_relations))
        .cloned()
        .collect()
}

/// Lets no request pass before what checks it is there: the Gateway comes after the filter, and goes
/// where the filter is missing.
pub(super) fn stay_closed_without_filter(plan: &mut Plan, intent: &Intent, live: &LiveObjects) {
    let authorization = intent.ingress.as_ref().map(|it| &it.authorization);
    if !matches!(authorization, Some(Authorization::By(_))) {
        return;
    }
    let is_ours = |object: &&Object| may_delete(object, &intent.identity);
    let mut ours = live.values().filter(is_ours);
    let has_filter = ours.any(|it| it.is(&ENVOY_FILTER) && !it.is_being_deleted());
    if has_filter {
        return;
    }
    plan.upserts.retain(|it| !it.object.is(&GATEWAY));
    let open = live.values().filter(is_ours).filter(|it| it.is(&GATEWAY));
    plan.deletions.extend(open.filter_map(close));
}

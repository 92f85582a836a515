//! What the ingress gateway waits for.

use crate::intent::Intent;
use crate::intent::ingress::Authorization;
use crate::istio::names::authorization_filter;
use crate::k8s::kind::{ENVOY_FILTER, GATEWAY, Wave};
use crate::k8s::object::{LiveObjects, Object, ObjectId};
use crate::plan::ownership::{Ownership, may_delete, ownership};
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
    let identity = &intent.identity;
    let name = authorization_filter(identity.application());
    let filter = live.get(&ObjectId::new(&ENVOY_FILTER, identity.namespace(), &name));
    // One of the Python charm checks requests as well, until it is taken over.
    let is_foreign = |it: &Object| matches!(ownership(it, identity), Ownership::Foreign(_));
    if filter.is_some_and(|it| !it.is_being_deleted() && !is_foreign(it)) {
        return;
    }
    plan.upserts.retain(|it| !it.object.is(&GATEWAY));
    plan.deletions.retain(|it| !it.id.is(&GATEWAY));
    let gateways = live.values().filter(|it| it.is(&GATEWAY));
    let ours = gateways.filter(|it| may_delete(it, identity));
    plan.deletions.extend(ours.filter_map(close));
}

//! What the ingress gateway waits for.

use crate::intent::Intent;
use crate::intent::ingress::Authorization;
use crate::intent::tls::Tls;
use crate::istio::names::authorization_filter;
use crate::k8s::kind::{ENVOY_FILTER, GATEWAY, SECRET, Wave};
use crate::k8s::object::{LiveObjects, Object, ObjectId};
use crate::plan::ownership::{Ownership, may_delete, ownership};
use crate::plan::{Plan, close};

/// What stays as it is: all that relations have asked for, where nobody knows whether they still do;
/// the Gateway and its certificate, where there is no other certificate that can be used.
pub(super) fn frozen(intent: &Intent, live: &LiveObjects) -> Vec<ObjectId> {
    if intent.is_removal() {
        return Vec::new();
    }
    let stays = |id: &&ObjectId| match &intent.ingress {
        None => id.is(&SECRET) || id.wave().is_some_and(Wave::is_of_relations),
        Some(ingress) if ingress.tls == Tls::AsBefore => {
            id.is(&SECRET) || id.is(&GATEWAY) && !ingress.is_closed()
        }
        Some(_) => false,
    };
    live.keys().filter(stays).cloned().collect()
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

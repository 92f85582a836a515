//! What the ingress gateway waits for.

use std::collections::{BTreeMap, BTreeSet};

use juju::names::ApplicationName;
use serde_json::Value;

use crate::desired::Wanted;
use crate::intent::Intent;
use crate::intent::identity::Identity;
use crate::intent::ingress::Authorization;
use crate::intent::ingress::route::Route;
use crate::intent::tls::Tls;
use crate::intent::tokens::Tokens;
use crate::istio::names::{authorization_filter, request_authentication};
use crate::k8s::kind::{
    ENVOY_FILTER, GATEWAY, Kind, REQUEST_AUTHENTICATION, SECRET, VIRTUAL_SERVICE, Wave,
};
use crate::k8s::object::{LiveObjects, Object, ObjectId};
use crate::plan::ownership::{is_foreign, may_delete};
use crate::plan::{Deletion, Plan, close};

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
    let name = authorization_filter(intent.identity.application());
    if matches!(authorization, Some(Authorization::By(_)))
        && !is_there(&ENVOY_FILTER, &name, &intent.identity, live)
    {
        plan.upserts.retain(|it| !it.object.is(&GATEWAY));
        close_first(plan, live, &intent.identity, |it| it.is(&GATEWAY));
    }
}

/// The applications that no request may reach: it is not known how their tokens are checked, or what
/// checks them is not there.
pub(super) fn unchecked<'a>(
    intent: &'a Intent,
    live: &LiveObjects,
) -> BTreeSet<&'a ApplicationName> {
    let identity = &intent.identity;
    let is_unchecked = |(application, tokens): &(&ApplicationName, &Tokens)| match tokens {
        Tokens::Unknown => true,
        Tokens::CheckedBy(_) => {
            let name = request_authentication(application.as_str(), identity.application());
            !is_there(&REQUEST_AUTHENTICATION, &name, identity, live)
        }
    };
    let tokens = intent.ingress.iter().flat_map(|it| &it.tokens);
    tokens.filter(is_unchecked).map(|(it, _)| it).collect()
}

/// Deletes before anything else what leads requests to applications that none may reach, such as the
/// route of another one of which theirs are a part: it is made anew without them.
pub(super) fn close_routes_to(
    applications: &BTreeSet<&ApplicationName>,
    plan: &mut Plan,
    wanted: &Wanted,
    intent: &Intent,
    live: &LiveObjects,
) {
    let routes = intent.ingress.iter().flat_map(|it| &it.routes);
    let is_withheld = |it: &&Route| {
        let application = it.application.as_ref();
        application.is_some_and(|it| applications.contains(it))
    };
    let hosts: BTreeSet<String> = routes.filter(is_withheld).flat_map(Route::hosts).collect();
    if hosts.is_empty() {
        return;
    }
    let wanted: BTreeMap<_, _> = wanted.objects().iter().map(|it| (it.id(), it)).collect();
    // Another application may have a route of its own there.
    let is_unwanted = |object: &Object, line: &Value| {
        let wanted = wanted.get(object.id());
        !wanted.is_some_and(|it| lines(it).contains(line))
    };
    close_first(plan, live, &intent.identity, |it| {
        it.is(&VIRTUAL_SERVICE)
            && lines(it)
                .iter()
                .any(|line| leads_to(line, &hosts) && is_unwanted(it, line))
    });
}

/// What a `VirtualService` does with requests, one thing after the other.
fn lines(service: &Object) -> &[Value] {
    let lines = service.at("/spec/http").and_then(Value::as_array);
    lines.map_or(&[], Vec::as_slice)
}

fn leads_to(line: &Value, hosts: &BTreeSet<String>) -> bool {
    let mut destinations = line["route"].as_array().into_iter().flatten();
    destinations.any(|it| {
        let host = it["destination"]["host"].as_str();
        host.is_some_and(|it| hosts.contains(it))
    })
}

/// Whether an object is there that is not of others. One of the Python charm serves as well, until it
/// is taken over.
fn is_there(kind: &Kind, name: &str, identity: &Identity, live: &LiveObjects) -> bool {
    let found = live.get(&ObjectId::new(kind, identity.namespace(), name));
    found.is_some_and(|it| !it.is_being_deleted() && !is_foreign(it, identity))
}

/// Deletes before anything else what lets requests pass.
fn close_first(
    plan: &mut Plan,
    live: &LiveObjects,
    identity: &Identity,
    is_open: impl Fn(&Object) -> bool,
) {
    let open = live.values().filter(|it| is_open(it));
    let closing: Vec<_> = open
        .filter(|it| may_delete(it, identity))
        .filter_map(close)
        .collect();
    let is_closing = |it: &Deletion| closing.iter().any(|other| other.id == it.id);
    plan.deletions.retain(|it| !is_closing(it));
    plan.deletions.extend(closing);
}

//! The endpoint `istio-ingress-route` (interface `istio_ingress_route`): routes of an application's own
//! making.
//!
//! The other side writes them as one JSON document, as version 1.0.2 of the Python library
//! charmlibs-interfaces-istio-ingress-route does; it is told the gateway's host, and whether HTTPS is
//! served there. What a route means is what the Gateway API says, of which the document is a part.

mod answers;
mod document;
mod expression;
mod names;
mod routes;

use juju::relation::{Bag, DatabagChanges, OwnBag, Relation};

use super::outside::{Address, Told, object_name};
use super::{Endpoint, Known, Publication, World};
use crate::intent::Intent;
use crate::intent::ingress::route::Route;
use crate::intent::problem::Problem;

/// The key of the document.
const CONFIG: &str = "config";

/// The endpoint.
pub(super) struct IstioIngressRoute;

impl Endpoint for IstioIngressRoute {
    fn name(&self) -> &'static str {
        "istio-ingress-route"
    }

    fn reads(&self) -> &'static [Bag] {
        &[Bag::RemoteApplication, Bag::OwnApplication]
    }

    fn request(&self, relations: &[Relation], _: &Known<'_>, intent: &mut Intent) {
        let ingress = intent.ingress.get_or_insert_default();
        ingress.is_watched |= !relations.is_empty();
        for relation in relations {
            match route(relation) {
                // A document without routes asks for nothing but the address.
                Ok(route) if route.rules.is_empty() => {}
                Ok(route) => ingress.routes.push(route),
                Err(problem) => intent.problems.push(problem),
            }
        }
    }

    fn publish(&self, relation: &Relation, world: &World<'_>) -> Vec<Publication> {
        let (host, tls) = match Told::of(relation, world) {
            _ if !world.leader => return Vec::new(),
            Told::AsBefore => return Vec::new(),
            Told::Nothing => (None, None),
            Told::At(Address { host, is_https }) => {
                // As Python writes it.
                let is_https = if is_https { "True" } else { "False" };
                (Some(host), Some(is_https.to_owned()))
            }
        };
        let wanted = DatabagChanges::from([
            ("external_host".to_owned(), host),
            ("tls_enabled".to_owned(), tls),
        ]);
        vec![Publication::new(relation, OwnBag::Application, &wanted)]
    }

    fn awaits(&self, relation: &Relation, world: &World<'_>) -> Option<Problem> {
        Told::awaited(relation, world)
    }
}

/// What a relation asks for.
fn route(relation: &Relation) -> Result<Route, Problem> {
    let other = relation.other_side();
    let databag = relation.remote_application.as_ref();
    let Some(text) = databag.and_then(|it| it.get(CONFIG)) else {
        let why = format!("`{CONFIG}` is not set yet; {other} must write its routes there");
        return Err(Problem::not_yet(relation, &why));
    };
    read(text, relation).map_err(|why| Problem::of_request(relation, &format!("`{CONFIG}` {why}")))
}

fn read(text: &str, relation: &Relation) -> Result<Route, String> {
    let document = document::read(text)?;
    let application = relation.application.as_ref();
    let application = application.map_or("", |it| it.as_str());
    Ok(Route {
        relation: relation.id.clone(),
        application: relation.application.clone(),
        name: object_name(application, &document.model, &relation.id),
        rules: routes::rules(&document, relation.other_side())?,
    })
}

#[cfg(test)]
mod tests;

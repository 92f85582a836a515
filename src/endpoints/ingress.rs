//! The endpoint `ingress` (interface `ingress`, versions `v1` and `v2` of the
//! serialized-data-interface): paths of the ingress gateway that lead to services.
//!
//! The other side says which service serves which prefix; of this side it hears only which versions
//! are supported.

use std::sync::LazyLock;

use juju::relation::{Bag, OwnBag, Relation};
use juju::serialized_data::Interface;
use serde_json::{Map, Value};

use super::fields::Fields;
use super::metadata::interface;
use super::{Endpoint, Known, Publication, World};
use crate::intent::Intent;
use crate::intent::ingress::Route;
use crate::intent::problem::Problem;

/// The interface as `metadata.yaml` declares it.
static INTERFACE: LazyLock<Interface> = LazyLock::new(|| interface("ingress"));

/// The endpoint.
pub(super) struct Ingress;

impl Endpoint for Ingress {
    fn name(&self) -> &'static str {
        "ingress"
    }

    fn reads(&self) -> &'static [Bag] {
        &[Bag::RemoteApplication, Bag::OwnApplication]
    }

    fn request(&self, relations: &[Relation], _: &Known<'_>, intent: &mut Intent) {
        let namespace = intent.identity.namespace().to_owned();
        let mut routes: Vec<Route> = Vec::new();
        for relation in relations {
            match route(relation, &namespace) {
                Ok(None) => {}
                Ok(Some(route)) => match collision(&route, &routes) {
                    None => routes.push(route),
                    Some(why) => intent.problems.push(Problem::of_request(relation, &why)),
                },
                Err(problem) => intent.problems.push(problem),
            }
        }
        intent.ingress.get_or_insert_default().routes = routes;
    }

    fn publish(&self, relation: &Relation, world: &World<'_>) -> Vec<Publication> {
        if !world.leader {
            return Vec::new();
        }
        let wanted = INTERFACE.versions_only();
        vec![Publication::new(relation, OwnBag::Application, &wanted)]
    }
}

/// What a relation asks for; `None` while it asks for nothing.
fn route(relation: &Relation, namespace: &str) -> Result<Option<Route>, Problem> {
    let received = INTERFACE.read(relation);
    let received = received.map_err(|unreadable| Problem::of_relation(&unreadable))?;
    let read = received.data.map(|data| read(&data, relation, namespace));
    let read = read.transpose();
    read.map_err(|why| Problem::of_request(relation, &why))
}

fn read(data: &Map<String, Value>, relation: &Relation, namespace: &str) -> Result<Route, String> {
    let fields = Fields(data);
    let prefix = fields.path("prefix")?.unwrap_or_default();
    let rewrite = fields.path("rewrite")?.filter(|it| !it.is_empty());
    Ok(Route {
        relation: relation.id.clone(),
        application: relation.application.clone(),
        service: fields.label("service")?.unwrap_or_default(),
        namespace: fields
            .label("namespace")?
            .unwrap_or_else(|| namespace.to_owned()),
        port: fields.port("port")?,
        rewrite: rewrite.unwrap_or_else(|| prefix.clone()),
        prefix,
    })
}

/// What an earlier route has already, in words.
fn collision(route: &Route, earlier: &[Route]) -> Option<String> {
    let has = |other: &&Route| other.prefix == route.prefix || other.service == route.service;
    let other = earlier.iter().find(has)?;
    let what = if other.prefix == route.prefix {
        format!("the prefix {}", route.prefix)
    } else {
        format!("the service {}", route.service)
    };
    let (this, first) = (route.asked_by(), other.asked_by());
    Some(format!(
        "{this} asks for {what}, which {first} has already and keeps: configure another one of the \
         two, or remove a relation"
    ))
}

#[cfg(test)]
mod tests;

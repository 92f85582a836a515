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
use crate::intent::ingress::route::{Answer, Backend, NewPath, Path, Requests, Route, Rule};
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
        let ingress = intent.ingress.get_or_insert_default();
        for relation in relations {
            match route(relation, &namespace) {
                Ok(route) => ingress.routes.extend(route),
                Err(problem) => intent.problems.push(problem),
            }
        }
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
fn route(relation: &Relation, own_namespace: &str) -> Result<Option<Route>, Problem> {
    let received = INTERFACE.read(relation);
    let received = received.map_err(|unreadable| Problem::of_relation(&unreadable))?;
    let read = received.data.map(|it| read(&it, relation, own_namespace));
    let read = read.transpose();
    read.map_err(|why| Problem::of_request(relation, &why))
}

fn read(
    data: &Map<String, Value>,
    relation: &Relation,
    own_namespace: &str,
) -> Result<Route, String> {
    let fields = Fields(data);
    let prefix = fields.path("prefix")?.unwrap_or_default();
    let rewrite = fields.path("rewrite")?.filter(|it| !it.is_empty());
    let rewrite = rewrite.unwrap_or_else(|| prefix.clone());
    let service = fields.label("service")?.unwrap_or_default();
    let namespace = fields.label("namespace")?;
    let namespace = namespace.unwrap_or_else(|| own_namespace.to_owned());
    let backend = Backend::alone(service.clone(), namespace, fields.port("port")?);
    Ok(Route {
        relation: relation.id.clone(),
        application: relation.application.clone(),
        // As the Python charm calls it.
        name: service,
        rules: vec![Rule {
            requests: Requests::with_path(Path::Prefix(prefix)),
            answer: Answer::Forward {
                to: vec![backend],
                path: NewPath::InPlaceOfPrefix(rewrite),
                host: None,
            },
        }],
    })
}

#[cfg(test)]
mod tests;

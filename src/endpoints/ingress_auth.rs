//! The endpoint `ingress-auth` (interface `ingress-auth`, version `v1` of the
//! serialized-data-interface): a service that checks every request to the ingress gateway.
//!
//! From the moment of the relation on, no request passes unchecked: until the other side has said
//! which service checks them, the gateway stays closed.

use std::sync::LazyLock;

use juju::relation::{Bag, OwnBag, Relation};
use juju::serialized_data::Interface;
use serde_json::{Map, Value};

use super::fields::Fields;
use super::metadata::interface;
use super::{Endpoint, Known, Publication, World};
use crate::intent::Intent;
use crate::intent::ingress::{Authorization, Authorizer};
use crate::intent::problem::Problem;

/// The interface as `metadata.yaml` declares it.
static INTERFACE: LazyLock<Interface> = LazyLock::new(|| interface("ingress-auth"));

/// What a problem means as long as nobody checks requests.
const CLOSED: &str = "; the ingress gateway is closed until then";

/// The endpoint.
pub(super) struct IngressAuth;

impl Endpoint for IngressAuth {
    fn name(&self) -> &'static str {
        "ingress-auth"
    }

    fn reads(&self) -> &'static [Bag] {
        &[Bag::RemoteApplication, Bag::OwnApplication]
    }

    fn request(&self, relations: &[Relation], _: &Known<'_>, intent: &mut Intent) {
        let known = intent.problems.len();
        let mut first: Option<(&Relation, Authorizer)> = None;
        for relation in relations {
            match (authorizer(relation), &first) {
                (Err(problem), _) => intent.problems.push(problem),
                (Ok(authorizer), None) => first = Some((relation, authorizer)),
                (Ok(_), Some((first, _))) => {
                    let why = format!(
                        "only one application can check requests, and {first} does: remove one of \
                         the two relations"
                    );
                    intent.problems.push(Problem::of_request(relation, &why));
                }
            }
        }
        intent.ingress.get_or_insert_default().authorization = match first {
            Some((_, authorizer)) => Authorization::By(authorizer),
            None if relations.is_empty() => Authorization::Nobody,
            None => {
                for problem in &mut intent.problems[known..] {
                    problem.message.push_str(CLOSED);
                }
                Authorization::Unknown
            }
        };
    }

    fn publish(&self, relation: &Relation, world: &World<'_>) -> Vec<Publication> {
        if !world.leader {
            return Vec::new();
        }
        let wanted = INTERFACE.versions_only();
        vec![Publication::new(relation, OwnBag::Application, &wanted)]
    }
}

/// The service of a relation that checks requests.
fn authorizer(relation: &Relation) -> Result<Authorizer, Problem> {
    let received = INTERFACE.read(relation);
    let received = received.map_err(|unreadable| Problem::of_relation(&unreadable))?;
    let Some(data) = received.data else {
        let why = "does not say yet which service checks requests";
        return Err(Problem::not_yet(relation, why));
    };
    read(&data).map_err(|why| Problem::of_request(relation, &why))
}

fn read(data: &Map<String, Value>) -> Result<Authorizer, String> {
    let fields = Fields(data);
    Ok(Authorizer {
        service: fields.label("service")?.unwrap_or_default(),
        port: fields.port("port")?,
        request_headers: fields.headers("allowed-request-headers")?,
        response_headers: fields.headers("allowed-response-headers")?,
    })
}

#[cfg(test)]
mod tests;

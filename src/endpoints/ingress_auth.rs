//! The endpoint `ingress-auth` (interface `ingress-auth`, version `v1` of the
//! serialized-data-interface): a service that checks every request to the ingress gateway.
//!
//! What it means that there are several, or none that can be used, is decided in
//! [`super::authorization`].

use std::sync::LazyLock;

use juju::relation::{Bag, OwnBag, Relation};
use juju::serialized_data::Interface;
use serde_json::{Map, Value};

use super::authorization::NOT_SAID;
use super::fields::Fields;
use super::metadata::interface;
use super::{Endpoint, Publication, World};
use crate::intent::ingress::Authorizer;
use crate::intent::problem::Problem;

/// The interface as `metadata.yaml` declares it.
static INTERFACE: LazyLock<Interface> = LazyLock::new(|| interface("ingress-auth"));

/// The endpoint. What it asks for is settled in [`super::authorization`].
pub(super) struct IngressAuth;

impl Endpoint for IngressAuth {
    fn name(&self) -> &'static str {
        "ingress-auth"
    }

    fn reads(&self) -> &'static [Bag] {
        &[Bag::RemoteApplication, Bag::OwnApplication]
    }

    fn publish(&self, relation: &Relation, world: &World<'_>) -> Vec<Publication> {
        if !world.leader {
            return Vec::new();
        }
        let wanted = INTERFACE.versions_only();
        vec![Publication::new(relation, OwnBag::Application, &wanted)]
    }
}

/// The service of a relation that checks requests; it is in this namespace.
pub(super) fn authorizer(relation: &Relation, namespace: &str) -> Result<Authorizer, Problem> {
    let received = INTERFACE.read(relation);
    let received = received.map_err(|unreadable| Problem::of_relation(&unreadable))?;
    let Some(data) = received.data else {
        return Err(Problem::not_yet(relation, NOT_SAID));
    };
    read(&data, namespace).map_err(|why| Problem::of_request(relation, &why))
}

fn read(data: &Map<String, Value>, namespace: &str) -> Result<Authorizer, String> {
    let fields = Fields(data);
    Ok(Authorizer {
        service: fields.label("service")?.unwrap_or_default(),
        namespace: namespace.to_owned(),
        port: fields.port("port")?,
        path_prefix: String::new(),
        request_headers: fields.headers("allowed-request-headers")?,
        response_headers: fields.headers("allowed-response-headers")?,
        client_headers: Vec::new(),
    })
}

#[cfg(test)]
mod tests;

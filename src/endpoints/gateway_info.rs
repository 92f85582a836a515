//! The endpoint `gateway-info` (interface `istio-gateway-info`): name and namespace of the ingress
//! Gateway, and whether it is up.
//!
//! Plain texts in this application's databag, as version 0.4 of the library `istio_pilot` reads them.

use juju::relation::{Bag, DatabagChanges, OwnBag, Relation};

use super::{Endpoint, Known, Publication, World};
use crate::intent::Intent;

/// The endpoint.
pub(super) struct GatewayInfo;

impl Endpoint for GatewayInfo {
    fn name(&self) -> &'static str {
        "gateway-info"
    }

    fn reads(&self) -> &'static [Bag] {
        &[Bag::OwnApplication]
    }

    fn request(&self, relations: &[Relation], _: &Known<'_>, intent: &mut Intent) {
        intent.ingress.get_or_insert_default().is_watched |= !relations.is_empty();
    }

    fn publish(&self, relation: &Relation, world: &World<'_>) -> Vec<Publication> {
        // What it held before stays true as long as nobody knows better.
        let (Some(mesh), Some(observed), true) =
            (world.intent.mesh(), world.observed, world.leader)
        else {
            return Vec::new();
        };
        let name = &mesh.gateway.name;
        let is_up = observed.has_open_gateway(name);
        let wanted = DatabagChanges::from(
            [
                ("gateway_name", name.clone()),
                (
                    "gateway_namespace",
                    world.intent.identity.namespace().to_owned(),
                ),
                ("gateway_up", is_up.to_string()),
            ]
            .map(|(key, value)| (key.to_owned(), Some(value))),
        );
        vec![Publication::new(relation, OwnBag::Application, &wanted)]
    }
}

#[cfg(test)]
mod tests;

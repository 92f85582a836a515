//! The endpoint `ingress` (interface `ingress`): paths of the ingress gateway that lead to services.
//!
//! Two interfaces have this one name, and Juju relates charms of both. Those of Kubeflow say in
//! versions `v1` and `v2` of the serialized-data-interface which service serves which prefix; of this
//! side they hear only which versions are supported. Others use the library of the charm traefik-k8s
//! ([`traefik`]). What is in the databag tells which of the two it is.

mod serialized_data;
mod traefik;

use juju::relation::{Bag, DatabagChanges, OwnBag, Relation};
use juju::serialized_data::SUPPORTED_VERSIONS;

use super::outside::Told;
use super::{Endpoint, Known, Publication, World};
use crate::intent::Intent;
use crate::intent::problem::Problem;
use serialized_data::INTERFACE;

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
            let route = if traefik::is_spoken_by(relation) {
                ingress.is_watched = true;
                traefik::route(relation).map(Some)
            } else {
                serialized_data::route(relation, &namespace)
            };
            match route {
                Ok(route) => ingress.routes.extend(route),
                Err(problem) => intent.problems.push(problem),
            }
        }
    }

    fn publish(&self, relation: &Relation, world: &World<'_>) -> Vec<Publication> {
        if !world.leader {
            return Vec::new();
        }
        let wanted = if traefik::is_spoken_by(relation) {
            let mut wanted = traefik::answer(relation, world);
            wanted.insert(SUPPORTED_VERSIONS.to_owned(), None);
            wanted
        } else {
            let mut wanted: DatabagChanges = INTERFACE.versions_only();
            wanted.insert(traefik::KEY.to_owned(), None);
            wanted
        };
        vec![Publication::new(relation, OwnBag::Application, &wanted)]
    }

    fn awaits(&self, relation: &Relation, world: &World<'_>) -> Option<Problem> {
        let is_told = traefik::is_spoken_by(relation);
        is_told.then(|| Told::awaited(relation, world)).flatten()
    }
}

#[cfg(test)]
mod tests;

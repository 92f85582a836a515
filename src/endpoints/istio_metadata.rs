//! The endpoint `istio-metadata` (interface `istio_metadata`): where Istio looks for configuration of
//! the whole mesh.
//!
//! One plain text in this application's databag, as version 1.0.0 of the Python library
//! charmlibs-interfaces-istio-metadata writes and reads it.

use juju::relation::{Bag, DatabagChanges, OwnBag, Relation};

use super::{Endpoint, Known, Publication, World};
use crate::intent::Intent;

/// The key of the namespace.
const KEY: &str = "root_namespace";

/// The endpoint.
pub(super) struct IstioMetadata;

impl Endpoint for IstioMetadata {
    fn name(&self) -> &'static str {
        "istio-metadata"
    }

    fn reads(&self) -> &'static [Bag] {
        &[Bag::OwnApplication]
    }

    fn request(&self, _: &[Relation], _: &Known<'_>, _: &mut Intent) {}

    fn publish(&self, relation: &Relation, world: &World<'_>) -> Vec<Publication> {
        // The mesh configuration has it as `rootNamespace`.
        let (Some(_), true) = (world.intent.mesh(), world.leader) else {
            return Vec::new();
        };
        let namespace = world.intent.identity.namespace().to_owned();
        let wanted = DatabagChanges::from([(KEY.to_owned(), Some(namespace))]);
        vec![Publication::new(relation, OwnBag::Application, &wanted)]
    }
}

#[cfg(test)]
mod tests {
    use juju::relation::Databag;

    use super::*;
    use crate::simulated::Simulated;

    #[test]
    fn the_leader_writes_the_namespace_once() {
        let intent = Simulated::new(&[]).intent;
        let published = |own: &str, leader| {
            let relation = Relation {
                own_application: Some(Databag::from([(KEY, own)])),
                ..Relation::new("istio-metadata:1".parse().unwrap())
            };
            let world = World::of(&intent, None, leader);
            let published = IstioMetadata.publish(&relation, &world).into_iter();
            published.map(|it| it.changes).collect::<Vec<_>>()
        };
        let wanted = DatabagChanges::from([(KEY.to_owned(), Some("mesh".to_owned()))]);
        assert_eq!(published("", true), [wanted]);
        assert_eq!(published("mesh", true), [DatabagChanges::new()]);
        assert_eq!(published("", false), []);
    }
}

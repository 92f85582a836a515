//! The relations: what each endpoint asks for, and what it publishes.
//!
//! Each file here has one implementation of [`Endpoint`], which is one line in [`ALL`].

mod fields;
mod gateway_info;
mod grafana_dashboard;
mod ingress;
mod ingress_auth;
mod istio_pilot;
mod metadata;
mod metrics_endpoint;
mod unit;

use std::collections::BTreeMap;

use juju::names::RelationId;
use juju::relation::{Bag, DatabagChanges, OwnBag, Relation};

use crate::intent::Intent;
use crate::k8s::object::Object;
use crate::observed::Observed;

pub use unit::{CHARM, Unit};

/// Every endpoint that this charm serves.
pub const ALL: [&dyn Endpoint; 6] = [
    &istio_pilot::IstioPilot,
    &ingress_auth::IngressAuth,
    &ingress::Ingress,
    &gateway_info::GatewayInfo,
    &metrics_endpoint::MetricsEndpoint,
    &grafana_dashboard::GrafanaDashboard,
];

/// The relations of each endpoint, by its name.
pub type Relations = BTreeMap<&'static str, Vec<Relation>>;

/// One endpoint of `metadata.yaml`.
pub trait Endpoint: Sync {
    /// Its name in `metadata.yaml`.
    fn name(&self) -> &'static str;

    /// The databags that it reads. Each one costs a process for each relation.
    fn reads(&self) -> &'static [Bag];

    /// Adds what its relations ask for to the intent. A mistake in one relation becomes that
    /// relation's problem, and does not affect the others.
    fn request(&self, relations: &[Relation], intent: &mut Intent);

    /// The objects that serve its relations.
    fn objects(&self, _intent: &Intent) -> Vec<Object> {
        Vec::new()
    }

    /// What a relation's databags should hold. Only the leader may write the application's databag.
    fn publish(&self, relation: &Relation, world: &World<'_>) -> Vec<Publication>;

    /// What the databag of this unit should hold, whether the unit leads or not. An endpoint that
    /// has such data reads [`Bag::OwnUnit`].
    fn publish_of_unit(&self, _relation: &Relation, _unit: &Unit) -> Option<Publication> {
        None
    }
}

/// What publications are made from.
#[derive(Clone, Copy, Debug)]
pub struct World<'a> {
    /// What is asked of the mesh.
    pub intent: &'a Intent,
    /// The last observation of the cluster; `None` when there was none.
    pub observed: Option<&'a Observed>,
    /// Whether this unit is the leader.
    pub leader: bool,
    /// The unit; `None` where there is nothing to tell other charms.
    pub unit: Option<&'a Unit>,
}

/// What one databag of this application or unit should hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    /// The relation.
    pub relation: RelationId,
    /// Which databag.
    pub bag: OwnBag,
    /// How that differs from what it holds now.
    pub changes: DatabagChanges,
}

impl Publication {
    /// What a relation's databag should hold. Keys that `wanted` does not name stay as they are.
    pub fn new(relation: &Relation, bag: OwnBag, wanted: &DatabagChanges) -> Self {
        Self {
            relation: relation.id.clone(),
            bag,
            changes: relation.changes_to(bag, wanted),
        }
    }
}

/// Adds what all relations ask for to the intent.
pub fn request(relations: &Relations, intent: &mut Intent) {
    for endpoint in ALL {
        endpoint.request(of(relations, endpoint), intent);
    }
}

/// The objects that serve all relations.
pub fn objects(intent: &Intent) -> Vec<Object> {
    ALL.iter().flat_map(|it| it.objects(intent)).collect()
}

/// Everything that databags should hold and do not hold yet.
pub fn publications(relations: &Relations, world: &World<'_>) -> Vec<Publication> {
    let mut publications = Vec::new();
    for endpoint in ALL {
        for relation in of(relations, endpoint) {
            publications.extend(endpoint.publish(relation, world));
        }
    }
    publications.retain(|it| !it.changes.is_empty());
    if let Some(unit) = world.unit {
        publications.extend(publications_of_unit(relations, unit));
    }
    publications
}

/// The endpoints at which every unit has data of its own.
pub fn with_data_of_units() -> impl Iterator<Item = &'static dyn Endpoint> {
    let has_own = |it: &&dyn Endpoint| it.reads().contains(&Bag::OwnUnit);
    ALL.into_iter().filter(has_own)
}

/// Everything that the databags of this unit should hold and do not hold yet.
pub fn publications_of_unit(relations: &Relations, unit: &Unit) -> Vec<Publication> {
    let mut publications = Vec::new();
    for endpoint in with_data_of_units() {
        let relations = of(relations, endpoint).iter();
        publications.extend(relations.filter_map(|it| endpoint.publish_of_unit(it, unit)));
    }
    publications.retain(|it| !it.changes.is_empty());
    publications
}

fn of<'a>(relations: &'a Relations, endpoint: &dyn Endpoint) -> &'a [Relation] {
    relations.get(endpoint.name()).map_or(&[], Vec::as_slice)
}

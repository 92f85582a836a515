//! The relations: what each endpoint asks for, and what it publishes.
//!
//! Each file here has one implementation of [`Endpoint`], which is one line in [`ALL`].

mod authorization;
mod certificates;
mod fields;
mod forward_auth;
mod gateway_info;
mod gateway_metadata;
mod grafana_dashboard;
mod ingress;
mod ingress_auth;
mod istio_ingress_config;
mod istio_ingress_route;
mod istio_metadata;
mod istio_pilot;
mod istio_request_auth;
mod jwks_ca_cert;
mod metadata;
mod metrics_endpoint;
mod outside;
mod peers;
mod service_host;
mod unit;
mod workload_tracing;

use std::collections::BTreeMap;

use juju::names::RelationId;
use juju::relation::{Bag, DatabagChanges, OwnBag, Relation};
use k8s_openapi::jiff::Timestamp;

use crate::certificates::PrivateKey;
use crate::intent::Intent;
use crate::intent::problem::Problem;
use crate::k8s::object::Object;
use crate::observed::Observed;

pub use certificates::{NAME as CERTIFICATES, UnitKeys};
pub use unit::{CHARM, Unit};

/// Every endpoint that this charm serves.
pub const ALL: [&dyn Endpoint; 16] = [
    &istio_pilot::IstioPilot,
    &ingress_auth::IngressAuth,
    &forward_auth::ForwardAuth,
    &ingress::Ingress,
    &istio_ingress_route::IstioIngressRoute,
    &istio_request_auth::IstioRequestAuth,
    &istio_ingress_config::IstioIngressConfig,
    &workload_tracing::WorkloadTracing,
    &jwks_ca_cert::JwksCaCert,
    &gateway_info::GatewayInfo,
    &gateway_metadata::GatewayMetadata,
    &istio_metadata::IstioMetadata,
    &certificates::Certificates,
    &metrics_endpoint::MetricsEndpoint,
    &grafana_dashboard::GrafanaDashboard,
    &peers::Peers,
];

/// The relations of each endpoint, by its name.
pub type Relations = BTreeMap<&'static str, Vec<Relation>>;

/// One endpoint of `metadata.yaml`.
pub trait Endpoint: Sync {
    /// Its name in `metadata.yaml`.
    fn name(&self) -> &'static str;

    /// The databags that it reads. Each one costs a process for each relation.
    fn reads(&self) -> &'static [Bag];

    /// Whether what it publishes may change without a hook that says so, as what depends on the cluster
    /// or on the time may. Only then does a periodic hook read its relations.
    fn may_change_unseen(&self) -> bool {
        true
    }

    /// Adds what its relations ask for to the intent. A mistake in one relation becomes that
    /// relation's problem, and does not affect the others. Nothing where it is settled together with
    /// other endpoints, in the function `request`.
    fn request(&self, _relations: &[Relation], _known: &Known<'_>, _intent: &mut Intent) {}

    /// The objects that serve its relations.
    fn objects(&self, _intent: &Intent) -> Vec<Object> {
        Vec::new()
    }

    /// What a relation's databags should hold. Only the leader may write the application's databag.
    fn publish(&self, relation: &Relation, world: &World<'_>) -> Vec<Publication>;

    /// What has to happen outside of this application before a relation is told what it asks for, for
    /// the status.
    fn awaits(&self, _relation: &Relation, _world: &World<'_>) -> Option<Problem> {
        None
    }

    /// Whether each unit publishes something of its own, also one that does not lead.
    fn is_of_every_unit(&self) -> bool {
        false
    }

    /// Whether it has to know where the unit listens.
    fn needs_address(&self) -> bool {
        false
    }

    /// What the databag of this unit should hold, whether the unit leads or not. Only asked of an
    /// endpoint [of every unit](Endpoint::is_of_every_unit), which reads [`Bag::OwnUnit`].
    fn publish_of_unit(&self, _relation: &Relation, _world: &World<'_>) -> Option<Publication> {
        None
    }
}

/// What a unit knows beside its relations.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// Its private keys.
    pub keys: &'a UnitKeys,
    /// The time.
    pub now: Timestamp,
}

impl Known<'static> {
    /// Nothing: there is no key, and it is 1970.
    pub const NOTHING: Self = Self {
        keys: UnitKeys::NONE,
        now: Timestamp::UNIX_EPOCH,
    };
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
    /// What it knows beside its relations.
    pub known: Known<'a>,
}

#[cfg(test)]
impl<'a> World<'a> {
    /// One of which nothing else matters to a test.
    fn of(intent: &'a Intent, observed: Option<&'a Observed>, leader: bool) -> Self {
        Self {
            intent,
            observed,
            leader,
            unit: None,
            known: Known::NOTHING,
        }
    }
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
pub fn request(relations: &Relations, known: &Known<'_>, intent: &mut Intent) {
    for endpoint in ALL {
        endpoint.request(of(relations, endpoint), known, intent);
    }
    authorization::settle(relations, intent);
    if let Some(ingress) = &mut intent.ingress {
        intent.problems.extend(ingress.settle());
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
    publications.extend(publications_of_unit(relations, world));
    publications
}

/// Everything that relations wait for, beyond what they have not said themselves.
pub fn awaited(relations: &Relations, world: &World<'_>) -> Vec<Problem> {
    let of_endpoint = |endpoint: &&dyn Endpoint| {
        let relations = of(relations, *endpoint).iter();
        let awaited = relations.filter_map(|it| endpoint.awaits(it, world));
        awaited.collect::<Vec<_>>()
    };
    ALL.iter().flat_map(of_endpoint).collect()
}

/// The endpoints at which each unit publishes something of its own.
pub fn of_every_unit() -> impl Iterator<Item = &'static dyn Endpoint> {
    ALL.into_iter().filter(|it| it.is_of_every_unit())
}

/// Everything that the databags of this unit should hold and do not hold yet.
pub fn publications_of_unit(relations: &Relations, world: &World<'_>) -> Vec<Publication> {
    let mut publications = Vec::new();
    for endpoint in of_every_unit() {
        let relations = of(relations, endpoint).iter();
        publications.extend(relations.filter_map(|it| endpoint.publish_of_unit(it, world)));
    }
    publications.retain(|it| !it.changes.is_empty());
    publications
}

fn of<'a>(relations: &'a Relations, endpoint: &dyn Endpoint) -> &'a [Relation] {
    relations.get(endpoint.name()).map_or(&[], Vec::as_slice)
}

/// Whether a unit with these relations has private keys.
pub fn need_keys(relations: &Relations) -> bool {
    !of(relations, &certificates::Certificates).is_empty()
}

/// The keys that a unit with these relations should have, which are those that it has as long as they
/// are what it needs. `new_key` makes a key, and is asked for one only then.
///
/// # Errors
/// That of `new_key`.
pub fn keys<E>(
    relations: &Relations,
    known: &Known<'_>,
    new_key: impl FnOnce() -> Result<PrivateKey, E>,
) -> Result<UnitKeys, E> {
    certificates::keys(of(relations, &certificates::Certificates), known, new_key)
}

/// The keys of a unit whose key is replaced, although nothing is wrong with it.
pub fn replace_key(relations: &Relations, known: &Known<'_>, new_key: PrivateKey) -> UnitKeys {
    certificates::replace_key(of(relations, &certificates::Certificates), known, new_key)
}

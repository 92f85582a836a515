//! Where the ingress gateway is reached from outside, for applications that want to know.

use core::net::Ipv6Addr;

use juju::names::RelationId;
use juju::relation::Relation;

use super::World;
use crate::intent::problem::Problem;
use crate::k8s::names::is_label;

/// What a relation is told about the gateway's address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// What it has been told before: nobody knows whether that still holds.
    AsBefore,
    /// Nothing: it is not served, or the gateway has no address.
    Nothing,
    /// This.
    At(Address),
}

/// Where the gateway is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    /// A name or an IP address, as a URL has it.
    pub(super) host: String,
    /// Whether HTTPS is served there; else plain HTTP is.
    pub(super) is_https: bool,
}

impl Told {
    /// What to tell a relation.
    pub(super) fn of(relation: &Relation, world: &World<'_>) -> Self {
        if world.intent.has_problem_with(&relation.id) {
            return Self::Nothing;
        }
        let (Some(mesh), Some(observed)) = (world.intent.mesh(), world.observed) else {
            return Self::AsBefore;
        };
        if observed.gateway_service.is_none() {
            return Self::AsBefore;
        }
        let Some(address) = observed.gateway_address() else {
            return Self::Nothing;
        };
        // Without a Gateway, nothing is served for now.
        let is_https = observed.serves_https(&mesh.gateway.name);
        is_https.map_or(Self::AsBefore, |is_https| {
            Self::At(Address {
                host: in_url(address),
                is_https,
            })
        })
    }

    /// What has to happen before a relation can be told; `None` where it is, or will not be.
    pub(super) fn awaited(relation: &Relation, world: &World<'_>) -> Option<Problem> {
        let is_served = !world.intent.has_problem_with(&relation.id);
        if !is_served || Self::of(relation, world) != Self::Nothing {
            return None;
        }
        let service = &world.intent.mesh()?.gateway.service;
        let other = relation.other_side();
        let why = format!("Service {service} has no address yet; {other} is told once it has one");
        Some(Problem::not_yet(relation, &why))
    }
}

/// An address as URLs have it (<https://www.rfc-editor.org/rfc/rfc3986#section-3.2.2>).
fn in_url(address: &str) -> String {
    if address.parse::<Ipv6Addr>().is_ok() {
        return format!("[{address}]");
    }
    address.to_owned()
}

/// The name of the `VirtualService` of a relation whose interface has no name for it, such as
/// `grafana.cos.ingress-3`. The period tells it from those that are named after a service.
pub(super) fn object_name(application: &str, model: &str, relation: &RelationId) -> String {
    let relation = format!("{}-{}", relation.endpoint(), relation.number());
    let parts = [application, model, &relation];
    let parts: Vec<&str> = parts.into_iter().filter(|it| is_label(it)).collect();
    parts.join(".")
}

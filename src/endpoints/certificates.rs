//! The endpoint `certificates` (interface `tls-certificates`, version 1): a certificate for the
//! ingress gateway.
//!
//! Each unit has a key and requests a certificate of its own; the leader's is served. What is served
//! stays until there is something better, so that neither a renewal nor a new key closes the gateway.

mod exchange;
mod keys;

use juju::relation::{Bag, DatabagChanges, OwnBag, Relation};
use juju::tls_certificates;

use super::{Endpoint, Known, Publication, World};
use crate::certificates::{PrivateKey, Subject};
use crate::intent::Intent;
use crate::intent::options::TLS_SECRET_ID;
use crate::intent::problem::Problem;
use crate::intent::tls::{Tls, UNTIL_THEN};
use crate::observed::Observed;
use exchange::Exchange;
pub use keys::UnitKeys;

/// Its name in `metadata.yaml`.
pub const NAME: &str = "certificates";

/// See [`super::keys`].
pub(super) fn keys<E>(
    relations: &[Relation],
    known: &Known<'_>,
    new_key: impl FnOnce() -> Result<PrivateKey, E>,
) -> Result<UnitKeys, E> {
    let Some(relation) = relations.first() else {
        return Ok(known.keys.clone());
    };
    let exchange = Exchange::of(relation, known);
    Ok(if exchange.needs_key() {
        exchange.with_key(new_key()?)
    } else {
        exchange.needed_keys()
    })
}

/// See [`super::replace_key`].
pub(super) fn replace_key(
    relations: &[Relation],
    known: &Known<'_>,
    new_key: PrivateKey,
) -> UnitKeys {
    match relations.first() {
        Some(relation) => Exchange::of(relation, known).with_key(new_key),
        None => UnitKeys {
            current: Some(new_key),
            previous: None,
        },
    }
}

/// The endpoint.
pub(super) struct Certificates;

impl Endpoint for Certificates {
    fn name(&self) -> &'static str {
        NAME
    }

    fn reads(&self) -> &'static [Bag] {
        &[Bag::RemoteApplication, Bag::OwnUnit]
    }

    fn is_of_every_unit(&self) -> bool {
        true
    }

    fn request(&self, relations: &[Relation], known: &Known<'_>, intent: &mut Intent) {
        // Its limit is one, which Juju keeps.
        let Some(relation) = relations.first() else {
            return;
        };
        let (tls, problem) = if has_secret(intent) {
            let why = format!(
                "{TLS_SECRET_ID} is set too: reset the option, or remove the relation; \
                 {UNTIL_THEN}"
            );
            (Tls::AsBefore, Some(Problem::of_request(relation, &why)))
        } else {
            let service = service(intent);
            Exchange::of(relation, known).tls(relation, service)
        };
        let depends_on_service = service(intent).is_some();
        intent.problems.extend(problem);
        let ingress = intent.ingress.get_or_insert_default();
        ingress.tls = tls;
        ingress.is_watched |= depends_on_service;
    }

    fn publish(&self, _: &Relation, _: &World<'_>) -> Vec<Publication> {
        Vec::new()
    }

    fn publish_of_unit(&self, relation: &Relation, world: &World<'_>) -> Option<Publication> {
        let exchange = Exchange::of(relation, &world.known);
        let subjects = subjects(world.intent, world.observed)?;
        let requests = exchange.requests(&subjects)?;
        let text = tls_certificates::to_text(&requests).ok()?;
        let wanted = DatabagChanges::from([(tls_certificates::REQUESTS.to_owned(), Some(text))]);
        Some(Publication::new(relation, OwnBag::Unit, &wanted))
    }
}

fn has_secret(intent: &Intent) -> bool {
    let mesh = intent.mesh();
    mesh.is_some_and(|it| it.gateway.tls_secret_id.is_some())
}

/// The Service whose address a certificate is for; `None` where the options name something else.
fn service(intent: &Intent) -> Option<&str> {
    let gateway = &intent.mesh()?.gateway;
    let is_named = !gateway.csr_domain_names.is_empty();
    (!is_named).then_some(gateway.service.as_str())
}

/// What a certificate has to be for; `None` while that is not known.
fn subjects(intent: &Intent, observed: Option<&Observed>) -> Option<Vec<Subject>> {
    let names = &intent.mesh()?.gateway.csr_domain_names;
    if names.is_empty() {
        let address = observed?.gateway_address()?;
        return Some(vec![address.parse().ok()?]);
    }
    Some(names.clone())
}

#[cfg(test)]
mod tests;

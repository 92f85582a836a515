//! The endpoint `metrics-endpoint` (interface `prometheus_scrape`): what Prometheus scrapes, and
//! when it alerts.
//!
//! The databags are those that `MetricsEndpointProvider` of the Python library
//! `prometheus_k8s.prometheus_scrape` writes. What the other side answers (`event`, whether the
//! rules are valid) is not read: the rules are tested before they are shipped.

mod jobs;
mod rules;

use juju::python_json;
use juju::relation::{Bag, DatabagChanges, OwnBag, Relation};

use super::{Endpoint, Known, Publication, Unit, World};
use crate::intent::Intent;

/// The endpoint.
pub(super) struct MetricsEndpoint;

impl Endpoint for MetricsEndpoint {
    fn name(&self) -> &'static str {
        "metrics-endpoint"
    }

    fn reads(&self) -> &'static [Bag] {
        &[Bag::OwnApplication, Bag::OwnUnit]
    }

    fn is_of_every_unit(&self) -> bool {
        true
    }

    fn needs_address(&self) -> bool {
        true
    }

    fn request(&self, relations: &[Relation], _: &Known<'_>, intent: &mut Intent) {
        intent.is_scraped |= !relations.is_empty();
    }

    fn publish(&self, relation: &Relation, world: &World<'_>) -> Vec<Publication> {
        let unit = world.unit.filter(|_| world.leader);
        let wanted = unit.and_then(|unit| wanted(relation, unit, world).ok());
        let publication = |it| Publication::new(relation, OwnBag::Application, &it);
        wanted.map(publication).into_iter().collect()
    }

    fn publish_of_unit(&self, relation: &Relation, world: &World<'_>) -> Option<Publication> {
        // A unit that has no address yet has one in a later hook, and a periodic hook does not ask.
        let unit = world.unit?;
        let address = unit.address.clone()?;
        let wanted = changes([
            ("prometheus_scrape_unit_address", address),
            ("prometheus_scrape_unit_name", unit.name.to_string()),
        ]);
        Some(Publication::new(relation, OwnBag::Unit, &wanted))
    }
}

/// What the application's databag should hold. Neither error can happen: all keys are text, and a
/// test reads the rules.
fn wanted(
    relation: &Relation,
    unit: &Unit,
    world: &World<'_>,
) -> Result<DatabagChanges, rules::Unusable> {
    let metadata = python_json::to_string(&unit.topology(true))?;
    let rules = python_json::to_string(&rules::of(unit)?)?;
    let mut wanted = changes([("scrape_metadata", metadata), ("alert_rules", rules)]);
    let written = relation.own(OwnBag::Application);
    let are_jobs_written = written.is_some_and(|it| it.get("scrape_jobs").is_some());
    if let Some(jobs) = jobs::of(world, are_jobs_written) {
        wanted.extend(changes([("scrape_jobs", python_json::to_string(&jobs)?)]));
    }
    Ok(wanted)
}

fn changes<const N: usize>(values: [(&str, String); N]) -> DatabagChanges {
    let own = |(key, value): (&str, String)| (key.to_owned(), Some(value));
    values.into_iter().map(own).collect()
}

#[cfg(test)]
mod tests;

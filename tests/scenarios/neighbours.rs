//! What the ecosystem's own libraries make of what the charm writes, as charms on the other side of
//! a relation use them. What they read or raise is the verdict.

use std::fmt::Write as _;

use anyhow::Result;
use charm_world::{Neighbour, Verdict, World};

mod certificates;
mod forward_auth;
mod gateway_info;
mod ingress;
mod ingress_auth;
mod istio_ingress_config;
mod istio_ingress_route;
mod istio_pilot;
mod istio_request_auth;
mod jwks_ca_cert;
mod metadata;
mod observability;
mod refusals;
mod served_certificates;
mod workload_tracing;

/// The status of the charm when all is well.
const WELL: &str = "active: CNI off";

/// Writes databags of another library than the neighbour's in its place, and tells of each what the
/// neighbour's library would make of it if it stood in the charm's place, and what the charm shows.
/// What that library refuses, the charm must not take for good.
fn judged<const N: usize>(
    world: &mut World,
    neighbour: &Neighbour,
    relation: u32,
    databags: &[[(&str, &str); N]],
) -> Result<String> {
    let mut story = String::new();
    for databag in databags {
        let application = neighbour.application();
        world.model.write_remote(relation, application, databag)?;
        world.settle()?;
        let verdict = neighbour.verdict_in_place_of_charm(world)?;
        let shown = world.shown()?;
        writeln!(story, "{databag:?}\n  {verdict}\n  {shown}")?;
        let is_read = matches!(verdict, Verdict::Read(_));
        assert!(is_read || shown != WELL, "{story}");
    }
    Ok(story)
}

/// Writes of the charm: to the cluster, and into databags.
fn writes(world: &World) -> Result<(usize, usize)> {
    let calls = world.model.dispatches().iter();
    let databags = calls.map(|it| it.calls_of("relation-set").count()).sum();
    Ok((world.writes()?, databags))
}

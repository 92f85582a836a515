//! What is on the other side of relations, as charms of Kubeflow write databags.

use anyhow::{Result, ensure};
use charm_world::World;

/// Relates an application that has nothing to say yet.
pub(super) fn relate(
    world: &mut World,
    application: &str,
    endpoint: &str,
    interface: &str,
) -> Result<u32> {
    let other = format!("{}:{endpoint}", world.application());
    let model = &mut world.model;
    model.add_remote_application(application, endpoint, interface, 1)?;
    let relation = model.integrate(application, &other)?;
    world.settle()?;
    Ok(relation)
}

/// The relation's id.
pub(super) fn relation(world: &World, application: &str, endpoint: &str) -> Result<u32> {
    let other = format!("{}:{endpoint}", world.application());
    Ok(world.model.relation_id(application, &other)?)
}

/// A related application writes its data. Fails unless the charm then has this status.
pub(super) fn say(
    world: &mut World,
    application: &str,
    endpoint: &str,
    data: &str,
    status: &str,
) -> Result<()> {
    let relation = relation(world, application, endpoint)?;
    let bag = [("_supported_versions", "- v1\n"), ("data", data)];
    world.model.write_remote(relation, application, &bag)?;
    world.settle()?;
    must_show(world, status)
}

/// Fails unless the charm has this status.
pub(super) fn must_show(world: &World, status: &str) -> Result<()> {
    let shown = world.shown()?;
    ensure!(shown == status, "juju status: {shown}\n{}", world.log());
    Ok(())
}

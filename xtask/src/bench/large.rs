//! `cargo xtask bench --large`: what the charm costs on a large cluster.
//!
//! Everything is measured with half of the pods and with all of them, so that it shows what grows
//! with their number.

mod aims;
mod site;

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use charm_world::World;
use serde_json::json;
use test_cluster::programs;

use super::aim::Aim;
use super::meter::{Cost, Meter};
use super::{APPLICATION, MODEL, PATHS};
use crate::workspace::{build_program, say, show};
use aims::aims;
use site::Site;

pub(super) use site::Size;

/// How often the hook with nothing to do, and the action, are measured.
const REPETITIONS: usize = 5;
/// How often the CNI is switched on and off.
const SWITCHES: usize = 3;
/// How many hooks more a switch may need that was not over within the first.
const MORE_HOOKS: usize = 5;

/// What was measured with one number of pods.
struct Round {
    pods: usize,
    update_status: Cost,
    switching_on: Cost,
    switching_off: Cost,
    list: Cost,
}

/// Measures and prints; fails when an aim is missed.
///
/// # Errors
/// When something cannot be built or started, or the charm does not do what is measured.
pub(super) fn run(size: Size) -> Result<ExitCode> {
    programs::check_go()?;
    let charm = build_program("istio-pilot", "release")?;
    let juju = build_program("juju-sim", "release")?;
    say(&format!("starting a cluster of {} nodes", size.nodes));
    let cluster = site::start(size)?;
    let mut meter = Meter::new(cluster, &charm, juju)?;
    let crowd = Site::new(size, Arc::clone(&meter.world.cluster));
    say("deploying the charm");
    must_be_active(&meter.world.deploy()?, &meter.world)?;
    meter.count_bytes()?;
    crowd.add_images()?;
    crowd.add_virtual_services()?;
    crowd.add_workloads()?;
    let half = round(&mut meter, &crowd, size.pods / 2)?;
    let whole = round(&mut meter, &crowd, size.pods)?;
    print(size, crowd.bytes_of_pod()?, &[&half, &whole])?;
    Aim::show(&aims(&half, &whole))
}

/// Measures everything with so many pods, and leaves the CNI off.
fn round(meter: &mut Meter, site: &Site, pods: usize) -> Result<Round> {
    site.scale_to(pods)?;
    let (mut on, mut off) = (Vec::new(), Vec::new());
    let (mut idle, mut lists) = (Vec::new(), Vec::new());
    for number in 1..=SWITCHES {
        say(&format!("switching the CNI on, {number} of {SWITCHES}"));
        on.push(switch(meter, &PATHS)?);
        if idle.is_empty() {
            say("update-status with nothing to do, and list-stale-workloads");
            // One run more, for what the switch may have left to do.
            must_be_active(&meter.world.update_status()?, &meter.world)?;
            for _ in 0..REPETITIONS {
                idle.push(meter.measure(World::update_status)?.1);
                lists.push(list_stale_workloads(meter, site.workloads(), pods)?);
            }
        }
        say(&format!("switching the CNI off, {number} of {SWITCHES}"));
        off.push(switch(meter, &[("cni-conf-dir", "")])?);
    }
    let median = |costs: &[Cost]| Cost::median(costs).context("nothing was measured");
    Ok(Round {
        pods,
        update_status: median(&idle)?,
        switching_on: median(&on)?,
        switching_off: median(&off)?,
        list: median(&lists)?,
    })
}

/// Sets options; measures until the charm is active again.
fn switch(meter: &mut Meter, options: &[(&str, &str)]) -> Result<Cost> {
    let (shown, cost) = meter.measure(|world| {
        let mut shown = world.configure(options)?;
        for _ in 0..MORE_HOOKS {
            if shown.starts_with("active: ") {
                break;
            }
            say(&shown);
            shown = world.update_status()?;
        }
        Ok(shown)
    })?;
    must_be_active(&shown, &meter.world)?;
    Ok(cost)
}

/// All workloads are stale: their pods were injected while the CNI was off.
fn list_stale_workloads(meter: &mut Meter, workloads: usize, pods: usize) -> Result<Cost> {
    let (result, cost) =
        meter.measure(|world| world.run_action("list-stale-workloads", &json!({})))?;
    ensure!(result.completed, "{}", result.message);
    for (key, expected) in [("workloads", workloads), ("pods", pods)] {
        let expected = expected.to_string();
        let found = &result.results[key];
        ensure!(
            found.as_str() == Some(expected.as_str()),
            "the action lists {found} {key}, not {expected}"
        );
    }
    Ok(cost)
}

fn must_be_active(shown: &str, world: &World) -> Result<()> {
    if shown.starts_with("active: ") {
        return Ok(());
    }
    bail!("{APPLICATION} is not active: {shown}\n{}", world.log());
}

/// What a row of the table is about, and what it shows of a round.
type Row = (&'static str, fn(&Round) -> Cost);

fn print(size: Size, bytes_of_pod: usize, rounds: &[&Round]) -> Result<()> {
    let Size {
        nodes,
        workloads,
        virtual_services,
        ..
    } = size;
    show(&format!(
        "\n{nodes} nodes, {virtual_services} VirtualServices, {workloads} workloads with pods of \
         {:.1} KB in other namespaces than {MODEL}; medians of {REPETITIONS} runs, of a switch of \
         {SWITCHES}",
        kilobytes(bytes_of_pod)
    ))?;
    show(&format!(
        "\n{:34}{:>12}{:>14}{:>12}{:>14}",
        "", "time", "peak memory", "requests", "received"
    ))?;
    let rows: [Row; 4] = [
        ("update-status, nothing to do", |it| it.update_status),
        ("switching the CNI on", |it| it.switching_on),
        ("switching the CNI off", |it| it.switching_off),
        ("list-stale-workloads", |it| it.list),
    ];
    for (name, cost) in rows {
        show(name)?;
        for round in rounds {
            let pods = format!("  with {} pods", round.pods);
            show(&format!("{pods:34}{}", cost(round)))?;
        }
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "it is shown with one digit")]
fn kilobytes(bytes: usize) -> f64 {
    bytes as f64 / 1000.0
}

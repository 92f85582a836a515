//! `cargo xtask bench --relations`: what the charm costs with many relations.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use charm_world::World;
use test_cluster::programs;
use test_cluster::{AuditRequest, Options, TestCluster};

use super::aim::Aim;
use super::meter::{Cost, Meter};
use super::{APPLICATION, PATHS};
use crate::workspace::{build_program, say, show};

/// How often the hook with nothing to do is measured.
const REPETITIONS: usize = 5;

/// What the Python charm needs for a hook with 100 relations. Measured once with hook tools that
/// answer at once, on a machine with two cores; it cannot be run here.
const PYTHON: &str = "the Python charm, with 100 (measured elsewhere): 15 s, 1946 processes";

/// Measures and prints; fails when an aim is missed.
///
/// # Errors
/// When something cannot be built or started, or the charm does not do what is measured.
pub(super) fn run(number: u16) -> Result<ExitCode> {
    programs::check_go()?;
    let charm = build_program("istio-pilot", "release")?;
    let juju = build_program("juju-sim", "release")?;
    let cluster = TestCluster::start(&Options {
        audit: true,
        ..Options::default()
    })?;
    let mut meter = Meter::new(cluster, &charm, juju)?;
    must_be_active(&meter.world.deploy()?, &meter.world)?;
    must_be_active(&meter.world.configure(&PATHS)?, &meter.world)?;
    meter.count_bytes()?;
    say(&format!("relating {number} applications"));
    // Each relation has hooks of its own, and nothing is measured of them.
    meter.sleep()?;
    let mut relations = Vec::new();
    for index in 0..number {
        relations.push(relate(&mut meter.world, index)?);
    }
    meter.world.settle()?;
    meter.wake()?;
    say("the first hook, which makes all routes");
    // That of a relation: only then is it kept which endpoints have some.
    let first = change_route(&mut meter, relations[0], 0)?;
    let written = meter.world.get("virtualservices")?;
    let routes = written["items"].as_array().map_or(0, Vec::len);
    ensure!(routes == usize::from(number), "{routes} routes were made");
    say("hooks with nothing to do");
    let mut idle = Vec::new();
    let mut writes = writes_of(&meter.world)?;
    for _ in 0..REPETITIONS {
        idle.push(meter.measure(World::update_status)?.1);
    }
    let idle = Cost::median(&idle).context("nothing was measured")?;
    let idle_writes = writes_of(&meter.world)? - writes;
    say("one relation changes");
    let changed = *relations.last().context("there are no relations")?;
    writes = writes_of(&meter.world)?;
    let change = change_route(&mut meter, changed, number - 1)?;
    let change_writes = writes_of(&meter.world)? - writes;
    show(&format!(
        "\n{number} relations of the endpoint ingress; median of {REPETITIONS} hooks\n\n\
         {:34}{:>12}{:>14}{:>12}{:>14}{:>12}",
        "", "time", "peak memory", "requests", "received", "processes"
    ))?;
    for (what, cost) in [
        ("the first hook", first),
        ("update-status, nothing to do", idle),
        ("one relation changes", change),
    ] {
        show(&format!("{what:34}{cost}{:>12}", cost.processes))?;
    }
    show(&format!("\n{PYTHON}"))?;
    Aim::show(&aims(number, idle, idle_writes, change_writes))
}

/// The aims are for 100 relations and for 1,000; for another number they grow with it.
fn aims(number: u16, idle: Cost, idle_writes: usize, change_writes: usize) -> Vec<Aim> {
    let longest = Duration::from_millis(10 * u64::from(number)).max(Duration::from_secs(1));
    let most = 30 + 2 * usize::from(number);
    vec![
        Aim::new(
            format!("update-status with nothing to do takes at most {most} processes"),
            idle.processes <= most,
        ),
        Aim::new(
            format!("... {} s", longest.as_secs_f64()),
            idle.time < longest,
        ),
        Aim::new("... less than 100 MB", idle.peak < 100_000_000),
        Aim::new("... and writes nothing", idle_writes == 0),
        Aim::new("one relation that changes is one write", change_writes == 1),
    ]
}

/// What it costs that an application asks for another path.
fn change_route(meter: &mut Meter, relation: u32, index: u16) -> Result<Cost> {
    let (shown, cost) = meter.measure(|world| {
        let application = name(index);
        say_route(
            world,
            relation,
            &application,
            &format!("/new/{application}/"),
        )?;
        world.settle()?;
        world.shown()
    })?;
    must_be_active(&shown, &meter.world)?;
    Ok(cost)
}

/// The writes so far that stored something: a dry run, which comes before a write, does not.
fn writes_of(world: &World) -> Result<usize> {
    let requests = world.requests()?;
    let is_stored = |it: &&AuditRequest| it.is_write() && !it.is_dry_run();
    Ok(requests.iter().filter(is_stored).count())
}

fn name(index: u16) -> String {
    format!("app-{index}")
}

/// Relates an application that asks for a route of its own.
fn relate(world: &mut World, index: u16) -> Result<u32> {
    let application = name(index);
    let model = &mut world.model;
    model.add_remote_application(&application, "ingress", "ingress", 1)?;
    let relation = model.integrate(&application, &format!("{APPLICATION}:ingress"))?;
    say_route(world, relation, &application, &format!("/{application}/"))?;
    Ok(relation)
}

fn say_route(world: &mut World, relation: u32, application: &str, prefix: &str) -> Result<()> {
    let data = format!("port: 80\nprefix: {prefix}\nrewrite: /\nservice: {application}\n");
    let bag = [("_supported_versions", "- v1\n"), ("data", data.as_str())];
    Ok(world.model.write_remote(relation, application, &bag)?)
}

fn must_be_active(shown: &str, world: &World) -> Result<()> {
    if shown.starts_with("active: ") {
        return Ok(());
    }
    bail!("{APPLICATION} is not active: {shown}\n{}", world.log());
}

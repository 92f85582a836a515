//! `cargo xtask bench`: what the charm costs, beside what it replaces.

mod aim;
mod large;
mod meter;
mod peak;
mod relations;
mod relay;

use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use charm_world::{Charm, World};
use juju_sim::ModelOptions;
use test_cluster::programs::{self, Program};
use test_cluster::{Options, TestCluster};

use crate::pack;
use crate::workspace::{build_program, say, show};

pub(crate) use peak::run as note_peak_memory;

const MODEL: &str = "istio-system";
const APPLICATION: &str = "istio-pilot";

/// Options of the control plane that is measured: with the CNI on, the larger one.
const PATHS: [(&str, &str); 2] = [
    ("cni-bin-dir", "/opt/cni/bin"),
    ("cni-conf-dir", "/etc/cni/net.d"),
];

/// How often each thing is measured; the middle one of them is shown.
const REPETITIONS: usize = 21;

/// What the Python charm needs for `update-status`. Measured once with hook tools that answer at
/// once, on a machine with two cores; it cannot be run here.
const PYTHON: UpdateStatus = UpdateStatus {
    time: Duration::from_millis(650),
    processes: 47,
    writes: None,
};

struct UpdateStatus {
    time: Duration,
    processes: usize,
    writes: Option<usize>,
}

/// Measures on a large cluster, of which `percent` is made, and prints; fails when an aim is missed.
///
/// # Errors
/// When something cannot be built, or the charm does not reach `active`.
pub(crate) fn run_large(percent: u16) -> Result<ExitCode> {
    large::run(large::Size::percent(percent))
}

/// Measures with so many relations of `ingress`, and prints; fails when an aim is missed.
///
/// # Errors
/// When something cannot be built, or the charm does not reach `active`.
pub(crate) fn run_relations(number: u16) -> Result<ExitCode> {
    relations::run(number)
}

/// Measures and prints.
///
/// # Errors
/// When something cannot be built, or the charm does not reach `active`.
pub(crate) fn run() -> Result<ExitCode> {
    programs::check_go()?;
    let folder = tempfile::tempdir()?;
    let charm = pack::run("release", folder.path())?;
    let tool = build_program("istio-pilot", "release")?;
    let juju = build_program("juju-sim", "release")?;
    let istioctl = Program::Istioctl.path()?;
    compare_rendering(&tool, &istioctl)?;

    let cluster = TestCluster::start(&Options {
        audit: true,
        ..Options::default()
    })?;
    let model = ModelOptions::named(MODEL).program(juju);
    let world = World::new(model, cluster, APPLICATION, Charm::packed(charm))?;
    let measured = update_status(world)?;
    show(&format!(
        "\nupdate-status with the CNI on and nothing to change, median of {REPETITIONS}:"
    ))?;
    show("                         this charm   the Python charm (measured elsewhere)")?;
    show(&format!(
        "  time                   {:>7.1} ms   {:>7.1} ms",
        milliseconds(measured.time),
        milliseconds(PYTHON.time)
    ))?;
    show(&format!(
        "  hook-tool processes    {:>7}      {:>7}",
        measured.processes, PYTHON.processes
    ))?;
    show(&format!(
        "  write requests         {:>7}            -",
        measured.writes.unwrap_or_default()
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// Measures and prints how long it takes to make all objects, here and with `istioctl`.
fn compare_rendering(tool: &Path, istioctl: &Path) -> Result<()> {
    let ours = median(|| {
        let mut command = Command::new(tool);
        command.arg("render");
        for (name, value) in PATHS {
            command.arg("--config").arg(format!("{name}={value}"));
        }
        time_of(&mut command)
    })?;
    let theirs = median(|| {
        let mut command = Command::new(istioctl);
        command.args(["manifest", "generate"]);
        for set in [
            "profile=minimal",
            "components.cni.enabled=true",
            "values.cni.cniBinDir=/opt/cni/bin",
            "values.cni.cniConfDir=/etc/cni/net.d",
        ] {
            command.args(["--set", set]);
        }
        time_of(&mut command)
    })?;
    show(&format!(
        "\nAll objects of a control plane with the CNI on, median of {REPETITIONS}:"
    ))?;
    show(&format!(
        "  istio-pilot render          {:>7.1} ms",
        milliseconds(ours)
    ))?;
    show(&format!(
        "  istioctl manifest generate  {:>7.1} ms",
        milliseconds(theirs)
    ))
}

fn update_status(mut world: World) -> Result<UpdateStatus> {
    say("deploying the charm");
    world.deploy()?;
    world.configure(&PATHS)?;
    // One run more, for what the last hook's own changes may have left to do.
    let shown = world.update_status()?;
    if !shown.starts_with("active: ") {
        bail!("the charm is not active:\n{}", world.model.status());
    }
    let before = world.requests()?.len();
    let first = world.model.dispatches().len();
    for _ in 0..REPETITIONS {
        world.update_status()?;
    }
    let requests = world.requests()?.split_off(before);
    if requests.is_empty() {
        bail!("the API server recorded no request of the charm");
    }
    let dispatches = &world.model.dispatches()[first..];
    let mut times: Vec<Duration> = dispatches
        .iter()
        .map(|dispatch| dispatch.duration)
        .collect();
    Ok(UpdateStatus {
        time: middle(&mut times)?,
        processes: dispatches
            .iter()
            .map(|dispatch| dispatch.tool_calls.len())
            .max()
            .unwrap_or_default(),
        writes: Some(requests.iter().filter(|it| it.is_write()).count()),
    })
}

fn median(mut measure: impl FnMut() -> Result<Duration>) -> Result<Duration> {
    let mut times = Vec::with_capacity(REPETITIONS);
    for _ in 0..REPETITIONS {
        times.push(measure()?);
        // A pause, so that one run does not pay for what the one before it left to the system.
        thread::sleep(Duration::from_millis(20));
    }
    middle(&mut times)
}

fn middle(times: &mut [Duration]) -> Result<Duration> {
    times.sort();
    times
        .get(times.len() / 2)
        .copied()
        .context("nothing was measured")
}

fn time_of(command: &mut Command) -> Result<Duration> {
    let started = Instant::now();
    let status = command
        .stdout(Stdio::null())
        .status()
        .context("cannot be run")?;
    let time = started.elapsed();
    if !status.success() {
        bail!("{} failed ({status})", command.get_program().display());
    }
    Ok(time)
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

//! `cargo xtask bench`: what the charm costs, beside what it replaces.

use std::process::{Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use juju_sim::{Deployment, Model, ModelOptions};
use test_cluster::programs::{self, Program};
use test_cluster::{Options, TestCluster};

use crate::pack;
use crate::workspace::{build_program, say, show};

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

    let ours = median(|| {
        let mut command = Command::new(&tool);
        command.arg("render");
        for (name, value) in PATHS {
            command.arg("--config").arg(format!("{name}={value}"));
        }
        time_of(&mut command)
    })?;
    let theirs = median(|| {
        let mut command = Command::new(&istioctl);
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
    ))?;

    let cluster = TestCluster::start(&Options {
        audit: true,
        ..Options::default()
    })?;
    let options = ModelOptions::named(MODEL)
        .on_cluster(cluster.kubeconfig())
        .program(juju);
    let measured = update_status(&cluster, Model::new(options)?, &charm)?;
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

fn update_status(
    cluster: &TestCluster,
    mut model: Model,
    charm: &std::path::Path,
) -> Result<UpdateStatus> {
    let mut deployment = Deployment::of(charm).trusted();
    for (name, value) in PATHS {
        deployment = deployment.config(name, value);
    }
    say("deploying the charm");
    model.deploy(deployment)?;
    settle(&mut model)?;
    // One run more, for what the last hook's own changes may have left to do.
    model.update_status();
    settle(&mut model)?;
    let status = model.status();
    if status
        .units
        .iter()
        .any(|unit| unit.workload.status != "active")
    {
        bail!("the charm is not active:\n{status}");
    }
    let before = cluster.audit_requests()?.len();
    let first = model.dispatches().len();
    for _ in 0..REPETITIONS {
        model.update_status();
        settle(&mut model)?;
    }
    let account = format!("system:serviceaccount:{MODEL}:{APPLICATION}");
    let requests = cluster.audit_requests()?.split_off(before);
    let own: Vec<_> = requests
        .iter()
        .filter(|request| request.user == account)
        .collect();
    if own.is_empty() {
        bail!("the API server recorded no request of {account}");
    }
    let dispatches = &model.dispatches()[first..];
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
        writes: Some(own.iter().filter(|request| request.is_write()).count()),
    })
}

fn settle(model: &mut Model) -> Result<()> {
    let settled = model.settle()?;
    if !settled.in_error.is_empty() {
        bail!("in error: {}", settled.in_error.join(", "));
    }
    Ok(())
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

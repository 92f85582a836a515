//! `cargo xtask e2e`: the charm on a real node, with a real kubelet, container runtime, istiod,
//! CNI plugin and Envoy.

mod cases;
mod comparison;
mod gateway;
mod report;
mod site;
mod stream;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::{Result, bail};
use test_cluster::programs::PROGRAMS_VARIABLE;
use test_cluster::{Enclosure, NodeImages, Program};

use crate::pack;
use crate::workspace::{build_program, say};
use report::Report;
use site::Site;

/// The version of Istio, and so the tag of its images.
const ISTIO: &str = "1.31.1";

/// What is prepared in the folder that the enclosure shares with the machine.
const IMAGES: &str = "images.tar";
const CHARM: &str = "istio-pilot.charm";
const JUJU: &str = "juju-sim";
const PROGRAM: &str = "xtask";

/// Prepares everything, and runs the cases in an enclosure of their own. `profile` is
/// cargo's for the charm.
///
/// # Errors
/// When this machine cannot run a real node, something cannot be built, a case fails, or something
/// of the node is left behind.
pub(crate) fn run(profile: &str) -> Result<()> {
    test_cluster::check_requirements()?;
    let programs = test_cluster::programs::build(&Program::ALL)?;
    // Inside there is no way to the package index.
    charm_world::prepare_neighbours()?;
    let started = Instant::now();
    let enclosure = Enclosure::new()?;
    let folder = enclosure.folder();
    fs::rename(pack::run(profile, folder)?, folder.join(CHARM))?;
    symlink(build_program("juju-sim", profile)?, folder.join(JUJU))?;
    say("making container images");
    NodeImages::write(&folder.join(IMAGES), ISTIO)?;
    // A copy: cargo may have replaced this program's file since it was started.
    fs::copy("/proc/self/exe", folder.join(PROGRAM))?;
    let mut command = Command::new(folder.join(PROGRAM));
    command
        .args(["e2e", "--enclosed"])
        .arg(folder)
        .env(PROGRAMS_VARIABLE, programs);
    let status = enclosure.start(&command)?.wait()?;
    say(&format!(
        "nothing is left of the node on this machine; it took {} s in all",
        started.elapsed().as_secs()
    ));
    if !status.success() {
        bail!("see the failed cases above ({status})");
    }
    Ok(())
}

/// Runs the cases; this process is inside of the enclosure.
///
/// # Errors
/// When the node does not start.
pub(crate) fn run_enclosed(folder: &Path) -> Result<ExitCode> {
    let mut report = Report::default();
    say("starting a cluster with a real node");
    let mut site = Site::start(folder)?;
    cases::run(&mut site, &mut report);
    gateway::run(&mut site, &mut report);
    comparison::run(&mut site, &mut report);
    Ok(report.conclude())
}

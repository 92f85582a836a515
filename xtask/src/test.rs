//! `cargo xtask test`: everything that is checked, in one command.

mod runner;
mod suite;
mod timing;

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::thread;

use anyhow::{Context, Result, bail};
use test_cluster::programs::{self, PROGRAMS_VARIABLE};
use test_cluster::{Program, is_root};

use crate::checks::{Outcome, Report};
use crate::e2e;
use crate::tools;
use crate::workspace::{cargo, say};
use runner::Results;
use suite::Runner;

pub(crate) use suite::run as run_suite;

/// The variable that tells the tests of the charm file where charmcraft is.
const CHARMCRAFT_VARIABLE: &str = "CHARMCRAFT";

/// How many tests run at once, for Rust's test harness.
const THREADS_VARIABLE: &str = "RUST_TEST_THREADS";

/// What the tests of the workspace run.
const PROGRAMS: [Program; 12] = [
    Program::Etcd,
    Program::KubeApiserver,
    Program::KubeControllerManager,
    Program::KubeScheduler,
    Program::Kubectl,
    Program::Kwok,
    Program::Istioctl,
    Program::PilotDiscovery,
    Program::InstallCni,
    Program::IstioCni,
    Program::Promtool,
    Program::CheckDashboard,
];

/// Why a test that only root can run is ignored.
const NEEDS_ROOT: &str = "needs root";

/// What is made ready while the checks that need none of it run.
struct Preparations {
    programs: Result<OsString>,
    cargo_deny: Result<PathBuf>,
    charmcraft: Result<PathBuf>,
    neighbours: Result<()>,
}

/// Runs all checks. With `complete`, leaving one out counts as a failure.
///
/// # Errors
/// When Go is missing: nothing would be left that is worth running.
pub(crate) fn run(complete: bool) -> Result<ExitCode> {
    programs::check_go()?;
    let runner = Runner::find()?;
    let mut report = Report::new(say);
    let mut results = Results::default();
    let preparations = thread::scope(|scope| {
        let preparing = scope.spawn(prepare);
        check_sources(&mut report);
        report.run("tests compile", || {
            results.compile(runner.cargo_test().arg("--no-run"))
        });
        preparing.join()
    });
    let Ok(preparations) = preparations else {
        bail!("preparing programs panicked");
    };
    check_dependencies(&mut report, preparations.cargo_deny);
    // Tests that need them would install them too, but only one after the other and with less said.
    report.run("libraries of neighbours", || {
        preparations.neighbours?;
        charm_world::check_neighbours()
    });
    match preparations.programs {
        Ok(folders) => run_tests(&mut report, &mut results, &runner, &folders),
        Err(error) => report.run("test programs", || Err(error)),
    }
    check_charm(&mut report, &mut results, &runner, preparations.charmcraft);
    check_node(&mut report, &mut results, &runner);
    for (test, why) in results.ignored() {
        let why = why.to_owned();
        let outcome = if why == NEEDS_ROOT && !is_root() {
            Outcome::NeedsRoot(why)
        } else {
            Outcome::LeftOut(why)
        };
        report.add(&format!("test {test}"), outcome);
    }
    say(&results.times());
    say(&report.summary());
    say(&results.total());
    Ok(if report.is_success(complete) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn prepare() -> Preparations {
    Preparations {
        programs: programs::build(&PROGRAMS),
        cargo_deny: tools::cargo_deny(),
        charmcraft: tools::charmcraft(),
        neighbours: charm_world::prepare_neighbours(),
    }
}

fn check_sources(report: &mut Report) {
    report.run("format", || {
        succeed(cargo().args(["fmt", "--all", "--check"]))
    });
    report.run("clippy", || {
        succeed(cargo().args([
            "clippy",
            "--locked",
            "--workspace",
            "--all-targets",
            "--",
            "--deny=warnings",
        ]))
    });
    report.run("documentation", || {
        succeed(
            cargo()
                .args(["doc", "--locked", "--workspace", "--no-deps"])
                .env("RUSTDOCFLAGS", "--deny=warnings"),
        )
    });
}

fn check_dependencies(report: &mut Report, cargo_deny: Result<PathBuf>) {
    report.run_if_possible("dependencies", || {
        let cargo_deny = match cargo_deny {
            Ok(path) => path,
            Err(error) => return Ok(Outcome::LeftOut(format!("{error:#}"))),
        };
        let mut command = Command::new(cargo_deny);
        command.current_dir(crate::workspace::root());
        succeed(command.args(["check", "bans", "licenses", "sources"]))?;
        Ok(Outcome::Passed)
    });
}

fn run_tests(report: &mut Report, results: &mut Results, runner: &Runner, folders: &OsString) {
    report.run("tests", || {
        results.run(
            runner
                .cargo_test()
                .args(["--tests", "--no-fail-fast"])
                .env(THREADS_VARIABLE, threads()?)
                .env(PROGRAMS_VARIABLE, folders),
        )
    });
    // On their own: with a runner, rustdoc would run the tests of a crate in one process.
    report.run("doc tests", || {
        results.run_documentation(
            cargo()
                .args(["test", "--locked", "--workspace", "--doc", "--no-fail-fast"])
                // Whose tests they are is read from what cargo prints.
                .arg("--color=never")
                .env(PROGRAMS_VARIABLE, folders),
        )
    });
}

/// How many tests of a suite run at once: stories wait for their clusters half of the time.
fn threads() -> Result<OsString> {
    if let Some(chosen) = env::var_os(THREADS_VARIABLE) {
        return Ok(chosen);
    }
    let processors = thread::available_parallelism().context("cannot count the processors")?;
    Ok((2 * processors.get()).to_string().into())
}

fn check_charm(
    report: &mut Report,
    results: &mut Results,
    runner: &Runner,
    charmcraft: Result<PathBuf>,
) {
    report.run_if_possible("charmcraft", || {
        let charmcraft = match charmcraft {
            Ok(path) => path,
            Err(error) => return Ok(Outcome::LeftOut(format!("{error:#}"))),
        };
        results.run(
            runner
                .cargo_test()
                .args(["--test=charm", "--", "--ignored"])
                .env(CHARMCRAFT_VARIABLE, charmcraft),
        )?;
        Ok(Outcome::Passed)
    });
}

/// Runs what only root can: the charm on a real node. It comes last, for it takes the longest.
fn check_node(report: &mut Report, results: &mut Results, runner: &Runner) {
    report.run_if_possible("real node", || {
        if !is_root() {
            let why = format!("{NEEDS_ROOT}: run `cargo xtask e2e` as root");
            return Ok(Outcome::NeedsRoot(why));
        }
        if let Err(error) = test_cluster::check_requirements() {
            return Ok(Outcome::LeftOut(format!("{error:#}")));
        }
        results.run(
            runner
                .cargo_test()
                .args(["--lib", "--", "--ignored", "enclosure"]),
        )?;
        // Built already; `cargo xtask e2e` tries the released program.
        e2e::run("dev")?;
        Ok(Outcome::Passed)
    });
}

/// Runs a command whose output goes to the terminal.
fn succeed(command: &mut Command) -> Result<()> {
    let status = command.status().context("cannot be run")?;
    if !status.success() {
        bail!("see its output above ({status})");
    }
    Ok(())
}

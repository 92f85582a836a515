//! The repository's own tasks; `cargo xtask --help` lists them.

mod bench;
mod checks;
mod crd_diff;
mod e2e;
mod pack;
mod test;
mod tools;
mod try_charm;
mod workspace;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use test_cluster::Program;

/// The repository's own tasks.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Show the charm's main job on a real Kubernetes API server with simulated nodes.
    ///
    /// The first run builds Kubernetes and Istio from source, which takes about 20 minutes on two
    /// cores; later ones take a minute.
    Try {
        /// Let the cluster and the model run on, and print how to look around.
        #[arg(long)]
        keep: bool,
        /// Cargo's profile for the charm.
        #[arg(long, default_value = "release")]
        profile: String,
    },
    /// Check and test everything.
    ///
    /// The first run builds Kubernetes and Istio from source, which takes about 20 minutes on two
    /// cores. What this machine cannot do is listed at the end.
    Test {
        /// Fail when anything has to be left out.
        #[arg(long)]
        complete: bool,
    },
    /// Make the charm: a file that `juju deploy` takes.
    Pack {
        /// Cargo's profile for the program in it.
        #[arg(long, default_value = "release")]
        profile: String,
        /// The folder to put the file in; without it the repository's root.
        #[arg(long)]
        output: Option<PathBuf>,
    },
    /// Measure what the charm costs, compared with what it replaces.
    Bench {
        /// Measure on a cluster of 500 nodes, 5,000 injected pods and 2,000 `VirtualService`s, and fail
        /// when an aim is missed.
        ///
        /// It takes a quarter of an hour on two cores.
        #[arg(long)]
        large: bool,
        /// How many percent of the large cluster to make; the aims are for all of it.
        #[arg(long, requires = "large", default_value_t = 100,
              value_parser = clap::value_parser!(u16).range(1..=100))]
        percent: u16,
        /// Measure with so many relations of the endpoint ingress, and fail when an aim is missed.
        #[arg(long, conflicts_with = "large",
              value_parser = clap::value_parser!(u16).range(1..=5000))]
        relations: Option<u16>,
    },
    /// Run a program, and add the most memory that it had to a file.
    #[command(hide = true)]
    NotePeakMemory {
        /// The file.
        file: PathBuf,
        /// The program.
        program: PathBuf,
    },
    /// Try the charm on a real node: this machine, which requires root on Linux.
    ///
    /// It takes about 8 minutes, and leaves nothing behind.
    E2e {
        /// Cargo's profile for the charm.
        #[arg(long, default_value = "release")]
        profile: String,
        /// The cases alone, inside of what the command has prepared.
        #[arg(long, hide = true)]
        enclosed: Option<PathBuf>,
    },
    /// Compare the charm's custom resource definitions with those of a release of Istio's API.
    ///
    /// Prints the path of each difference. The exit code is 0 without any, and 2 with some.
    CrdDiff {
        /// The version of the Go module istio.io/api, such as v1.31.1.
        version: String,
    },
    /// Become a test program; what `test` has cargo run.
    #[command(hide = true)]
    TestSuite {
        program: PathBuf,
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Build the Kubernetes and Istio programs that tests run, unless they are there.
    Programs,
}

fn main() -> ExitCode {
    let done = run(Arguments::parse());
    match done {
        Ok(code) => code,
        Err(error) => {
            workspace::say(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<ExitCode> {
    match arguments.task {
        Task::Try { keep, profile } => try_charm::run(&profile, keep),
        Task::Test { complete } => test::run(complete),
        Task::TestSuite { program, arguments } => {
            test::run_suite(&program, &arguments)?;
            Ok(ExitCode::SUCCESS)
        }
        Task::CrdDiff { version } => crd_diff::run(&version),
        Task::Pack { profile, output } => {
            let output = output.unwrap_or_else(workspace::root);
            let charm = pack::run(&profile, &output)?;
            workspace::show(&charm.display().to_string())?;
            Ok(ExitCode::SUCCESS)
        }
        Task::Bench {
            relations: Some(number),
            ..
        } => bench::run_relations(number),
        Task::Bench { large: false, .. } => bench::run(),
        Task::Bench { percent, .. } => bench::run_large(percent),
        Task::NotePeakMemory { file, program } => bench::note_peak_memory(&file, &program),
        Task::E2e {
            enclosed: Some(folder),
            ..
        } => e2e::run_enclosed(&folder),
        Task::E2e { profile, .. } => {
            e2e::run(&profile)?;
            Ok(ExitCode::SUCCESS)
        }
        Task::Programs => {
            let folders = test_cluster::programs::build(&Program::ALL)?;
            workspace::show(&folders.display().to_string())?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

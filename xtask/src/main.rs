//! The repository's own tasks; `cargo xtask --help` lists them.

mod checks;
mod pack;
mod test;
mod tools;
mod workspace;

use std::io::{Write, stdout};
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
        Task::Test { complete } => test::run(complete),
        Task::Pack { profile, output } => {
            let output = output.unwrap_or_else(workspace::root);
            let charm = pack::run(&profile, &output)?;
            writeln!(stdout(), "{}", charm.display())?;
            Ok(ExitCode::SUCCESS)
        }
        Task::Programs => {
            let folders = test_cluster::programs::build(&Program::ALL)?;
            writeln!(stdout(), "{}", folders.display())?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

//! The command line: the verbs of `juju`, on a model that is kept in a folder.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::{Args, Parser, Subcommand};

use crate::model::JUJU_VERSION;
use crate::{Model, ModelOptions, Progress, Reaction};

mod commands;

const EXAMPLES: &str = "\
Examples:
  juju-sim add-model istio-system --kubeconfig ~/.kube/config
  juju-sim deploy ./istio-pilot_amd64.charm --trust
  juju-sim config istio-pilot cni-bin-dir=/opt/cni/bin cni-conf-dir=/etc/cni/net.d
  juju-sim status
  juju-sim run istio-pilot/0 plan
  juju-sim debug-log

The model is kept in --model-dir between calls.";

#[derive(Parser)]
#[command(name = "juju-sim", version, about = "A Juju model in a box, for trying a charm", after_help = EXAMPLES)]
struct Arguments {
    /// Where the model is kept
    #[arg(long, default_value = "juju-sim-model", global = true)]
    model_dir: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start an empty model in --model-dir
    AddModel {
        /// The model's name, also its namespace
        name: String,
        /// An administrator's kubeconfig of the cluster behind the model
        #[arg(long)]
        kubeconfig: Option<PathBuf>,
        /// How often a failed hook is retried before its unit stays in error
        #[arg(long, default_value_t = 1)]
        hook_retries: u32,
        /// The Juju to be: 4.0.15 is the recorded one; before 4.0, --reset fires config-changed
        #[arg(long, value_name = "VERSION", default_value = JUJU_VERSION)]
        juju_version: String,
    },
    /// Deploy a charm file or folder
    Deploy(Deploy),
    /// Show, set or reset options of an application
    Config {
        application: String,
        /// KEY to show one value, KEY=VALUE to set it
        values: Vec<String>,
        /// Options to reset, separated by commas
        #[arg(long, value_delimiter = ',')]
        reset: Vec<String>,
    },
    /// Relate two applications
    Integrate { first: String, second: String },
    /// Remove the relation between two applications
    RemoveRelation { first: String, second: String },
    /// Add an application of another model, whose data `write-remote` writes
    AddRemote(AddRemote),
    /// Write into a databag of a remote application
    WriteRemote(WriteRemote),
    /// Add a secret
    AddSecret { name: String, content: Vec<String> },
    /// Add a revision to a secret
    UpdateSecret { name: String, content: Vec<String> },
    /// Let an application read a secret
    GrantSecret { name: String, application: String },
    /// Stop an application from reading a secret
    RevokeSecret { name: String, application: String },
    /// Give an application rights over the whole cluster
    Trust(Trust),
    /// Set the number of units
    ScaleApplication { application: String, scale: u32 },
    /// Run an action on a unit
    Run {
        unit: String,
        action: String,
        /// KEY=VALUE; values are YAML
        parameters: Vec<String>,
    },
    /// Replace an application's charm
    Refresh {
        application: String,
        #[arg(long)]
        path: PathBuf,
    },
    /// Retry the failed hook of a unit
    Resolved {
        unit: String,
        /// Skip it instead
        #[arg(long)]
        no_retry: bool,
    },
    /// Make a unit the leader
    SetLeader { unit: String },
    /// Replace the pod of a unit
    RestartUnit { unit: String },
    /// Have every unit run update-status
    UpdateStatus,
    /// Remove an application
    RemoveApplication { application: String },
    /// Show the model
    Status,
    /// Show the log
    DebugLog {
        /// The lowest level shown
        #[arg(short, long, default_value = "INFO")]
        level: String,
        /// Only the last lines
        #[arg(short = 'n', long)]
        lines: Option<usize>,
    },
}

#[derive(Args)]
struct Deploy {
    charm: PathBuf,
    /// The application's name, if not the charm's
    application: Option<String>,
    /// An option, as KEY=VALUE
    #[arg(long)]
    config: Vec<String>,
    /// Give it rights over the whole cluster
    #[arg(long)]
    trust: bool,
    #[arg(short = 'n', long, default_value_t = 1)]
    num_units: u32,
}

#[derive(Args)]
struct AddRemote {
    application: String,
    endpoint: String,
    interface: String,
    #[arg(short = 'n', long, default_value_t = 1)]
    num_units: u32,
}

#[derive(Args)]
struct WriteRemote {
    first: String,
    second: String,
    /// The application, or one of its units
    owner: String,
    /// KEY=VALUE; an empty value deletes
    values: Vec<String>,
}

#[derive(Args)]
struct Trust {
    application: String,
    /// Must be "cluster", as for Juju on Kubernetes
    #[arg(long)]
    scope: Option<String>,
    /// Take them away
    #[arg(long)]
    remove: bool,
}

/// Runs the command line of this process. Errors go to standard error as Juju prints them; wrong
/// usage ends with 64, everything else with 1.
pub(crate) fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let wrong = error.use_stderr();
            let _ = error.print();
            return if wrong {
                ExitCode::from(64)
            } else {
                ExitCode::SUCCESS
            };
        }
    };
    match run(arguments) {
        Ok(code) => code,
        Err(error) => {
            let _ = writeln!(io::stderr(), "ERROR {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let directory = arguments.model_dir;
    if let Command::AddModel {
        name,
        kubeconfig,
        hook_retries,
        juju_version,
    } = arguments.command
    {
        let _lock = Model::lock(&directory)?;
        if Model::exists(&directory) {
            bail!("there is a model in {} already", directory.display());
        }
        let mut options = ModelOptions::named(name)
            .in_directory(&directory)
            .hook_retries(hook_retries)
            .juju_version(juju_version);
        options.kubeconfig = kubeconfig;
        let mut model = Model::new(options)?;
        model.keep()?;
        writeln!(
            io::stdout(),
            "Added '{}' model in {}",
            model.name(),
            directory.display()
        )?;
        return Ok(ExitCode::SUCCESS);
    }
    if !Model::exists(&directory) {
        bail!(
            "no model in {}; start one with `juju-sim --model-dir {0} add-model NAME`",
            directory.display()
        );
    }
    let reads_only = matches!(
        arguments.command,
        Command::Status | Command::DebugLog { .. }
    );
    if reads_only {
        // Without the lock: the model can be read while a hook runs.
        return commands::show(&Model::open_to_read(&directory)?, &arguments.command);
    }
    let _lock = Model::lock(&directory)?;
    let mut model = Model::open(&directory).context("cannot open the model")?;
    model.observe(print_progress);
    let code = commands::change(&mut model, arguments.command)?;
    model.keep()?;
    Ok(code)
}

/// Hooks and status changes as they happen, on standard error.
fn print_progress(progress: Progress<'_>) -> Reaction {
    let mut out = io::stderr();
    let _ = match progress {
        Progress::Started { unit, hook } => writeln!(out, "{unit}: {hook}"),
        Progress::Status {
            of,
            status,
            message,
        } => writeln!(out, "{of}: {status} {message}"),
        Progress::Action { unit, message } => writeln!(out, "{unit}: {message}"),
        Progress::Log(line) if matches!(line.level.as_str(), "WARNING" | "ERROR" | "CRITICAL") => {
            writeln!(out, "{line}")
        }
        _ => Ok(()),
    };
    Reaction::Continue
}

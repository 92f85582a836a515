//! The tool for people: `render`, `plan` and `detect-cni-paths`, without Juju.

mod options;

use std::ffi::OsString;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::charm::actions::detect_cni_paths;
use crate::cluster::Cluster;
use crate::cluster::connect::Access;
use crate::cni::Phase;
use crate::decide::{Facts, Secrets, decide};
use crate::desired::stream::{to_json, to_yaml_stream};
use crate::desired::{Desired, gateway};
use crate::endpoints::Relations;
use crate::intent::cni_paths::CniSetting;
use crate::intent::identity::Identity;
use crate::intent::values::Options;
use crate::intent::{Intent, Mesh};
use crate::istio::ISTIO_VERSION;
use crate::k8s::version::KubernetesVersion;
use crate::reconcile::preview;
use anyhow::{Context as _, bail};
use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand, ValueEnum};
use k8s_openapi::jiff::Timestamp;
use options::KeyValue;

/// Exit code of bad usage (`EX_USAGE` of sysexits.h).
const BAD_USAGE: u8 = 64;
/// Exit code of `plan` when there is something to change.
const CHANGES: u8 = 2;

const EXAMPLES: &str = "\
Examples:
  istio-pilot render --model kubeflow
  istio-pilot render --config cni-bin-dir=/opt/cni/bin --config cni-conf-dir=/etc/cni/net.d
  juju config istio-pilot --format yaml > options.yaml
  KUBECONFIG=~/.kube/config istio-pilot plan --model kubeflow --config-file options.yaml
  KUBECONFIG=~/.kube/config istio-pilot detect-cni-paths

Started as `dispatch`, or with JUJU_DISPATCH_PATH set, this program is the charm itself.";

/// Renders the Istio control plane of the charm istio-pilot, and compares it with a cluster.
#[derive(Debug, Parser)]
#[command(name = "istio-pilot", version, after_help = EXAMPLES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print the objects that the charm would apply, in order. Needs no cluster.
    Render(Render),
    /// Print what the charm would change in a cluster. Exit code 0: nothing, 2: something.
    Plan(Common),
    /// Print the values of cni-bin-dir and cni-conf-dir for a cluster. Exit code 0: they are known,
    /// 1: they are not, or there is nothing to set.
    DetectCniPaths(Detect),
}

#[derive(Debug, Args)]
struct Common {
    /// The model, and so the namespace
    #[arg(long, default_value = "istio-system", value_name = "NAME", value_parser = options::model)]
    model: String,
    /// The Juju application
    #[arg(long, default_value = "istio-pilot", value_name = "NAME", value_parser = options::application)]
    app: String,
    /// One option, as for `juju config`; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    config: Vec<KeyValue>,
    /// A YAML map of options, plain or as `juju config --format yaml` prints it
    #[arg(long, value_name = "FILE")]
    config_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct Detect {
    /// The Juju application, for the command to run
    #[arg(long, default_value = "istio-pilot", value_name = "NAME", value_parser = options::application)]
    app: String,
}

#[derive(Debug, Args)]
struct Render {
    #[command(flatten)]
    common: Common,
    /// Kubernetes version of the cluster
    #[arg(long, default_value = "1.34", value_name = "VERSION", value_parser = options::version)]
    kube_version: KubernetesVersion,
    /// Whether the node agent is ready, so that injection relies on it
    #[arg(long, default_value_t = true, action = clap::ArgAction::Set, value_name = "BOOL")]
    cni_ready: bool,
    /// Also print what configuration alone implies: the Gateway
    #[arg(long)]
    all: bool,
    /// Format of the output
    #[arg(short, long, default_value = "yaml", value_name = "FORMAT")]
    output: Output,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Output {
    /// One YAML stream.
    Yaml,
    /// One JSON array.
    Json,
}

/// Runs the tool.
///
/// # Errors
/// What the user has to fix, in one line.
pub async fn run(
    arguments: Vec<OsString>,
    variables: &[(String, String)],
) -> anyhow::Result<ExitCode> {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => return usage(&error),
    };
    match arguments.command {
        Command::Render(arguments) => print_objects(&arguments),
        Command::Plan(arguments) => plan(&arguments, variables).await,
        Command::DetectCniPaths(arguments) => detect(&arguments, variables).await,
    }
}

/// Prints help or the version, or what is wrong with the arguments.
fn usage(error: &clap::Error) -> anyhow::Result<ExitCode> {
    match error.kind() {
        ErrorKind::DisplayVersion => print(&version()),
        ErrorKind::DisplayHelp => print(&error.to_string()),
        _ => {
            error.print().context("cannot print")?;
            Ok(ExitCode::from(BAD_USAGE))
        }
    }
}

/// The version of this program, and the one of Istio that it installs.
fn version() -> String {
    format!(
        "istio-pilot {} (Istio {ISTIO_VERSION})\n",
        env!("CARGO_PKG_VERSION")
    )
}

fn print_objects(arguments: &Render) -> anyhow::Result<ExitCode> {
    let common = &arguments.common;
    let options = common.options()?;
    let (intent, mesh) = intent(common, &common.model, options)?;
    warn(&intent)?;
    let phase = match mesh.cni {
        CniSetting::Off { .. } => Phase::Off,
        CniSetting::On(_) if arguments.cni_ready => Phase::On,
        CniSetting::On(_) => Phase::RollingOut,
    };
    let mut of_configuration = Vec::new();
    if arguments.all {
        of_configuration.push(gateway(&intent.identity, &mesh)?);
    }
    let desired = Desired::new(&intent, of_configuration, arguments.kube_version)?;
    let wanted = desired.at(phase)?;
    let text = match arguments.output {
        Output::Yaml => to_yaml_stream(wanted.objects()),
        Output::Json => to_json(wanted.objects())?,
    };
    print(&text)
}

async fn plan(arguments: &Common, variables: &[(String, String)]) -> anyhow::Result<ExitCode> {
    let options = arguments.options()?;
    // Problems with the options can be reported without a cluster.
    warn(&intent(arguments, &arguments.model, options.clone())?.0)?;
    let cluster = connect(&arguments.model, variables).await?;
    let (intent, _) = intent(arguments, cluster.namespace(), options)?;
    let assessment = preview(&intent, &cluster).await?;
    let obstacles: Vec<_> = assessment.obstacles().map(ToString::to_string).collect();
    if !obstacles.is_empty() {
        bail!("nothing can be changed: {}", obstacles.join("; "));
    }
    if assessment.plan.is_empty() {
        return print("nothing to change\n");
    }
    print(&assessment.plan.to_string())?;
    Ok(ExitCode::from(CHANGES))
}

async fn detect(arguments: &Detect, variables: &[(String, String)]) -> anyhow::Result<ExitCode> {
    // Nodes have no namespace, so any one will do.
    let cluster = connect("default", variables).await?;
    let detection = detect_cni_paths::detection(&cluster).await?;
    let printed = print(&detection.to_text(&arguments.app))?;
    Ok(if detection.has_paths() {
        printed
    } else {
        ExitCode::FAILURE
    })
}

async fn connect(model: &str, variables: &[(String, String)]) -> anyhow::Result<Cluster> {
    let kubeconfig = variables.iter().find(|(name, _)| name == "KUBECONFIG");
    let access = Access::find(kubeconfig.map(|(_, path)| path.as_str()), model);
    Ok(Cluster::connect(&access).await?)
}

impl Common {
    /// The options of the file and of the command line.
    fn options(&self) -> anyhow::Result<Options> {
        options::collect(self.config_file.as_deref(), &self.config)
    }
}

/// What the options ask for, in a namespace: what a hook without relations would intend.
fn intent(arguments: &Common, namespace: &str, options: Options) -> anyhow::Result<(Intent, Mesh)> {
    let mut intent = decide(&Facts {
        forces_upgrade: false,
        identity: Identity::new(&arguments.app, namespace),
        leader: true,
        options,
        relations: Relations::new(),
        unit: None,
        secrets: Secrets::default(),
        now: Timestamp::default(),
    });
    // The relations are not to be seen from here.
    intent.ingress = None;
    intent.extensions = None;
    if let Some(mesh) = intent.mesh().cloned() {
        return Ok((intent, mesh));
    }
    let problems: Vec<_> = intent.problems.iter().map(ToString::to_string).collect();
    bail!("{}", problems.join("; "))
}

/// Writes to standard error what a hook would log.
fn warn(intent: &Intent) -> anyhow::Result<()> {
    for warning in &intent.warnings {
        writeln!(std::io::stderr(), "warning: {warning}").context("cannot print")?;
    }
    Ok(())
}

/// Writes to standard output. A reader that has gone away is not an error.
fn print(text: &str) -> anyhow::Result<ExitCode> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        other => other.context("cannot print").map(|()| ExitCode::SUCCESS),
    }
}

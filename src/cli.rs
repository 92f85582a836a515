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
use crate::desired::stream::{to_json, to_yaml_stream};
use crate::desired::{Desired, gateway};
use crate::intent::cni_paths::CniSetting;
use crate::intent::identity::Identity;
use crate::intent::options::check;
use crate::intent::{Intent, Mesh, Target};
use crate::k8s::version::KubernetesVersion;
use crate::reconcile::preview;
use anyhow::{Context as _, bail};
use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand, ValueEnum};
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
    #[arg(long, default_value = "istio-system", value_name = "NAME")]
    model: String,
    /// The Juju application
    #[arg(long, default_value = "istio-pilot", value_name = "NAME")]
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
    #[arg(long, default_value = "istio-pilot", value_name = "NAME")]
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

/// Prints help, or what is wrong with the arguments.
fn usage(error: &clap::Error) -> anyhow::Result<ExitCode> {
    let is_help = matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
    );
    error.print().context("cannot print")?;
    Ok(if is_help {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(BAD_USAGE)
    })
}

fn print_objects(arguments: &Render) -> anyhow::Result<ExitCode> {
    let common = &arguments.common;
    let (intent, mesh) = intent(common, &common.model)?;
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
    // Problems with the options can be reported without a cluster.
    intent(arguments, &arguments.model)?;
    let cluster = connect(&arguments.model, variables).await?;
    let (intent, _) = intent(arguments, cluster.namespace())?;
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

/// What the options ask for, in a namespace.
fn intent(arguments: &Common, namespace: &str) -> anyhow::Result<(Intent, Mesh)> {
    let options = options::collect(arguments.config_file.as_deref(), &arguments.config)?;
    let mesh = check(&options).mesh.map_err(|problems| {
        let all: Vec<_> = problems.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("{}", all.join("; "))
    })?;
    let intent = Intent {
        identity: Identity::new(&arguments.app, namespace),
        target: Target::Installed(mesh.clone()),
        problems: Vec::new(),
        warnings: Vec::new(),
    };
    Ok((intent, mesh))
}

/// Writes to standard output. A reader that has gone away is not an error.
fn print(text: &str) -> anyhow::Result<ExitCode> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        other => other.context("cannot print").map(|()| ExitCode::SUCCESS),
    }
}

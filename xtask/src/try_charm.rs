//! `cargo xtask try`: the charm's main job, shown on a real API server.

pub(crate) mod injected;

use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::thread;

use anyhow::{Context, Result, bail};
use test_cluster::command::words;
use test_cluster::programs::{self, Program};
use test_cluster::{Options, TestCluster};

use crate::pack;
use crate::workspace::{build_program, say, show};

/// The model, and so the namespace of the control plane.
const MODEL: &str = "istio-system";

/// What the story runs.
const PROGRAMS: [Program; 7] = [
    Program::Etcd,
    Program::KubeApiserver,
    Program::KubeControllerManager,
    Program::KubeScheduler,
    Program::Kubectl,
    Program::Kwok,
    Program::Istioctl,
];

/// A cluster with a Juju model in it.
struct Stage {
    cluster: TestCluster,
    /// The program `juju-sim`.
    juju: PathBuf,
    charm: PathBuf,
}

/// Plays the story. With `keep`, cluster and model run on afterwards.
///
/// # Errors
/// When something cannot be built or started, or a step of the story fails.
pub(crate) fn run(profile: &str, keep: bool) -> Result<ExitCode> {
    programs::check_go()?;
    let folder = tempfile::Builder::new()
        .prefix("istio-pilot-")
        .tempdir()
        .context("cannot create a temporary folder")?;
    let (charm, juju) = thread::scope(|scope| {
        let programs = scope.spawn(|| programs::build(&PROGRAMS));
        let charm = pack::run(profile, folder.path())?;
        let juju = build_program("juju-sim", "dev")?;
        match programs.join() {
            Ok(built) => built.map(drop)?,
            Err(_) => bail!("building programs panicked"),
        }
        anyhow::Ok((charm, juju))
    })?;
    say("starting a Kubernetes API server with controllers and 3 simulated nodes");
    let stage = Stage {
        cluster: TestCluster::start(&Options::default())?,
        juju,
        charm,
    };
    stage.play()?;
    if keep {
        stage.leave()?;
    }
    Ok(ExitCode::SUCCESS)
}

impl Stage {
    fn play(&self) -> Result<()> {
        let kubeconfig = self.cluster.kubeconfig().display().to_string();
        self.succeed(&format!("add-model {MODEL} --kubeconfig='{kubeconfig}'"))?;

        title("Deploy")?;
        let file = self.charm.file_name().unwrap_or_default().display();
        show(&format!("\n$ juju deploy ./{file} --trust"))?;
        self.succeed(&format!("deploy '{}' --trust", self.charm.display()))?;
        self.status()?;
        injected::show(&self.cluster, MODEL)?;

        title("Switch the Istio CNI on: set both paths")?;
        self.juju("config istio-pilot cni-bin-dir=/opt/cni/bin cni-conf-dir=/etc/cni/net.d")?;
        self.status()?;
        self.kubectl("get daemonset istio-cni-node --output=wide")?;
        injected::show(&self.cluster, MODEL)?;

        title("Switch it off: unset one of them")?;
        // Not --reset: in Juju 4.0.15 no hook runs for that.
        self.juju("config istio-pilot cni-conf-dir=\"\"")?;
        self.status()?;
        self.kubectl("get daemonset")?;
        injected::show(&self.cluster, MODEL)
    }

    fn status(&self) -> Result<()> {
        self.juju("status")
    }

    /// Runs a command of `juju`, and shows it as a person would type it.
    fn juju(&self, line: &str) -> Result<()> {
        show(&format!("\n$ juju {line}"))?;
        self.succeed(line)
    }

    fn succeed(&self, line: &str) -> Result<()> {
        let status = Command::new(&self.juju)
            .arg("--model-dir")
            .arg(self.model_folder())
            .args(words(line)?)
            .status()
            .context("cannot run juju-sim")?;
        if !status.success() {
            bail!("juju {line} failed ({status})");
        }
        Ok(())
    }

    fn kubectl(&self, line: &str) -> Result<()> {
        let line = format!("--namespace={MODEL} {line}");
        show(&format!("\n$ kubectl {line}"))?;
        let output = self.cluster.kubectl(&line)?;
        // kubectl says so on standard error when there is nothing to list.
        show(if output.is_empty() {
            "No resources found."
        } else {
            output.trim_end()
        })
    }

    /// Inside the cluster's folder, so that it goes with the cluster.
    fn model_folder(&self) -> PathBuf {
        self.cluster.folder().join("juju")
    }

    /// Lets everything run on and says how to look around.
    fn leave(self) -> Result<()> {
        let folders = programs::build(&PROGRAMS)?;
        let model = self.model_folder();
        let left = self.cluster.leave_running()?;
        show(&format!(
            "\nThe cluster and the model run on. To look around:\n\n  \
             export KUBECONFIG={}\n  \
             export PATH={}:$PATH\n  \
             alias juju='{} --model-dir {}'\n  \
             juju status\n  \
             kubectl get pods --all-namespaces\n\n\
             To end them and remove what they wrote:\n\n  \
             kill {}",
            left.kubeconfig.display(),
            folders.display(),
            self.juju.display(),
            model.display(),
            left.watchdog
        ))
    }
}

fn title(text: &str) -> Result<()> {
    show(&format!("\n\n=== {text}"))
}

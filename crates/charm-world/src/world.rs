//! The cluster, the model, and what people do with them.

use std::fmt::Display;
use std::sync::Arc;
use std::thread;

use anyhow::{Context, Result, bail};
use juju_sim::{ActionResult, Deployment, LogLine, Model, ModelOptions};
use serde_json::{Map, Value};
use test_cluster::TestCluster;

use crate::Charm;

/// The charm's variable for both bounds of waiting, in seconds (`ROLLOUT_TIMEOUT` in
/// `src/charm/dispatch.rs`).
const ROLLOUT_TIMEOUT: &str = "ISTIO_PILOT_ROLLOUT_TIMEOUT";

/// How many lines of the log errors and failed tests show.
const LOG_LINES: usize = 20;

/// A cluster, a Juju model on it, and a charm for the model.
///
/// Its first unit is number 0. Dropped by a panic, as in a failed test, it prints the end of the
/// log to standard error.
pub struct World {
    /// The model.
    pub model: Model,
    /// The cluster behind the model. It ends with the last that holds it.
    pub cluster: Arc<TestCluster>,
    application: String,
    charm: Charm,
    /// Lines of the log that were there before hooks were run last.
    logged_before: usize,
}

impl World {
    /// An empty model, on a cluster that nobody else uses meanwhile.
    ///
    /// `model` says what is special about the model; the cluster is put behind it here.
    /// `application` is the name that the charm is deployed under. A hook that fails is not tried
    /// again by itself: [`World::settle`] reports it.
    ///
    /// # Errors
    /// As [`Model::new`].
    pub fn new(
        model: ModelOptions,
        cluster: impl Into<Arc<TestCluster>>,
        application: &str,
        charm: Charm,
    ) -> Result<Self> {
        let cluster = cluster.into();
        let options = model.on_cluster(cluster.kubeconfig()).hook_retries(0);
        Ok(Self {
            model: Model::new(options)?,
            cluster,
            application: application.to_owned(),
            charm,
            logged_before: 0,
        })
    }

    /// The application's name.
    pub fn application(&self) -> &str {
        &self.application
    }

    /// The name of one of its units, such as `pilot/0`.
    pub fn unit(&self, number: u32) -> String {
        format!("{}/{number}", self.application)
    }

    /// The charm, ready for [`Model::deploy`]: without trust, with one unit. For a story that does
    /// more than [`World::deploy`].
    pub fn deployment(&self) -> Deployment {
        Deployment::of(self.charm.path()).named(&self.application)
    }

    /// `juju deploy --trust`, and what follows from it.
    ///
    /// # Errors
    /// As [`Model::deploy`] and [`World::settle`].
    pub fn deploy(&mut self) -> Result<String> {
        self.model.deploy(self.deployment().trusted())?;
        self.settle()?;
        self.shown()
    }

    /// `juju config`, and what follows from it.
    ///
    /// # Errors
    /// As [`Model::set_config`] and [`World::settle`].
    pub fn configure(&mut self, values: &[(&str, &str)]) -> Result<String> {
        self.model.set_config(&self.application, values)?;
        self.settle()?;
        self.shown()
    }

    /// The hook `update-status`.
    ///
    /// # Errors
    /// As [`World::settle`].
    pub fn update_status(&mut self) -> Result<String> {
        self.model.update_status();
        self.settle()?;
        self.shown()
    }

    /// `juju scale-application`, and what follows from it.
    ///
    /// # Errors
    /// As [`Model::scale`] and [`World::settle`].
    pub fn scale(&mut self, units: u32) -> Result<()> {
        self.model.scale(&self.application, units)?;
        self.settle()
    }

    /// `juju remove-application`, and what follows from it.
    ///
    /// # Errors
    /// As [`Model::remove_application`] and [`World::settle`].
    pub fn remove(&mut self) -> Result<()> {
        self.model.remove_application(&self.application)?;
        self.settle()
    }

    /// `juju run` on the first unit. `parameters` is a JSON object.
    ///
    /// # Errors
    /// When `parameters` is something else, and as [`Model::run_action`]. An action that fails is
    /// no error: [`ActionResult::completed`] says so.
    pub fn run_action(&mut self, action: &str, parameters: &Value) -> Result<ActionResult> {
        let parameters: &Map<_, _> = parameters
            .as_object()
            .context("parameters of an action are a map")?;
        let result = self.model.run_action(&self.unit(0), action, parameters);
        Ok(result?)
    }

    /// Runs all hooks that are due.
    ///
    /// # Errors
    /// When one fails; the error holds what it wrote to standard error and the end of the log.
    pub fn settle(&mut self) -> Result<()> {
        self.logged_before = self.model.debug_log().len();
        let settled = self.model.settle()?;
        if settled.in_error.is_empty() {
            return Ok(());
        }
        let last = self.model.dispatches().last();
        bail!(
            "a hook of {} failed: {}\n{}",
            settled.in_error.join(", "),
            last.map(|dispatch| dispatch.stderr.trim())
                .unwrap_or_default(),
            self.log()
        );
    }

    /// How long a hook waits for the cluster, in seconds; 0 looks once. Without it, as long as for
    /// a person: several minutes.
    pub fn set_rollout_timeout(&mut self, seconds: u32) {
        self.model
            .set_variable(ROLLOUT_TIMEOUT, seconds.to_string());
    }

    /// What `juju status` shows of the first unit: status and message, `active: CNI off`.
    ///
    /// # Errors
    /// When there is no unit.
    pub fn shown(&self) -> Result<String> {
        let status = self.model.status();
        let unit = status.unit(&self.unit(0)).context("there is no unit 0")?;
        let workload = &unit.workload;
        Ok(format!("{}: {}", workload.status, workload.message))
    }

    /// What `juju status` shows of all units, a line each; the leader has a star:
    /// `pilot/0* active: CNI off`.
    pub fn shown_of_all(&self) -> String {
        let line = |unit: &juju_sim::UnitStatus| {
            let star = if unit.leader { "*" } else { "" };
            let workload = &unit.workload;
            format!(
                "{}{star} {}: {}",
                unit.name, workload.status, workload.message
            )
        };
        let lines: Vec<String> = self.model.status().units.iter().map(line).collect();
        lines.join("\n")
    }

    /// The last lines of `juju debug-log`.
    pub fn log(&self) -> String {
        let lines = self.model.debug_log();
        let last = &lines[lines.len().saturating_sub(LOG_LINES)..];
        let last: Vec<String> = last.iter().map(ToString::to_string).collect();
        last.join("\n")
    }

    /// What the charm logged of a level, such as `WARNING`, when hooks were run last; a line each.
    pub fn logged(&self, level: &str) -> String {
        let lines = &self.model.debug_log()[self.logged_before..];
        let of_charm = |line: &&LogLine| line.level == level && line.module.ends_with("juju-log");
        let messages: Vec<&str> = lines
            .iter()
            .filter(of_charm)
            .map(|line| line.message.as_str())
            .collect();
        messages.join("\n")
    }

    /// Runs kubectl as the cluster's administrator, in the model's namespace unless `line` names
    /// another, and returns what it printed: `kubectl("delete configmap istio")`. The line is split
    /// as a shell would.
    ///
    /// # Errors
    /// When it fails; the error holds what it said.
    pub fn kubectl(&self, line: &str) -> Result<String> {
        self.cluster.kubectl(&self.in_namespace(line))
    }

    /// Reads objects as [`World::kubectl`] would: `get("configmap istio")`, `get("pods -n shop")`.
    ///
    /// # Errors
    /// When kubectl fails, also because a single object does not exist.
    pub fn get(&self, line: &str) -> Result<Value> {
        self.cluster.get(&self.in_namespace(line))
    }

    /// Applies objects, each in the namespace that it names: JSON, or YAML documents.
    ///
    /// # Errors
    /// When the API server refuses one of them.
    pub fn apply(&self, objects: &(impl Display + ?Sized)) -> Result<()> {
        self.cluster.apply(objects).map(drop)
    }

    /// Changes fields of one object by a JSON merge patch: `patch("node node1", patch)`.
    ///
    /// # Errors
    /// When kubectl fails.
    pub fn patch(&self, line: &str, patch: &Value) -> Result<()> {
        let line = format!("patch --type=merge --patch-file=/dev/stdin {line}");
        let patched = self
            .cluster
            .kubectl_with_input(&self.in_namespace(&line), &patch.to_string());
        patched.map(drop)
    }

    fn in_namespace(&self, line: &str) -> String {
        format!("--namespace={} {line}", self.model.name())
    }
}

impl Drop for World {
    #[expect(clippy::print_stderr, reason = "a failed test shows what was printed")]
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("{}", self.log());
        }
    }
}

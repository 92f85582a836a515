//! The model: applications, their hooks, and what a person does with them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::hook::environment::{UnitPaths, unit_tag};
use crate::record::{Dispatch, LogLine, Observer, Progress, Reaction};
use crate::state::{Application, State, major_version};
use crate::status::ModelStatus;
use crate::substrate::Substrate;
use crate::tools::injected::{ToolFailure, ToolFailures};
use crate::{Error, clock, program, tools};

pub(crate) mod actions;
pub(crate) mod applications;
mod files;
mod relations;
mod run;
mod saved;
mod secrets;
pub(crate) mod settle;
mod units;

/// The Juju whose behaviour the model has, unless [`ModelOptions::juju_version`] names another.
pub(crate) const JUJU_VERSION: &str = "4.0.15";
/// The Kubernetes version that hooks see without a cluster.
const CLOUD_VERSION: &str = "1.37.0";
/// The longest path that fits into a socket's address on Linux.
const SOCKET_PATH_LIMIT: usize = 107;

/// How a model starts.
#[derive(Debug, Clone)]
pub struct ModelOptions {
    /// The model's name, which is also its namespace.
    pub name: String,
    /// Where the model keeps its files. Without it, in a temporary folder that is removed with
    /// the [`Model`].
    pub directory: Option<PathBuf>,
    /// An administrator's kubeconfig of the cluster behind the model. Without it there is none,
    /// and hooks get no `KUBECONFIG`.
    pub kubeconfig: Option<PathBuf>,
    /// How often a failed hook is retried immediately before the unit waits for
    /// [`Model::resolved`]. 1 unless set. (Juju retries for ever, after 5 s and then more.)
    pub hook_retries: u32,
    /// The version that hooks see, and a difference in behaviour where one is known and matters
    /// to charms; see [`ModelOptions::juju_version`]. 4.0.15 unless set, which is the recorded one.
    pub juju_version: String,
    /// The program that answers as the hook tools, `juju-sim`. Found next to the running program
    /// unless set.
    pub program: Option<PathBuf>,
}

impl ModelOptions {
    /// A model in a temporary folder, without a cluster.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            directory: None,
            kubeconfig: None,
            hook_retries: 1,
            juju_version: JUJU_VERSION.to_owned(),
            program: None,
        }
    }

    /// Puts a cluster behind the model; see [`ModelOptions::kubeconfig`].
    #[must_use]
    pub fn on_cluster(mut self, kubeconfig: impl Into<PathBuf>) -> Self {
        self.kubeconfig = Some(kubeconfig.into());
        self
    }

    /// Sets [`ModelOptions::hook_retries`].
    #[must_use]
    pub fn hook_retries(mut self, retries: u32) -> Self {
        self.hook_retries = retries;
        self
    }

    /// Sets [`ModelOptions::juju_version`].
    ///
    /// Two things are known to differ before 4.0: resetting an option fires `config-changed`, and
    /// `goal-state` names an application of another model by the URL of its offer, without units.
    #[must_use]
    pub fn juju_version(mut self, version: impl Into<String>) -> Self {
        self.juju_version = version.into();
        self
    }

    /// Sets [`ModelOptions::directory`].
    #[must_use]
    pub fn in_directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = Some(directory.into());
        self
    }

    /// Sets [`ModelOptions::program`].
    #[must_use]
    pub fn program(mut self, program: impl Into<PathBuf>) -> Self {
        self.program = Some(program.into());
        self
    }
}

/// A Juju model. See the [crate's documentation](crate).
///
/// Dropping it ends a running hook and removes a temporary folder; objects in a cluster stay.
pub struct Model {
    state: State,
    directory: PathBuf,
    /// Removes the folder when the model is dropped.
    temporary: Option<tempfile::TempDir>,
    /// Sockets, where the model's own folder has too long a name for them.
    sockets: Option<tempfile::TempDir>,
    program: PathBuf,
    hook_retries: u32,
    substrate: Option<Substrate>,
    variables: BTreeMap<String, String>,
    observer: Observer,
    tool_failures: ToolFailures,
    log: Vec<LogLine>,
    /// Lines of `log` that are already in the saved file.
    log_saved: usize,
    dispatches: Vec<Dispatch>,
}

impl Model {
    /// Starts an empty model.
    ///
    /// # Errors
    /// [`Error::Refused`] for a name that is not one, [`Error::ToolProgram`] if the program of
    /// the hook tools is not there, [`Error::Io`] and [`Error::Kubernetes`] if the folder or the
    /// namespace cannot be made.
    pub fn new(options: ModelOptions) -> Result<Self, Error> {
        if !crate::charm::valid_name(&options.name) {
            return Err(Error::refused(format!(
                "\"{}\" is not a valid name",
                options.name
            )));
        }
        if major_version(&options.juju_version).is_none() {
            return Err(Error::refused(format!(
                "\"{}\" is not a version of Juju, such as {JUJU_VERSION}",
                options.juju_version
            )));
        }
        let substrate = match &options.kubeconfig {
            Some(path) => Some(Substrate::connect(path, &options.name)?),
            None => None,
        };
        if let Some(substrate) = &substrate {
            substrate.create_namespace()?;
        }
        let state = State {
            uuid: clock::uuid(),
            controller: "juju-sim".into(),
            cloud: "k8s".into(),
            juju_version: options.juju_version.clone(),
            cloud_version: substrate.as_ref().map_or_else(
                || CLOUD_VERSION.into(),
                |substrate| substrate.version().to_owned(),
            ),
            api_server: substrate.as_ref().map_or_else(
                || "127.0.0.1:443".into(),
                |substrate| substrate.server().to_owned(),
            ),
            proxies: BTreeMap::new(),
            applications: BTreeMap::new(),
            remote_applications: BTreeMap::new(),
            relations: BTreeMap::new(),
            secrets: BTreeMap::new(),
            next_relation: 0,
            next_operation: 0,
            next_address: 0,
            name: options.name.clone(),
        };
        Self::assemble(state, options, substrate)
    }

    fn assemble(
        state: State,
        options: ModelOptions,
        substrate: Option<Substrate>,
    ) -> Result<Self, Error> {
        let new_folder = || {
            tempfile::Builder::new()
                .prefix("juju-sim-")
                .tempdir()
                .map_err(Error::io("make a temporary folder"))
        };
        let (temporary, directory) = if let Some(directory) = options.directory {
            fs::create_dir_all(&directory).map_err(Error::file("create folder", &directory))?;
            (
                None,
                fs::canonicalize(&directory).map_err(Error::file("find", &directory))?,
            )
        } else {
            let folder = new_folder()?;
            let path = folder.path().to_owned();
            (Some(folder), path)
        };
        // The longest socket name: agents/unit-APPLICATION-N/agent.socket.
        let sockets = if directory.as_os_str().len() + 80 > SOCKET_PATH_LIMIT {
            Some(new_folder()?)
        } else {
            None
        };
        let program = options.program.map_or_else(program::find, Ok)?;
        Ok(Self {
            state,
            directory,
            temporary,
            sockets,
            program,
            hook_retries: options.hook_retries,
            substrate,
            variables: BTreeMap::new(),
            observer: Box::new(|_: Progress<'_>| Reaction::Continue),
            tool_failures: ToolFailures::default(),
            log: Vec::new(),
            log_saved: 0,
            dispatches: Vec::new(),
        })
    }

    /// The model's name.
    pub fn name(&self) -> &str {
        &self.state.name
    }

    /// The model's UUID.
    pub fn uuid(&self) -> &str {
        &self.state.uuid
    }

    /// The folder with the model's files: `agents/unit-APP-N/charm`, `kubeconfigs/APP`, ...
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Adds a variable to the environment of every later hook, beyond what Juju gives.
    pub fn set_variable(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.variables.insert(name.into(), value.into());
    }

    /// Sets one of the model options `juju-http-proxy`, `juju-https-proxy`, `juju-ftp-proxy` and
    /// `juju-no-proxy`, which hooks see as `JUJU_CHARM_*_PROXY`.
    ///
    /// # Errors
    /// [`Error::Refused`] for any other option.
    pub fn set_model_config(&mut self, option: &str, value: &str) -> Result<(), Error> {
        let kind = option
            .strip_prefix("juju-")
            .and_then(|option| option.strip_suffix("-proxy"))
            .filter(|kind| ["http", "https", "ftp", "no"].contains(kind))
            .ok_or_else(|| Error::refused(format!("unknown option \"{option}\"")))?;
        let variable = format!("JUJU_CHARM_{}_PROXY", kind.to_uppercase());
        self.state.proxies.insert(variable, value.to_owned());
        Ok(())
    }

    /// Calls `observer` with what happens while hooks run; it may have a hook killed.
    pub fn observe(&mut self, observer: impl FnMut(Progress<'_>) -> Reaction + Send + 'static) {
        self.observer = Box::new(observer);
    }

    /// Lets a hook tool fail in the hooks that follow, in place of doing anything. A call still
    /// counts as made: it is in [`Dispatch::tool_calls`], and the observer sees it. An earlier
    /// failure of the same tool is replaced. A saved model does not keep it.
    ///
    /// # Errors
    /// [`Error::Refused`] if hooks have no such tool.
    pub fn fail_tool(&mut self, tool: &str, failure: ToolFailure) -> Result<(), Error> {
        if !tools::NAMES.contains(&tool) {
            return Err(Error::refused(format!("unknown hook tool \"{tool}\"")));
        }
        self.tool_failures.insert(tool, failure);
        Ok(())
    }

    /// Takes back [`Model::fail_tool`]: the tool answers again.
    pub fn restore_tool(&mut self, tool: &str) {
        self.tool_failures.remove(tool);
    }

    /// Everything that ran since this value was made, oldest first.
    pub fn dispatches(&self) -> &[Dispatch] {
        &self.dispatches
    }

    /// The names of the hooks and actions that one unit ran, oldest first.
    pub fn hooks_of(&self, unit: &str) -> Vec<&str> {
        let dispatches = self
            .dispatches
            .iter()
            .filter(|dispatch| dispatch.unit == unit);
        dispatches.map(|dispatch| dispatch.hook.as_str()).collect()
    }

    /// All lines of the debug log, oldest first.
    pub fn debug_log(&self) -> &[LogLine] {
        &self.log
    }

    /// What `juju status` would show now.
    pub fn status(&self) -> ModelStatus {
        ModelStatus::of(&self.state)
    }

    fn application(&self, name: &str) -> Result<&Application, Error> {
        let application = self.state.applications.get(name);
        application.ok_or_else(|| Error::refused(format!("application \"{name}\" not found")))
    }

    fn application_mut(&mut self, name: &str) -> Result<&mut Application, Error> {
        let application = self.state.applications.get_mut(name);
        application.ok_or_else(|| Error::refused(format!("application \"{name}\" not found")))
    }

    fn paths(&self, unit: &str) -> UnitPaths {
        let tag = unit_tag(unit);
        let agent = self.directory.join("agents").join(&tag);
        let socket = match &self.sockets {
            Some(folder) => folder.path().join(format!("{tag}.socket")),
            None => agent.join("agent.socket"),
        };
        UnitPaths {
            charm: agent.join("charm"),
            tools: self.directory.join("tools").join(&tag),
            socket,
        }
    }
}

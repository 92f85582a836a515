//! The hook tools, through which a charm reads from and writes to Juju while a hook runs.
//!
//! [`HookTools`] is the only place that starts their processes. Its methods are next to the data
//! they handle: [`crate::config`], [`crate::relation`], [`crate::secret`] and so on.
//! Facts about the tools are Juju 4.0's and 3.6's (`internal/worker/uniter/runner/jujuc`); where
//! the two differ, both are read.

mod command;
mod error;
mod mask;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::de::DeserializeOwned;

pub(crate) use command::{MAX_ARGUMENT_LENGTH, ToolCommand, cut};
pub use error::ToolError;
use mask::Mask;

use crate::config::Config;
use crate::context::{Event, HookContext};
use crate::log::LogBuffer;
use crate::names::{ApplicationName, RelationId, UnitName};
use crate::state::State;
use crate::status::ShownStatus;

/// Runs hook tools for one hook.
///
/// Cheap to clone; clones share what was read. What cannot change inside a hook is read once:
/// configuration, leadership, this unit's state, the status that is shown.
#[derive(Clone)]
pub struct HookTools {
    inner: Arc<Inner>,
}

struct Inner {
    unit: UnitName,
    broken_relation: Option<RelationId>,
    /// The relation of this hook's event and the application on its other side.
    event_relation: Option<(RelationId, ApplicationName)>,
    /// The whole environment of a tool: nothing is inherited.
    environment: BTreeMap<String, String>,
    directories: Vec<PathBuf>,
    temporary_directory: PathBuf,
    processes: Mutex<BTreeMap<&'static str, u32>>,
    cache: Mutex<Cache>,
    log: Mutex<LogBuffer>,
    mask: Mutex<Mask>,
}

/// What was read, or written, in this hook.
#[derive(Default)]
pub(crate) struct Cache {
    pub(crate) config: Option<Arc<Config>>,
    pub(crate) leader: Option<bool>,
    pub(crate) state: Option<State>,
    pub(crate) unit_status: Option<ShownStatus>,
    pub(crate) application_status: Option<ShownStatus>,
    pub(crate) application_version: Option<String>,
}

/// What became of a write that Juju may refuse for a reason other than a defect of the charm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "Juju may have refused the write"]
pub enum WriteOutcome {
    /// Juju has accepted it; most writes take effect when the hook succeeds.
    Written,
    /// There was nothing to change, so nothing was written.
    Unchanged,
    /// Only the leader may write this, and this unit is not the leader.
    NotLeader,
    /// The relation is gone.
    RelationGone,
}

impl HookTools {
    /// Takes the tools' folder and environment from a hook's variables.
    ///
    /// Tools are looked up in the `PATH` of the context, and get its `JUJU_*` variables,
    /// `CHARM_DIR`, `PATH`, `LANG` and nothing else. No process is started yet.
    pub fn new(context: &HookContext) -> Self {
        let is_for_tools =
            |name: &str| name.starts_with("JUJU_") || matches!(name, "CHARM_DIR" | "PATH" | "LANG");
        let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let variables = context.variables.iter();
        let environment = variables
            .filter(|(name, _)| is_for_tools(name))
            .map(own)
            .collect();
        let path = context.variable("PATH").unwrap_or_default();
        let directories = path
            .split(':')
            .map(PathBuf::from)
            .filter(|path| path.is_absolute());
        let temporary_directory = context.variable("TMPDIR").unwrap_or("/tmp");
        Self {
            inner: Arc::new(Inner {
                unit: context.unit.clone(),
                broken_relation: context.broken_relation().cloned(),
                event_relation: event_relation(context),
                environment,
                directories: directories.collect(),
                temporary_directory: PathBuf::from(temporary_directory),
                processes: Mutex::default(),
                cache: Mutex::default(),
                log: Mutex::default(),
                mask: Mutex::default(),
            }),
        }
    }

    /// How many tool processes were started so far, those that failed included.
    pub fn process_count(&self) -> u32 {
        lock(&self.inner.processes).values().sum()
    }

    /// How many processes of each tool were started so far.
    pub fn processes(&self) -> BTreeMap<&'static str, u32> {
        lock(&self.inner.processes).clone()
    }

    /// Whether the environment offers this tool; some exist in certain Juju versions only.
    pub fn has_tool(&self, tool: &str) -> bool {
        command::find_program(&self.inner.directories, tool).is_some()
    }

    pub(crate) fn unit(&self) -> &UnitName {
        &self.inner.unit
    }

    pub(crate) fn broken_relation(&self) -> Option<&RelationId> {
        self.inner.broken_relation.as_ref()
    }

    /// The application on the other side of a relation, where the hook's event says it.
    pub(crate) fn application_in_event(&self, relation: &RelationId) -> Option<&ApplicationName> {
        let (id, application) = self.inner.event_relation.as_ref()?;
        (id == relation).then_some(application)
    }

    pub(crate) fn temporary_directory(&self) -> &PathBuf {
        &self.inner.temporary_directory
    }

    pub(crate) fn cache(&self) -> MutexGuard<'_, Cache> {
        lock(&self.inner.cache)
    }

    pub(crate) fn log_buffer(&self) -> MutexGuard<'_, LogBuffer> {
        lock(&self.inner.log)
    }

    /// Never shows this value again: it is replaced in log lines, statuses and errors.
    pub(crate) fn hide(&self, secret: &str) {
        lock(&self.inner.mask).add(secret);
    }

    pub(crate) fn without_secrets(&self, text: &str) -> String {
        lock(&self.inner.mask).apply(text)
    }

    /// Runs a tool and returns what it printed.
    pub(crate) fn run(&self, command: &ToolCommand) -> Result<String, ToolError> {
        let tool = command.tool();
        let program = command::find_program(&self.inner.directories, tool)
            .ok_or(ToolError::Missing { tool })?;
        *lock(&self.inner.processes).entry(tool).or_default() += 1;
        let result = command.run(&program, &self.inner.environment);
        result.map_err(|error| error.map_text(|text| self.without_secrets(text)))
    }

    /// Runs a tool and reads what it printed as JSON.
    pub(crate) fn run_json<T: DeserializeOwned>(
        &self,
        command: &ToolCommand,
    ) -> Result<T, ToolError> {
        let printed = self.run(command)?;
        serde_json::from_str(&printed).map_err(|source| ToolError::Answer {
            command: command.to_string(),
            source,
        })
    }
}

fn event_relation(context: &HookContext) -> Option<(RelationId, ApplicationName)> {
    let Event::Relation(event) = &context.event else {
        return None;
    };
    Some((event.id.clone(), event.remote_application.clone()?))
}

impl fmt::Debug for HookTools {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("HookTools")
            .field("unit", &self.inner.unit)
            .finish_non_exhaustive()
    }
}

/// A panic elsewhere while the lock was held leaves data that is still good to read.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

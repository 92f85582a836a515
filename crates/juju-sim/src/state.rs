//! Everything a model knows, as plain data: it is saved between calls of the command line and
//! read by the pure parts (which hook is next, what the status table says).

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::charm::{Charm, Role};
use crate::hook::Hook;

pub(crate) mod relation;
pub(crate) mod secret;

pub(crate) use relation::{Bag, Relation, Side};
pub(crate) use secret::Secret;

/// Whether an application, unit or relation is there to stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Life {
    /// In use.
    Alive,
    /// Being removed; its last hooks are still to run.
    Dying,
}

/// A status as `status-set` or the agent wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// `active`, `blocked`, `waiting`, `maintenance`, `unknown` or `error`.
    pub status: String,
    /// The text next to it.
    pub message: String,
    /// When it was set, in seconds since 1970 (UTC).
    pub since: i64,
}

impl Status {
    pub(crate) fn new(status: &str, message: impl Into<String>) -> Self {
        Self {
            status: status.into(),
            message: message.into(),
            since: crate::clock::now(),
        }
    }
}

/// The whole model.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct State {
    pub(crate) name: String,
    pub(crate) uuid: String,
    pub(crate) controller: String,
    pub(crate) cloud: String,
    pub(crate) juju_version: String,
    /// The Kubernetes version without a leading `v`.
    pub(crate) cloud_version: String,
    /// `host:port` of the API server as hooks see it.
    pub(crate) api_server: String,
    /// The `juju-*-proxy` model options, by the name of the variable that carries them.
    pub(crate) proxies: BTreeMap<String, String>,
    pub(crate) applications: BTreeMap<String, Application>,
    pub(crate) remote_applications: BTreeMap<String, RemoteApplication>,
    pub(crate) relations: BTreeMap<u32, Relation>,
    pub(crate) secrets: BTreeMap<String, Secret>,
    pub(crate) next_relation: u32,
    pub(crate) next_operation: u32,
    pub(crate) next_address: u32,
}

impl State {
    /// Whether the model's Juju is older than 4.0.
    pub(crate) fn is_before_juju_4(&self) -> bool {
        major_version(&self.juju_version).is_some_and(|major| major < 4)
    }
}

/// The major version of a Juju such as `3.6.14` or `4.0-beta1`.
pub(crate) fn major_version(version: &str) -> Option<u32> {
    let (major, rest) = version.split_once('.')?;
    rest.starts_with(|letter: char| letter.is_ascii_digit())
        .then(|| major.parse().ok())?
}

/// A deployed application.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Application {
    pub(crate) name: String,
    pub(crate) charm: Charm,
    /// Counts the charm files this application was deployed from and refreshed to.
    pub(crate) revision: u32,
    pub(crate) life: Life,
    /// Only what was set; defaults stay with the charm.
    pub(crate) config: BTreeMap<String, Value>,
    pub(crate) trusted: bool,
    pub(crate) scale: u32,
    pub(crate) units: BTreeMap<u32, Unit>,
    pub(crate) leader: Option<u32>,
    /// What the leader set, if it ever did.
    pub(crate) status: Option<Status>,
    pub(crate) version: String,
    /// The address of the application's Service.
    pub(crate) address: String,
}

/// An application of another model, whose data the caller writes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct RemoteApplication {
    pub(crate) name: String,
    pub(crate) endpoints: BTreeMap<String, RemoteEndpoint>,
    pub(crate) units: BTreeSet<u32>,
}

impl RemoteApplication {
    /// The URL of the offer that the model consumes, as if the other model were called `cos`.
    pub(crate) fn offer_url(&self) -> String {
        format!("admin/cos.{}", self.name)
    }
}

/// One endpoint of a remote application.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct RemoteEndpoint {
    pub(crate) interface: String,
    /// `None` takes whichever side the other application leaves.
    pub(crate) role: Option<Role>,
}

/// A unit, with what its agent remembers between hooks.
// Each flag is one reason for a hook; they are independent of one another.
#[allow(clippy::struct_excessive_bools)]
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Unit {
    pub(crate) number: u32,
    pub(crate) life: Life,
    pub(crate) address: String,
    pub(crate) workload: Status,
    /// Whether the charm itself ever set a status; without it the unit becomes `unknown` at start.
    pub(crate) charm_set_status: bool,
    /// The hook that runs now. In a saved model it also shows a hook that was cut short.
    pub(crate) executing: Option<Hook>,
    /// What the charm keeps with `state-set`.
    pub(crate) state: BTreeMap<String, String>,
    pub(crate) opened_ports: BTreeSet<String>,
    pub(crate) installed: bool,
    pub(crate) started: bool,
    pub(crate) stopped: bool,
    pub(crate) leader_elected_due: bool,
    pub(crate) config_changed_due: bool,
    pub(crate) start_due: bool,
    pub(crate) pod_stop_due: bool,
    pub(crate) upgrade_due: bool,
    pub(crate) update_status_due: bool,
    pub(crate) actions: VecDeque<QueuedAction>,
    pub(crate) failed: Option<FailedHook>,
    pub(crate) relations: BTreeMap<u32, UnitRelation>,
    /// Secrets of others that this unit has read, by identifier.
    pub(crate) consumed: BTreeMap<String, secret::Consumed>,
}

/// An action that waits for its unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct QueuedAction {
    pub(crate) name: String,
    pub(crate) id: u32,
    pub(crate) parameters: Value,
}

/// The hook that put a unit into error.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct FailedHook {
    pub(crate) hook: Hook,
    /// Retries that are left before the unit waits for `resolved`.
    pub(crate) retries_left: u32,
    pub(crate) since: i64,
}

/// What a unit's agent knows of one relation.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct UnitRelation {
    pub(crate) created: bool,
    /// Units whose `relation-joined` ran, with the version of their bag last reported.
    pub(crate) members: BTreeMap<String, u64>,
    /// Applications' bags last reported.
    pub(crate) applications: BTreeMap<String, u64>,
    /// A joined unit whose `relation-changed` must come next.
    pub(crate) changed_pending: Option<String>,
    /// Bag versions that the agent's watchers have delivered so far: they lag one hook behind.
    pub(crate) seen: BTreeMap<String, u64>,
}

impl State {
    pub(crate) fn unit(&self, application: &str, number: u32) -> Option<&Unit> {
        self.applications.get(application)?.units.get(&number)
    }

    pub(crate) fn unit_mut(&mut self, application: &str, number: u32) -> Option<&mut Unit> {
        self.applications
            .get_mut(application)?
            .units
            .get_mut(&number)
    }

    /// The pod of a new unit gets the next address of the model's pod network.
    pub(crate) fn allocate_address(&mut self, network: &str) -> String {
        self.next_address += 1;
        format!(
            "{network}.{}.{}",
            self.next_address / 250,
            self.next_address % 250 + 1
        )
    }
}

impl Application {
    pub(crate) fn unit_name(&self, number: u32) -> String {
        format!("{}/{number}", self.name)
    }

    /// The options that have a value, with defaults applied, as `config-get` shows them.
    pub(crate) fn settings(&self) -> BTreeMap<String, Value> {
        let mut settings = BTreeMap::new();
        for (name, option) in &self.charm.options {
            if let Some(value) = self.config.get(name).or(option.default.as_ref()) {
                settings.insert(name.clone(), value.clone());
            }
        }
        settings
    }
}

impl Unit {
    /// The status that `juju status` shows: a failed hook hides what the charm said, except while
    /// it is retried.
    pub(crate) fn shown_status(&self) -> Status {
        self.failed
            .as_ref()
            .filter(|_| self.executing.is_none())
            .map_or_else(
                || self.workload.clone(),
                |failed| Status {
                    status: "error".into(),
                    message: format!("hook failed: \"{}\"", failed.hook.name()),
                    since: failed.since,
                },
            )
    }
}

/// Splits `app/3`.
pub(crate) fn split_unit(name: &str) -> Option<(&str, u32)> {
    let (application, number) = name.rsplit_once('/')?;
    Some((application, number.parse().ok()?))
}

//! The events that Juju runs a charm for.

use std::fmt;
use std::path::Path;

use super::{ContextError, Variables, missing};
use crate::names::{ApplicationName, Endpoint, InvalidName, RelationId, SecretId, UnitName};

/// Why Juju runs the charm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The unit's first hook.
    Install,
    /// The last hook of the first sequence; again after the pod was replaced.
    Start,
    /// The unit goes away, or only its pod: not a reason to delete anything.
    Stop,
    /// The unit's last hook.
    Remove,
    /// Configuration, trust or the unit's address may have changed.
    ConfigChanged,
    /// The periodic hook, every 5 minutes unless the model says otherwise.
    UpdateStatus,
    /// Another revision of the charm, or only a new pod.
    UpgradeCharm,
    /// This unit has become the leader.
    LeaderElected,
    /// Something about one relation.
    Relation(RelationEvent),
    /// Something about one secret.
    Secret(SecretEvent),
    /// A user runs an action.
    Action(ActionEvent),
    /// Something about a workload container.
    Pebble(PebbleEvent),
    /// Something about one storage instance.
    Storage(StorageEvent),
    /// A hook that this library does not know. Charms ignore it and exit 0.
    Unknown(String),
}

/// A hook of one relation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelationEvent {
    /// The endpoint of this application.
    pub endpoint: Endpoint,
    /// The relation.
    pub id: RelationId,
    /// The application on the other side; in rare cases Juju no longer knows it.
    pub remote_application: Option<ApplicationName>,
    /// What happened.
    pub change: RelationChange,
}

/// What happened to a relation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RelationChange {
    /// The relation exists; no unit has joined yet.
    Created,
    /// A remote unit joined.
    Joined {
        /// That unit.
        unit: UnitName,
    },
    /// Data of the other side changed.
    Changed {
        /// The unit whose data changed; `None` when it was the application's.
        unit: Option<UnitName>,
    },
    /// A unit left.
    Departed {
        /// The remote unit that is no longer seen.
        unit: UnitName,
        /// The unit that leaves: the remote one, or this one when this unit goes away.
        departing: Option<UnitName>,
    },
    /// The relation is gone.
    Broken,
}

/// A hook of one secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretEvent {
    /// The secret.
    pub id: SecretId,
    /// The label that this unit gave to it.
    pub label: Option<String>,
    /// What happened.
    pub change: SecretChange,
}

/// What happened to a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretChange {
    /// The owner made a new revision.
    Changed,
    /// Its owner shall make a new revision because the rotation time came.
    Rotate,
    /// Its owner shall make a new revision because one expired.
    Expired {
        /// The revision that expired.
        revision: u32,
    },
    /// Its owner may remove a revision that nobody uses any more.
    Remove {
        /// That revision.
        revision: u32,
    },
}

/// A run of one action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActionEvent {
    /// The action's name in actions.yaml.
    pub name: String,
    /// The identity of this run in Juju's own notation, such as `action-7`.
    pub tag: String,
    /// The identity of this run as users see it, such as `7`.
    pub uuid: String,
}

/// A hook of one workload container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PebbleEvent {
    /// The container's name in metadata.yaml.
    pub workload: String,
    /// What Pebble reports.
    pub notice: PebbleNotice,
}

/// What Pebble reports about a workload container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PebbleNotice {
    /// Pebble answers; again after every restart of the container.
    Ready,
    /// The workload sent a notice.
    Custom {
        /// The notice's identity.
        id: String,
        /// Its type, `custom`.
        kind: String,
        /// Its key, chosen by the workload.
        key: String,
    },
    /// A check has failed as often as its threshold says.
    CheckFailed {
        /// The check's name.
        check: String,
    },
    /// A failed check succeeds again.
    CheckRecovered {
        /// The check's name.
        check: String,
    },
}

/// A hook of one storage instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StorageEvent {
    /// The storage's name in metadata.yaml.
    pub name: String,
    /// The instance, such as `data/0`.
    pub id: String,
    /// Where it is mounted.
    pub location: Option<String>,
    /// `filesystem` or `block`.
    pub kind: Option<String>,
    /// What happened.
    pub change: StorageChange,
}

/// What happened to a storage instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StorageChange {
    /// It can be used.
    Attached,
    /// It goes away after this hook.
    Detaching,
}

impl Event {
    pub(super) fn from_variables(
        variables: &Variables,
        program_name: &str,
    ) -> Result<Self, ContextError> {
        let path = variables.get("JUJU_DISPATCH_PATH").unwrap_or(program_name);
        let path = Path::new(path);
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        let parent = path
            .parent()
            .and_then(Path::file_name)
            .and_then(|name| name.to_str());
        match parent {
            Some("actions") if !name.is_empty() => Ok(Self::Action(ActionEvent {
                name: name.to_owned(),
                tag: variables
                    .required("JUJU_ACTION_TAG", "an action")?
                    .to_owned(),
                uuid: variables
                    .required("JUJU_ACTION_UUID", "an action")?
                    .to_owned(),
            })),
            Some("hooks") if !name.is_empty() => Self::from_hook(variables, name),
            _ => Err(missing("JUJU_DISPATCH_PATH", "every hook")),
        }
    }

    fn from_hook(variables: &Variables, hook: &str) -> Result<Self, ContextError> {
        let event = match hook {
            "install" => Self::Install,
            "start" => Self::Start,
            "stop" => Self::Stop,
            "remove" => Self::Remove,
            "config-changed" => Self::ConfigChanged,
            "update-status" => Self::UpdateStatus,
            "upgrade-charm" => Self::UpgradeCharm,
            "leader-elected" => Self::LeaderElected,
            _ => return Self::from_hook_of_one_thing(variables, hook),
        };
        Ok(event)
    }

    /// Hooks that are named after a relation, a secret, a container or a storage.
    fn from_hook_of_one_thing(variables: &Variables, hook: &str) -> Result<Self, ContextError> {
        if let Some(event) = relation_event(variables, hook)? {
            return Ok(Self::Relation(event));
        }
        if let Some(event) = secret_event(variables, hook)? {
            return Ok(Self::Secret(event));
        }
        if let Some(event) = pebble_event(variables, hook)? {
            return Ok(Self::Pebble(event));
        }
        if let Some(event) = storage_event(variables, hook)? {
            return Ok(Self::Storage(event));
        }
        Ok(Self::Unknown(hook.to_owned()))
    }
}

fn relation_event(
    variables: &Variables,
    hook: &str,
) -> Result<Option<RelationEvent>, ContextError> {
    let Some((endpoint, change)) = hook.rsplit_once("-relation-") else {
        return Ok(None);
    };
    let remote_unit = "JUJU_REMOTE_UNIT";
    let change = match change {
        "created" => RelationChange::Created,
        "joined" => RelationChange::Joined {
            unit: variables.parse(remote_unit, hook)?,
        },
        "changed" => RelationChange::Changed {
            unit: variables.parse_optional(remote_unit)?,
        },
        "departed" => RelationChange::Departed {
            unit: variables.parse(remote_unit, hook)?,
            departing: variables.parse_optional("JUJU_DEPARTING_UNIT")?,
        },
        "broken" => RelationChange::Broken,
        _ => return Ok(None),
    };
    let endpoint = variables.get("JUJU_RELATION").unwrap_or(endpoint);
    let endpoint = endpoint.parse().map_err(|source| ContextError::Invalid {
        variable: "JUJU_RELATION",
        source,
    })?;
    Ok(Some(RelationEvent {
        endpoint,
        id: variables.parse("JUJU_RELATION_ID", hook)?,
        remote_application: variables.parse_optional("JUJU_REMOTE_APP")?,
        change,
    }))
}

fn secret_event(variables: &Variables, hook: &str) -> Result<Option<SecretEvent>, ContextError> {
    let change = match hook {
        "secret-changed" => SecretChange::Changed,
        "secret-rotate" => SecretChange::Rotate,
        "secret-expired" => SecretChange::Expired {
            revision: secret_revision(variables, hook)?,
        },
        "secret-remove" => SecretChange::Remove {
            revision: secret_revision(variables, hook)?,
        },
        _ => return Ok(None),
    };
    Ok(Some(SecretEvent {
        id: variables.parse("JUJU_SECRET_ID", hook)?,
        label: variables.get("JUJU_SECRET_LABEL").map(str::to_owned),
        change,
    }))
}

fn secret_revision(variables: &Variables, hook: &str) -> Result<u32, ContextError> {
    let variable = "JUJU_SECRET_REVISION";
    let text = variables.required(variable, hook)?;
    text.parse().map_err(|_| ContextError::Invalid {
        variable,
        source: InvalidName {
            value: text.to_owned(),
            kind: "secret revision",
            rule: "a number",
        },
    })
}

fn pebble_event(variables: &Variables, hook: &str) -> Result<Option<PebbleEvent>, ContextError> {
    let Some((workload, notice)) = hook.rsplit_once("-pebble-") else {
        return Ok(None);
    };
    let required = |variable| variables.required(variable, hook).map(str::to_owned);
    let notice = match notice {
        "ready" => PebbleNotice::Ready,
        "custom-notice" => PebbleNotice::Custom {
            id: required("JUJU_NOTICE_ID")?,
            kind: required("JUJU_NOTICE_TYPE")?,
            key: required("JUJU_NOTICE_KEY")?,
        },
        "check-failed" => PebbleNotice::CheckFailed {
            check: required("JUJU_PEBBLE_CHECK_NAME")?,
        },
        "check-recovered" => PebbleNotice::CheckRecovered {
            check: required("JUJU_PEBBLE_CHECK_NAME")?,
        },
        _ => return Ok(None),
    };
    let workload = variables
        .get("JUJU_WORKLOAD_NAME")
        .unwrap_or(workload)
        .to_owned();
    Ok(Some(PebbleEvent { workload, notice }))
}

fn storage_event(variables: &Variables, hook: &str) -> Result<Option<StorageEvent>, ContextError> {
    let Some((name, change)) = hook.rsplit_once("-storage-") else {
        return Ok(None);
    };
    let change = match change {
        "attached" => StorageChange::Attached,
        "detaching" => StorageChange::Detaching,
        _ => return Ok(None),
    };
    Ok(Some(StorageEvent {
        name: name.to_owned(),
        id: variables.required("JUJU_STORAGE_ID", hook)?.to_owned(),
        location: variables.get("JUJU_STORAGE_LOCATION").map(str::to_owned),
        kind: variables.get("JUJU_STORAGE_KIND").map(str::to_owned),
        change,
    }))
}

impl fmt::Display for Event {
    /// The hook's name as Juju writes it, or `action <name>`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Install => formatter.write_str("install"),
            Self::Start => formatter.write_str("start"),
            Self::Stop => formatter.write_str("stop"),
            Self::Remove => formatter.write_str("remove"),
            Self::ConfigChanged => formatter.write_str("config-changed"),
            Self::UpdateStatus => formatter.write_str("update-status"),
            Self::UpgradeCharm => formatter.write_str("upgrade-charm"),
            Self::LeaderElected => formatter.write_str("leader-elected"),
            Self::Relation(event) => {
                let change = match event.change {
                    RelationChange::Created => "created",
                    RelationChange::Joined { .. } => "joined",
                    RelationChange::Changed { .. } => "changed",
                    RelationChange::Departed { .. } => "departed",
                    RelationChange::Broken => "broken",
                };
                write!(formatter, "{}-relation-{change}", event.endpoint)
            }
            Self::Secret(event) => formatter.write_str(match event.change {
                SecretChange::Changed => "secret-changed",
                SecretChange::Rotate => "secret-rotate",
                SecretChange::Expired { .. } => "secret-expired",
                SecretChange::Remove { .. } => "secret-remove",
            }),
            Self::Action(event) => write!(formatter, "action {}", event.name),
            Self::Pebble(event) => {
                let notice = match event.notice {
                    PebbleNotice::Ready => "ready",
                    PebbleNotice::Custom { .. } => "custom-notice",
                    PebbleNotice::CheckFailed { .. } => "check-failed",
                    PebbleNotice::CheckRecovered { .. } => "check-recovered",
                };
                write!(formatter, "{}-pebble-{notice}", event.workload)
            }
            Self::Storage(event) => {
                let change = match event.change {
                    StorageChange::Attached => "attached",
                    StorageChange::Detaching => "detaching",
                };
                write!(formatter, "{}-storage-{change}", event.name)
            }
            Self::Unknown(name) => formatter.write_str(name),
        }
    }
}

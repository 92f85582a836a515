//! The events that Juju runs a charm for.

mod parse;

use std::fmt;

use crate::names::{ApplicationName, Endpoint, RelationId, SecretId, UnitName};

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
        /// The remote unit that has left this unit's view.
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
    /// The owner has to make a new revision because it is time to rotate.
    Rotate,
    /// The owner has to make a new revision because one expired.
    Expired {
        /// The revision that expired.
        revision: u32,
    },
    /// The owner may remove a revision that nobody uses any more.
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
    /// A check has failed as many times as its threshold allows.
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

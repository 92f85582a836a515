//! Hooks and actions: what a unit's agent runs, and how they are named.

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(crate) mod environment;
pub(crate) mod resolver;

/// The relation events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum RelationEvent {
    Created,
    Joined,
    Changed,
    Departed,
    Broken,
}

impl RelationEvent {
    fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Joined => "joined",
            Self::Changed => "changed",
            Self::Departed => "departed",
            Self::Broken => "broken",
        }
    }
}

/// A relation hook with what its environment says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RelationHook {
    pub(crate) event: RelationEvent,
    pub(crate) relation: u32,
    pub(crate) endpoint: String,
    pub(crate) remote_application: String,
    /// `None` in created, broken, and in a change of the remote application's bag.
    pub(crate) remote_unit: Option<String>,
    pub(crate) departing_unit: Option<String>,
    /// The version of the bag that this hook reports.
    pub(crate) version: u64,
}

/// One thing for `dispatch` to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Hook {
    Install,
    LeaderElected,
    ConfigChanged,
    Start,
    UpdateStatus,
    UpgradeCharm,
    /// The pod is replaced, the unit stays: only `stop` runs.
    PodStop,
    Stop,
    Remove,
    Relation(RelationHook),
    SecretChanged {
        id: String,
        label: String,
        revision: u64,
    },
    Action {
        name: String,
        id: u32,
        parameters: Value,
    },
}

impl Hook {
    /// The name as in `JUJU_DISPATCH_PATH` after the slash.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Install => "install".into(),
            Self::LeaderElected => "leader-elected".into(),
            Self::ConfigChanged => "config-changed".into(),
            Self::Start => "start".into(),
            Self::UpdateStatus => "update-status".into(),
            Self::UpgradeCharm => "upgrade-charm".into(),
            Self::PodStop | Self::Stop => "stop".into(),
            Self::Remove => "remove".into(),
            Self::Relation(hook) => format!("{}-relation-{}", hook.endpoint, hook.event.name()),
            Self::SecretChanged { .. } => "secret-changed".into(),
            Self::Action { name, .. } => name.clone(),
        }
    }

    pub(crate) fn is_action(&self) -> bool {
        matches!(self, Self::Action { .. })
    }

    /// `hooks/NAME` or `actions/NAME`.
    pub(crate) fn dispatch_path(&self) -> String {
        let folder = if self.is_action() { "actions" } else { "hooks" };
        format!("{folder}/{}", self.name())
    }

    pub(crate) fn relation(&self) -> Option<&RelationHook> {
        match self {
            Self::Relation(hook) => Some(hook),
            _ => None,
        }
    }
}

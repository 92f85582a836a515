//! What has to happen before a reconcile is done.

use std::fmt;

use crate::cni::acknowledgement::Holding;
use crate::istio::names;
use crate::k8s::object::ObjectId;
use crate::k8s::rollout::{Counts, NOT_BEGUN};
use crate::text::{LONGEST_IN_STATUS, shorten, up_to_three};

/// Something that has to happen before a reconcile is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Awaited {
    /// The API server serves a definition.
    Definition(String),
    /// istiod becomes ready.
    Istiod {
        /// How far it is.
        progress: IstiodProgress,
        /// Why it is not further, if that is known.
        reason: Option<String>,
    },
    /// The node agent's DaemonSet is created.
    AgentCreation,
    /// The node agent becomes ready on the nodes.
    AgentRollout {
        /// The number of nodes on which it is ready.
        ready: u32,
        /// The number of nodes on which it should be ready.
        desired: u32,
        /// Why it is not further, if that is known.
        reason: Option<String>,
    },
    /// The injection configuration goes back to `istio-init`.
    InjectionChange,
    /// An istiod takes up the injection configuration.
    Acknowledgement(Holding),
    /// Pods get past `istio-validation`, or are deleted.
    PodsInNeed {
        /// Their namespaces and names.
        pods: Vec<String>,
        /// What holds up the first of them.
        reason: String,
    },
    /// Pods that were injected just before the change appear.
    Stragglers,
    /// The node agent's pods end.
    AgentRemoval {
        /// How many of its pods remain.
        remaining: usize,
    },
    /// Objects that are being deleted disappear.
    Deletion(Vec<ObjectId>),
    /// Something else stops changing an object as soon as this charm has applied it.
    Contested {
        /// The object.
        id: ObjectId,
        /// The path of the first field that it changes.
        field: String,
        /// The field manager that changed the object last; `None` when nothing is stored of it, as
        /// the change is made on the way.
        by: Option<String>,
    },
}

/// How far istiod is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IstiodProgress {
    /// It does not exist.
    Missing,
    /// Its controller has not seen the newest specification.
    NotBegun,
    /// Some of its pods are ready.
    Counted(Counts),
}

impl fmt::Display for IstiodProgress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => formatter.write_str("not created yet"),
            Self::NotBegun => formatter.write_str(NOT_BEGUN),
            Self::Counted(counts) => {
                write!(formatter, "{}/{} ready", counts.ready(), counts.wanted)
            }
        }
    }
}

impl Awaited {
    /// What is awaited, and how far it is.
    pub fn progress(&self) -> String {
        match self {
            Self::Definition(name) => format!("{name} not established yet"),
            Self::Istiod { progress, .. } => format!("{} {progress}", names::ISTIOD),
            Self::AgentCreation => format!("{} is not created yet", names::NODE_AGENT),
            Self::AgentRollout { ready, desired, .. } => {
                format!("{} {ready}/{desired} nodes", names::NODE_AGENT)
            }
            Self::InjectionChange => "the injection configuration changes".to_owned(),
            Self::Acknowledgement(holding) => holding.to_string(),
            Self::PodsInNeed { pods, .. } => format!(
                "pods that still need the CNI node agent: {}",
                up_to_three(pods)
            ),
            Self::Stragglers => {
                "looking once more for pods that need the CNI node agent".to_owned()
            }
            Self::AgentRemoval { remaining } => {
                format!("removing {} ({remaining} pods left)", names::NODE_AGENT)
            }
            Self::Deletion(ids) => {
                format!(
                    "deleting {}",
                    up_to_three(ids.iter().map(ToString::to_string))
                )
            }
            Self::Contested { id, field, .. } => {
                format!("{id}: something else keeps changing {field}, and has to stop")
            }
        }
    }

    /// Why it is not further, if that is known.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Contested { by, .. } => Some(
                by.as_deref()
                    .unwrap_or("a webhook or policy of this cluster"),
            ),
            Self::Istiod { reason, .. } | Self::AgentRollout { reason, .. } => reason.as_deref(),
            Self::PodsInNeed { reason, .. } => Some(reason),
            Self::Definition(_)
            | Self::AgentCreation
            | Self::InjectionChange
            | Self::Acknowledgement(_)
            | Self::Stragglers
            | Self::AgentRemoval { .. }
            | Self::Deletion(_) => None,
        }
    }
}

impl Awaited {
    /// Whether it is an istiod that does not exist.
    pub(super) fn is_missing(&self) -> bool {
        let missing = IstiodProgress::Missing;
        matches!(self, Self::Istiod { progress, .. } if *progress == missing)
    }

    /// Whether only a person can bring it about, so that there is no use in waiting.
    pub fn is_up_to_a_person(&self) -> bool {
        matches!(self, Self::Contested { .. })
    }
}

/// Progress and reason, as a status shows them.
impl fmt::Display for Awaited {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.progress())?;
        match self.reason() {
            Some(reason) => write!(formatter, " ({})", shorten(reason, LONGEST_IN_STATUS)),
            None => Ok(()),
        }
    }
}

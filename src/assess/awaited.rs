//! What has to happen before a reconcile is done.

use std::collections::BTreeSet;
use std::fmt;

use crate::cni::acknowledgement::Holding;
use crate::cni::stragglers::SlowestWebhook;
use crate::istio::names;
use crate::k8s::admission::PodRefusal;
use crate::k8s::managed_fields::ON_THE_WAY;
use crate::k8s::object::{Object, ObjectId};
use crate::k8s::rollout::{Counts, NOT_BEGUN};
use crate::observed::Observed;
use crate::text::{LONGEST_IN_STATUS, counted, shorten, up_to_three};

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
        /// Why the cluster refuses its pods, where a person has to change something.
        refusal: Option<PodRefusal>,
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
    /// The control planes of these istiods no longer rely on our node agent.
    OtherControlPlanes(Vec<ObjectId>),
    /// Pods get past `istio-validation`, or are deleted.
    PodsInNeed {
        /// Their namespaces and names.
        pods: Vec<String>,
        /// What holds up the first of them.
        reason: String,
    },
    /// Pods that were injected just before the change appear, however long this webhook holds them.
    Stragglers(SlowestWebhook),
    /// Nodes with the node agent that are not Ready come back, or are deleted.
    NodesAway {
        /// The nodes.
        nodes: BTreeSet<String>,
        /// What stays until then, in words.
        stays: &'static str,
    },
    /// The node agent's pods end.
    AgentRemoval {
        /// How many of its pods remain, if that is known.
        remaining: Option<usize>,
        /// Nodes that are not Ready and keep such a pod.
        away: BTreeSet<String>,
        /// What keeps the DaemonSet itself.
        finalizers: Vec<String>,
    },
    /// Objects that are being deleted disappear.
    Deletion {
        /// The objects.
        ids: Vec<ObjectId>,
        /// What keeps them.
        finalizers: Vec<String>,
    },
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
    /// Somebody has set it to 0 replicas.
    ScaledToZero,
    /// Somebody has paused its rollout.
    Paused,
    /// Some of its pods are ready.
    Counted(Counts),
}

impl fmt::Display for IstiodProgress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => formatter.write_str("not created yet"),
            Self::NotBegun => formatter.write_str(NOT_BEGUN),
            Self::ScaledToZero => formatter.write_str("has 0 replicas, so no pod is injected"),
            Self::Paused => formatter.write_str("is paused"),
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
            Self::OtherControlPlanes(istiods) => format!(
                "the CNI node agent stays, as it serves {} too",
                up_to_three(istiods.iter().map(ToString::to_string))
            ),
            Self::PodsInNeed { pods, .. } => format!(
                "pods that still need the CNI node agent: {}",
                up_to_three(pods)
            ),
            Self::Stragglers(SlowestWebhook { name: None, .. }) => {
                "looking once more for pods that need the CNI node agent".to_owned()
            }
            Self::Stragglers(SlowestWebhook {
                name: Some(name),
                timeout,
            }) => format!(
                "looking for pods that the webhook {name} may hold for up to {} s",
                timeout.as_secs()
            ),
            Self::NodesAway { nodes, stays } => {
                format!("{stays}, as {} not Ready", are(nodes))
            }
            Self::AgentRemoval {
                remaining: None | Some(0),
                ..
            } => format!("removing {}", names::NODE_AGENT),
            Self::AgentRemoval {
                remaining: Some(remaining),
                ..
            } => format!(
                "removing {}, {} left",
                names::NODE_AGENT,
                counted(*remaining, "pod")
            ),
            Self::Deletion { ids, .. } => {
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

    /// Why it is not further and what helps, if that is known.
    pub fn reason(&self) -> Option<String> {
        match self {
            Self::Istiod { reason, .. } | Self::AgentRollout { reason, .. } => reason.clone(),
            Self::PodsInNeed { reason, .. } => Some(reason.clone()),
            Self::OtherControlPlanes(_) => {
                Some("switch their CNI off first: pilot.cni.enabled=false".to_owned())
            }
            Self::NodesAway { nodes, .. } => Some(bring_back(nodes)),
            Self::AgentRemoval {
                away, finalizers, ..
            } => {
                let away = (!away.is_empty())
                    .then(|| format!("{} not Ready; {}", are(away), bring_back(away)));
                away.or_else(|| kept_by(finalizers))
            }
            Self::Deletion { finalizers, .. } => kept_by(finalizers),
            Self::Contested { by, .. } => Some(by.as_deref().unwrap_or(ON_THE_WAY).to_owned()),
            Self::Definition(_)
            | Self::AgentCreation
            | Self::InjectionChange
            | Self::Acknowledgement(_)
            | Self::Stragglers(_) => None,
        }
    }
}

fn are(nodes: &BTreeSet<String>) -> String {
    let verb = if nodes.len() == 1 { "is" } else { "are" };
    format!("{} {verb}", up_to_three(nodes))
}

fn bring_back(nodes: &BTreeSet<String>) -> String {
    let first = nodes.first().map(String::as_str).unwrap_or_default();
    let them = if nodes.len() == 1 { "it" } else { "them" };
    format!("bring {them} back, or: kubectl delete node {first}")
}

fn kept_by(finalizers: &[String]) -> Option<String> {
    let noun = if finalizers.len() == 1 {
        "the finalizer"
    } else {
        "the finalizers"
    };
    (!finalizers.is_empty()).then(|| {
        format!(
            "kept by {noun} {}: what set it has to take it off",
            up_to_three(finalizers)
        )
    })
}

impl Awaited {
    /// The end of these objects, if there are any.
    pub(super) fn deletion(ids: Vec<ObjectId>, observed: &Observed) -> Option<Self> {
        let live = ids.iter().filter_map(|id| observed.live.get(id));
        let finalizers: BTreeSet<&str> = live.flat_map(Object::finalizers).collect();
        let finalizers = finalizers.into_iter().map(str::to_owned).collect();
        (!ids.is_empty()).then_some(Self::Deletion { ids, finalizers })
    }

    /// Whether a node that comes back, or goes for good, brings it about.
    pub(super) fn depends_on_nodes(&self) -> bool {
        match self {
            Self::NodesAway { .. } => true,
            Self::AgentRemoval { away, .. } => !away.is_empty(),
            _ => false,
        }
    }

    /// Whether it is an istiod that does not exist.
    pub(super) fn is_missing(&self) -> bool {
        let missing = IstiodProgress::Missing;
        matches!(self, Self::Istiod { progress, .. } if *progress == missing)
    }

    /// Whether only a person can bring it about, so that there is no use in waiting. Where pods are
    /// refused that is certain only after a while: what refuses them may just have been changed.
    pub fn is_up_to_a_person(&self, takes_long: bool) -> bool {
        match self {
            Self::Contested { .. } | Self::OtherControlPlanes(_) => true,
            Self::Istiod {
                progress, refusal, ..
            } => {
                let stopped = [IstiodProgress::ScaledToZero, IstiodProgress::Paused];
                stopped.contains(progress) || (takes_long && refusal.is_some())
            }
            _ => false,
        }
    }
}

/// Progress and reason, as a status shows them.
impl fmt::Display for Awaited {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.progress())?;
        match self.reason() {
            Some(reason) => write!(formatter, " ({})", shorten(&reason, LONGEST_IN_STATUS)),
            None => Ok(()),
        }
    }
}

//! The conditions that a hook ends with.

use crate::assess::awaited::Awaited;
use crate::assess::upgrade::TooFar;
use crate::cluster::error::{ClusterError, FailureKind};
use crate::cni::Phase;
use crate::cni::rollout::AgentFault;
use crate::observed::attempts::Refusal;
use crate::plan::Obstacle;

/// One thing to say about the control plane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Everything is as asked.
    Settled {
        /// While the CNI is on: the number of nodes on which the node agent is ready, and the
        /// number of all its nodes.
        ready_nodes: Option<(u32, u32)>,
    },
    /// An object of others is in the way.
    InTheWay(Obstacle),
    /// This charm's Istio must not follow the one that is installed.
    TooFar(TooFar),
    /// The node agent cannot start until a person does something.
    AgentFault(AgentFault, Phase),
    /// The time was over before this happened.
    StillWaiting(Awaited),
    /// This unit is not the leader, or no longer is.
    Standby,
    /// The cluster cannot be reached; the text says what is missing.
    Unreachable(String),
    /// The cluster refused a request, or did not answer; the text names the operation and the
    /// object.
    Refused(FailureKind, String),
}

impl From<Refusal> for Condition {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal.kind, refusal.text)
    }
}

impl From<&ClusterError> for Condition {
    fn from(error: &ClusterError) -> Self {
        Self::Refused(error.kind().clone(), error.to_string())
    }
}

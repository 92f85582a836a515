//! How it stands when a hook ends.

use crate::assess::awaited::Awaited;
use crate::cluster::error::{ClusterError, FailureKind};
use crate::cni::Phase;
use crate::cni::rollout::AgentFault;
use crate::plan::Obstacle;

/// One thing to say about the control plane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// All is as asked.
    Settled {
        /// With the CNI on: on how many nodes the node agent is ready, and of how many.
        ready_nodes: Option<(u32, u32)>,
    },
    /// Objects of others stand in the way.
    InTheWay(Obstacle),
    /// The node agent cannot start until a person does something.
    AgentFault(AgentFault, Phase),
    /// Not done in time.
    StillWaiting(Awaited),
    /// This unit is not the leader, or no longer.
    Standby,
    /// There is no way to the cluster; the text says what is missing.
    Unreachable(String),
    /// The cluster refused, or did not answer; the text says what to which object.
    Refused(FailureKind, String),
}

impl From<&ClusterError> for Condition {
    fn from(error: &ClusterError) -> Self {
        Self::Refused(error.kind().clone(), error.to_string())
    }
}

//! What was read of a cluster, and can be watched from then on.

use crate::k8s::kind::Kind;

/// A collection of objects that a reconcile reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Collection {
    /// Objects of one of [`crate::k8s::kind::KINDS`].
    Kind(Kind),
    /// Pods of our istiods.
    Istiods,
    /// Pods of our node agent.
    Agents,
    /// Nodes.
    Nodes,
    /// Warnings in our namespace.
    Warnings,
    /// Pods anywhere that have not started yet.
    Pending,
}

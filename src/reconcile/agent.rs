//! What the cluster tells of the node agent when it is asked.

use std::collections::BTreeSet;

use futures::future::join_all;

use super::Reconciler;
use super::apply::resource_version;
use super::look::Look;
use crate::cluster::error::ClusterError;
use crate::cluster::write::{Mode, OnConflict};
use crate::cni::Phase;
use crate::cni::rollout::{Fault, waits_for_configuration};
use crate::decide::{self, Wanted};
use crate::plan::adoption::adopted_managed_fields;
use crate::snapshot::Snapshot;

/// The container of the node agent's pods.
const AGENT_CONTAINER: &str = "install-cni";
/// Of how many node agents the log is read at once.
const MOST_LOGS: usize = 10;
impl Reconciler<'_> {
    /// Whether the live node agent may stay while its objects are applied.
    ///
    /// Where a webhook of the cluster changes the pod template, as one that rewrites images does, the
    /// template is never the one wanted; then the server tells what applying would make of it.
    pub(super) async fn needs_no_new_pods(
        &mut self,
        wanted: &Wanted,
        snapshot: &Snapshot,
    ) -> Result<bool, ClusterError> {
        let (Some(wanted), Some(live)) = (
            wanted.daemon_set(),
            snapshot.daemon_set(&self.settings.namespace),
        ) else {
            return Ok(false);
        };
        if decide::fits(wanted, live) {
            return Ok(true);
        }
        // Fields of a tool that is replaced go only later, and may be what makes the two equal now.
        if adopted_managed_fields(live).is_some() {
            return Ok(false);
        }
        let version = resource_version(live).unwrap_or_default();
        if let Some((known, fits)) = &self.unchanged_template
            && *known == version
        {
            return Ok(*fits);
        }
        let applied = self
            .cluster
            .apply(wanted, Mode::DryRun, OnConflict::Take)
            .await;
        let fits = match applied {
            Ok(applied) => decide::has_same_template(&applied, live),
            Err(error) if error.is_transient() => return Err(error),
            // Whatever is wrong is told when it is applied.
            Err(_) => false,
        };
        self.unchanged_template = Some((version, fits));
        Ok(fits)
    }

    /// What the node agents' logs say when it takes long; one that cannot be read says nothing.
    pub(super) async fn fault_in_logs(&self, look: &Look) -> Option<Fault> {
        if look.phase != Phase::RollingOut || !self.patience.is_long() {
            return None;
        }
        let running = &look.rollout.as_ref()?.running;
        let asked = running
            .iter()
            .take(MOST_LOGS)
            .map(|(node, pod)| async move {
                let log = self.cluster.last_lines(pod, AGENT_CONTAINER, 20).await;
                log.is_ok_and(|it| waits_for_configuration(&it))
                    .then(|| node.clone())
            });
        let nodes: BTreeSet<String> = join_all(asked).await.into_iter().flatten().collect();
        (!nodes.is_empty()).then_some(Fault::NoConfiguration { nodes })
    }
}

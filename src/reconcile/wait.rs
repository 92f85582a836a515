//! Waits for the cluster to change.

use std::time::Duration;

use crate::cluster::Cluster;
use crate::cluster::watch::Watched;
use crate::step::journal::BURST;

/// Waits until something changes in one of the collections, but no longer than `longest`.
pub(super) async fn until_changed(cluster: &Cluster, watched: &[Watched], longest: Duration) {
    let changed = cluster.wait_for_change(watched);
    // Changes come in bursts, so the rest of a burst is waited for.
    if tokio::time::timeout(longest, changed).await.is_ok() {
        tokio::time::sleep(BURST).await;
    }
}

//! Waits for the cluster to change.

use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout};

use crate::cluster::Cluster;
use crate::cluster::watch::Watched;
use crate::step::Wait;
use crate::step::journal::BURST;

/// How soon the cluster is looked at again at the earliest, unless it is polled.
const SHORTEST: Duration = Duration::from_secs(1);

/// Waits until something changes in one of the collections, but no longer than the step says.
///
/// On a large cluster something changes all the time, and a look costs much. So the next look is as
/// far away as the last one took long, and a second at least.
pub(super) async fn until_changed(
    cluster: &Cluster,
    watched: &[Watched],
    wait: &Wait,
    look: Duration,
) {
    let earliest = Instant::now() + look.max(SHORTEST).min(wait.pause);
    let changed = cluster.wait_for_change(watched);
    if timeout(wait.pause, changed).await.is_ok() {
        // Changes come in bursts, so the rest of a burst is waited for.
        sleep_until(earliest.max(Instant::now() + BURST)).await;
    }
}

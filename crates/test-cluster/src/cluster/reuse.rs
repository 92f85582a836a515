//! Clusters that serve one test after the other: to start one takes the API server longer than most
//! tests take.
//!
//! Between two tests everything that etcd holds is made what it was, and the programs learn that from
//! their watches, as they learn everything.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Result, bail};

use super::{TestCluster, wait_until};
use crate::Options;

/// The clusters of this process that may serve again.
static CLUSTERS: Mutex<Vec<Reusable>> = Mutex::new(Vec::new());

/// What is written all the time, and means nothing to a test.
const PASSING: [&str; 3] = [
    "/registry/events/",
    "/registry/leases/",
    "/registry/masterleases/",
];

/// How long nothing may change before a cluster counts as quiet.
const QUIET: Duration = Duration::from_millis(250);

struct Reusable {
    options: Options,
    /// The cluster. It is free when nobody else holds it.
    cluster: Arc<TestCluster>,
    at_first: Stored,
}

/// What etcd holds, by key.
type Stored = BTreeMap<String, Vec<u8>>;

impl TestCluster {
    /// A cluster as [`TestCluster::start`] gives one, which may have served another test of this
    /// process before. It serves the next one when nobody holds it any more, and ends with the
    /// process.
    ///
    /// # Errors
    /// As [`TestCluster::start`].
    pub fn reused(options: &Options) -> Result<Arc<Self>> {
        while let Some(Reusable {
            cluster, at_first, ..
        }) = take_free(options)
        {
            // One that cannot be mended ends here.
            if cluster.reset(&at_first).is_ok() {
                return Ok(lend(options, cluster, at_first));
            }
        }
        let cluster = Self::start(options)?;
        let at_first = wait_until("the cluster is quiet", || {
            let before = cluster.lasting()?;
            thread::sleep(QUIET);
            Ok((cluster.lasting()? == before).then_some(before))
        })?;
        Ok(lend(options, Arc::new(cluster), at_first))
    }

    /// Makes the cluster what it was when it started.
    fn reset(&self, at_first: &Stored) -> Result<()> {
        self.must_be_alone()?;
        let mut was_same = false;
        for _ in 0..40 {
            let is_same = self.put_back(at_first)?;
            if is_same && was_same && self.is_settled()? {
                return self.forget_requests();
            }
            was_same = is_same;
            thread::sleep(QUIET / 2);
        }
        bail!("the cluster does not stay what it was");
    }

    /// Takes away what came, and puts back what went or was changed. Returns whether there was
    /// nothing to do.
    fn put_back(&self, at_first: &Stored) -> Result<bool> {
        let now = self.lasting()?;
        let came = now.keys().filter(|key| !at_first.contains_key(*key));
        let went = at_first
            .iter()
            .filter(|(key, value)| now.get(*key) != Some(value));
        let mut is_same = true;
        for key in came {
            self.delete_stored(key)?;
            is_same = false;
        }
        for (key, value) in went {
            self.store(key, value)?;
            is_same = false;
        }
        Ok(is_same)
    }

    fn lasting(&self) -> Result<Stored> {
        let mut stored = self.everything_stored()?;
        stored.retain(|key, _| !PASSING.iter().any(|it| key.starts_with(it)));
        Ok(stored)
    }
}

/// A cluster with these options that nobody holds, which no other test gets then.
fn take_free(options: &Options) -> Option<Reusable> {
    let mut clusters = CLUSTERS.lock().unwrap_or_else(PoisonError::into_inner);
    let is_free = |it: &Reusable| it.options == *options && Arc::strong_count(&it.cluster) == 1;
    let place = clusters.iter().position(is_free)?;
    Some(clusters.swap_remove(place))
}

fn lend(options: &Options, cluster: Arc<TestCluster>, at_first: Stored) -> Arc<TestCluster> {
    let mut clusters = CLUSTERS.lock().unwrap_or_else(PoisonError::into_inner);
    clusters.push(Reusable {
        options: options.clone(),
        cluster: Arc::clone(&cluster),
        at_first,
    });
    cluster
}

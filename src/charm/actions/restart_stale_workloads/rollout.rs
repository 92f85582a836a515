//! Restarts one workload, and waits until it is back.

use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::jiff::Timestamp;
use tokio::time::{Instant, sleep, timeout_at};

use crate::cluster::error::ClusterError;
use crate::cluster::list::{Listing, Part};
use crate::cluster::watch::Watched;
use crate::cluster::{Cluster, Scope, Selector};
use crate::k8s::kind::{self, Kind};
use crate::k8s::object::{Object, ObjectId};
use crate::k8s::rollout::{NOT_BEGUN, Progress, is_restarted, progress, refusal};
use crate::k8s::selector::pod_selector;
use crate::k8s::{pod, slim};
use crate::stale::workload::{Restart, Workload};
use crate::step::deadlines::Timeouts;

/// How long to wait before repeating a request that was not answered.
const AGAIN: Duration = Duration::from_secs(1);

/// The outcome of one restart.
pub(super) enum Outcome {
    /// All pods are new and available.
    Back,
    /// The workload is gone.
    Gone,
    /// Something has set the pods' template back.
    Undone,
    /// The workload is not back; the text says how far it is and why.
    Late(String),
}

/// Restarts a workload and waits until it is back, as long as its rollout moves. It is late when
/// nothing has moved for [`Timeouts::switching`], or for its own progress deadline.
///
/// # Errors
/// When the server does not answer or refuses.
pub(super) async fn restart(
    cluster: &Cluster,
    workload: &Workload,
    timeouts: Timeouts,
) -> Result<Outcome, ClusterError> {
    let ObjectId {
        namespace, name, ..
    } = &workload.id;
    let (Restart::Rollout(kind), Some(namespace)) = (workload.restart, namespace) else {
        return Ok(Outcome::Late(workload.restart.to_string()));
    };
    let rollout = Rollout {
        cluster,
        kind,
        namespace,
        fields: format!("metadata.name={name}"),
        at: Timestamp::now(),
    };
    let at = rollout.at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    match cluster.restart(&kind, namespace, name, &at).await {
        Err(error) if error.is_not_found() => Ok(Outcome::Gone),
        Err(error) => Err(error),
        Ok(()) => rollout.come_back(timeouts.switching).await,
    }
}

struct Rollout<'a> {
    cluster: &'a Cluster,
    kind: Kind,
    namespace: &'a str,
    /// The field selector of the workload.
    fields: String,
    at: Timestamp,
}

impl Rollout<'_> {
    async fn come_back(&self, longest: Duration) -> Result<Outcome, ClusterError> {
        let mut until = Instant::now() + longest;
        let mut best = i64::MIN;
        loop {
            let listing = match self.read().await {
                Err(error) if error.is_transient() && Instant::now() < until => {
                    sleep(AGAIN).await;
                    continue;
                }
                other => other?,
            };
            let Some(live) = listing.items.first() else {
                return Ok(Outcome::Gone);
            };
            if !is_restarted(live, self.at) {
                return Ok(Outcome::Undone);
            }
            let (text, score) = match progress(live) {
                Progress::Done => return Ok(Outcome::Back),
                Progress::Stuck(_, why) => return Ok(self.late(live, &why).await),
                Progress::NotBegun => (NOT_BEGUN.to_owned(), i64::MIN),
                Progress::Moving(counts) => (counts.to_string(), counts.score()),
            };
            // A pod that fails and recovers again and again is not progress.
            if score > best {
                best = score;
                until = Instant::now() + longest;
            }
            if Instant::now() >= until {
                return Ok(self.late(live, &text).await);
            }
            let watched = Watched::new(
                &self.kind,
                self.scope(),
                self.selector(),
                listing.resource_version,
            );
            // The next read shows whether something has changed.
            let _ = timeout_at(until, self.cluster.wait_for_change(&[watched])).await;
        }
    }

    fn scope(&self) -> Scope<'_> {
        Scope::Namespace(self.namespace)
    }

    /// Selects the workload alone.
    fn selector(&self) -> Selector<'_> {
        Selector::of_fields(&self.fields)
    }

    async fn read(&self) -> Result<Listing<Object>, ClusterError> {
        self.cluster
            .list(&self.kind, self.scope(), self.selector())
            .await
    }

    /// The outcome of a late workload: how far it is, and what holds it up.
    async fn late(&self, live: &Object, progress: &str) -> Outcome {
        match self.reason(live).await {
            Ok(Some(why)) => Outcome::Late(format!("{progress} ({why})")),
            Ok(None) => Outcome::Late(progress.to_owned()),
            Err(error) => {
                tracing::warn!(%error, "cannot find out why");
                Outcome::Late(progress.to_owned())
            }
        }
    }

    /// Why the newest pod that is not ready is not.
    async fn reason(&self, live: &Object) -> Result<Option<String>, ClusterError> {
        if let Some(refusal) = refusal(live) {
            return Ok(Some(refusal));
        }
        let Some(labels) = pod_selector(live) else {
            return Ok(None);
        };
        let scope = self.scope();
        let pods = Selector::of_labels(&labels);
        let found = self
            .cluster
            .list_kept(&kind::POD, scope, pods, Part::Whole, |pod: Pod| {
                let is_unready = pod.metadata.deletion_timestamp.is_none() && !pod::is_ready(&pod);
                is_unready.then(|| slim::pod(pod))
            })
            .await?;
        let unready = found.items.iter();
        let Some(pod) = unready.max_by_key(|it| it.metadata.creation_timestamp.clone()) else {
            return Ok(None);
        };
        let warnings = Selector::of_fields("type=Warning");
        let events = self
            .cluster
            .list_kept(&kind::EVENT, scope, warnings, Part::Whole, |it| {
                Some(slim::event(it))
            })
            .await?;
        let name = pod.metadata.name.as_deref().unwrap_or_default();
        let why = pod::why_not_ready(pod, &events.items);
        Ok(Some(format!("{name}: {why}")))
    }
}

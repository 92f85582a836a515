//! Waiting until no pod needs the node agent any more.

use std::time::Duration;

use futures::future::join_all;
use k8s_openapi::api::core::v1::Pod;
use tokio::time::Instant;

use super::observe::Reading;
use crate::cluster::Cluster;
use crate::cluster::error::ClusterError;
use crate::cni::acknowledgement::{WEBHOOK_PATH, WEBHOOK_PORT, answer, question};
use crate::cni::drain::{needs_agent, pod_name};
use crate::control_plane::Injection;
use crate::decide::Awaited;
use crate::pods;

/// How long one istiod may take to answer.
const ANSWER: Duration = Duration::from_secs(2);
/// After how long without any answer the switch goes on: with the webhook's policy `Fail`,
/// nothing is being injected then.
const SILENCE: Duration = Duration::from_secs(10);
/// How long a pod that was injected just before may take to appear.
const STRAGGLERS: Duration = Duration::from_secs(1);
/// How long to wait before asking again.
const AGAIN: Duration = Duration::from_millis(200);

/// How far the draining is, within this hook.
#[derive(Debug, Default)]
pub(super) struct Drain {
    asking_since: Option<Instant>,
    answered: bool,
    acknowledged_at: Option<Instant>,
    poll: Option<Duration>,
}

/// The answer of one look.
#[derive(Debug)]
pub(super) enum DrainProgress {
    /// No pod needs the node agent.
    Done,
    /// What holds.
    Waiting(Vec<Awaited>),
}

impl Drain {
    /// How soon to look again, where no watch would tell.
    pub(super) fn poll(&self) -> Option<Duration> {
        self.poll
    }

    /// Asks every ready istiod, then looks for pods that still wait for `istio-validation`.
    pub(super) async fn progress(
        &mut self,
        cluster: &Cluster,
        reading: &mut Reading,
    ) -> Result<DrainProgress, ClusterError> {
        self.poll = Some(AGAIN);
        if self.acknowledged_at.is_none() {
            let holding = self.ask(cluster, &reading.snapshot.istiods).await?;
            if !holding.is_empty() {
                return Ok(DrainProgress::Waiting(holding));
            }
        }
        let acknowledged = *self.acknowledged_at.get_or_insert_with(Instant::now);
        let pending = reading.pending_pods(cluster).await?;
        let needing: Vec<&Pod> = pending.iter().filter(|pod| needs_agent(pod)).collect();
        if !needing.is_empty() {
            self.poll = None;
            return Ok(DrainProgress::Waiting(vec![still_needed_by(&needing)]));
        }
        if acknowledged.elapsed() < STRAGGLERS {
            let progress = "looking once more for pods that need the CNI node agent".to_owned();
            return Ok(DrainProgress::Waiting(vec![Awaited {
                progress,
                reason: None,
            }]));
        }
        self.poll = None;
        Ok(DrainProgress::Done)
    }

    /// What the istiods still hold; nothing when all have taken the change up, or none answers.
    async fn ask(
        &mut self,
        cluster: &Cluster,
        istiods: &[Pod],
    ) -> Result<Vec<Awaited>, ClusterError> {
        let asking_since = *self.asking_since.get_or_insert_with(Instant::now);
        let ready = istiods
            .iter()
            .filter(|pod| pods::is_ready(pod) && pod.metadata.deletion_timestamp.is_none());
        let names: Vec<&str> = ready
            .filter_map(|pod| pod.metadata.name.as_deref())
            .collect();
        let answers = join_all(names.iter().map(|name| ask_one(cluster, name))).await;
        let mut holding = Vec::new();
        for (name, answer) in names.iter().zip(answers) {
            match answer? {
                Some(Injection::IstioInit) => self.answered = true,
                Some(Injection::IstioValidation) => {
                    self.answered = true;
                    let progress = format!("{name} has not taken up the change yet");
                    holding.push(Awaited {
                        progress,
                        reason: None,
                    });
                }
                None => {
                    let progress = format!("{name} does not tell what it injects");
                    holding.push(Awaited {
                        progress,
                        reason: None,
                    });
                }
            }
        }
        if self.answered {
            return Ok(holding);
        }
        if asking_since.elapsed() >= SILENCE {
            tracing::warn!("no istiod says what it injects; going on, as nothing can be injected");
            return Ok(Vec::new());
        }
        if holding.is_empty() {
            let progress = "no istiod is ready".to_owned();
            holding.push(Awaited {
                progress,
                reason: None,
            });
        }
        Ok(holding)
    }
}

/// What one istiod gives to pods; `None` when it does not say so in time.
///
/// Only a missing right is an error: without it no istiod could ever be asked.
async fn ask_one(cluster: &Cluster, pod: &str) -> Result<Option<Injection>, ClusterError> {
    let namespace = cluster.namespace();
    let question = question(namespace);
    let asking = cluster.ask_pod(namespace, pod, WEBHOOK_PORT, WEBHOOK_PATH, &question);
    match tokio::time::timeout(ANSWER, asking).await {
        Ok(Ok(review)) => Ok(answer(&review)),
        Ok(Err(error)) if error.is_forbidden() => Err(error),
        Ok(Err(error)) => {
            tracing::debug!(%error, "an istiod does not answer");
            Ok(None)
        }
        Err(_) => Ok(None),
    }
}

/// Names up to three pods.
fn still_needed_by(pods: &[&Pod]) -> Awaited {
    let names: Vec<_> = pods.iter().take(3).map(|pod| pod_name(pod)).collect();
    let more = pods.len() - names.len();
    let more = if more == 0 {
        String::new()
    } else {
        format!(" (+{more} more)")
    };
    let progress = format!(
        "pods that still need the CNI node agent: {}{more}",
        names.join(", ")
    );
    let why = pods.first().map(|pod| pods::why_not_ready(pod, &[]));
    Awaited {
        progress,
        reason: why,
    }
}

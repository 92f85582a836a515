//! Waiting until no pod needs the node agent any more.

use std::time::Duration;

use futures::future::try_join_all;
use k8s_openapi::api::core::v1::Pod;
use tokio::time::Instant;

use super::observe::Reading;
use crate::cluster::Cluster;
use crate::cluster::error::ClusterError;
use crate::cni::acknowledgement::{
    Acknowledgements, SILENCE, WEBHOOK_PATH, WEBHOOK_PORT, answer, question,
};
use crate::cni::drain::{needs_agent, pod_name};
use crate::control_plane::Injection;
use crate::decide::Awaited;
use crate::k8s::pod;
use crate::text::up_to_three;

/// How long a pod that was injected just before may take to appear.
const STRAGGLERS: Duration = Duration::from_secs(1);
/// How long to wait before asking again.
const AGAIN: Duration = Duration::from_millis(200);

/// How far the draining is, within this hook.
#[derive(Debug, Default)]
pub(super) struct Drain {
    asking_since: Option<Instant>,
    acknowledgements: Acknowledgements,
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

    /// What the istiods still hold; nothing when all that can inject have taken the change up.
    async fn ask(
        &mut self,
        cluster: &Cluster,
        istiods: &[Pod],
    ) -> Result<Vec<Awaited>, ClusterError> {
        let asking_since = *self.asking_since.get_or_insert_with(Instant::now);
        // One that is being deleted answers until it is gone.
        let ready = istiods.iter().filter(|pod| pod::is_ready(pod));
        let names = ready.filter_map(|pod| pod.metadata.name.as_deref());
        let asked = names.map(|name| async move {
            let answer = ask_one(cluster, name).await?;
            Ok::<_, ClusterError>((name.to_owned(), answer))
        });
        let answers: Vec<_> = try_join_all(asked).await?;
        let at = asking_since.elapsed();
        let wanted = Injection::IstioInit;
        let holding = self.acknowledgements.weigh(at, &answers, wanted);
        if holding.is_empty() {
            for (name, _) in answers.iter().filter(|(_, answer)| answer.is_none()) {
                tracing::warn!("{name} does not tell what it injects; going on without it");
            }
            if answers.is_empty() {
                tracing::warn!("no istiod is ready; going on, as nothing can be injected");
            }
        }
        let awaited = holding.iter().map(|it| Awaited {
            progress: it.to_string(),
            reason: None,
        });
        Ok(awaited.collect())
    }
}

/// What one istiod gives to pods; `None` when it does not say so in time.
///
/// Only a refusal of the cluster is an error: with it no istiod could ever be asked.
async fn ask_one(cluster: &Cluster, pod: &str) -> Result<Option<Injection>, ClusterError> {
    let namespace = cluster.namespace();
    let question = question(namespace);
    let asking = cluster.ask_pod(namespace, pod, WEBHOOK_PORT, WEBHOOK_PATH, &question);
    match tokio::time::timeout(SILENCE, asking).await {
        Ok(Ok(review)) => Ok(answer(&review)),
        Ok(Err(error)) if error.is_refused() => Err(error),
        Ok(Err(error)) => {
            tracing::debug!(%error, "an istiod does not answer");
            Ok(None)
        }
        Err(_) => Ok(None),
    }
}

fn still_needed_by(pods: &[&Pod]) -> Awaited {
    let names = up_to_three(pods.iter().map(|pod| pod_name(pod)));
    Awaited {
        progress: format!("pods that still need the CNI node agent: {names}"),
        reason: pods.first().map(|pod| pod::why_not_ready(pod, &[])),
    }
}

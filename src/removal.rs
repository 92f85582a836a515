//! The hook `remove`: the application goes, and with it what it made.

use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use tokio::time::{Instant, sleep};

use crate::cluster::Cluster;
use crate::cluster::error::ClusterError;
use crate::cni::drain::{needs_agent, pod_name};
use crate::decide;
use crate::dispatch::Charm;
use crate::k8s::kind::{self, KINDS, Wave};
use crate::k8s::labels;
use crate::k8s::object::{Object, ObjectId};
use crate::plan::ownership::Owner;
use crate::plan::{self, Deletion};
use crate::reconcile::observe::Reading;
use crate::snapshot::Snapshot;

/// How long removal tries; a longer one would only hold up `juju remove-application`.
const LONGEST: Duration = Duration::from_secs(60);
/// How long pods that wait for the node agent may hold its removal.
const LONGEST_DRAIN: Duration = Duration::from_secs(20);
/// How long, from the beginning, pods of the node agent may hold the removal of their rights: with
/// them they take the plugin out of the nodes.
const LONGEST_END: Duration = Duration::from_secs(40);
const AGAIN: Duration = Duration::from_millis(200);

/// Removes everything this application made, if every unit of it is going.
///
/// What is left after a minute stands in the log, with a command to remove it; a later deployment
/// adopts it.
///
/// # Errors
/// A hook tool that fails.
pub async fn run(charm: &Charm) -> anyhow::Result<()> {
    let goal_state = charm.tools.goal_state()?;
    if !goal_state.is_application_going_away(&charm.context.unit) {
        tracing::info!("other units stay, so the control plane stays");
        return Ok(());
    }
    let application = charm.context.application().as_str();
    let begin = Instant::now();
    let mut removal = match charm.cluster().await {
        Ok(cluster) => {
            let namespace = cluster.namespace().to_owned();
            let instance = labels::instance(application, &namespace);
            Removal {
                cluster,
                owner: Owner {
                    instance,
                    namespace,
                },
                drain_until: begin + LONGEST_DRAIN,
                end_until: begin + LONGEST_END,
                remains: Vec::new(),
            }
        }
        Err(status) => {
            tracing::warn!("nothing is removed: {}", status.message());
            return Ok(());
        }
    };
    let until = begin + LONGEST.min(charm.bounds.ordinary);
    loop {
        let turn = removal.turn().await;
        if let Ok(Turn::Done) = turn {
            tracing::info!("everything this application made is removed");
            return Ok(());
        }
        if Instant::now() >= until {
            removal.log_remains(turn.err());
            return Ok(());
        }
        sleep(AGAIN).await;
    }
}

struct Removal {
    cluster: Cluster,
    owner: Owner,
    drain_until: Instant,
    end_until: Instant,
    /// What was still there at the last look.
    remains: Vec<ObjectId>,
}

enum Turn {
    Done,
    Again,
}

impl Removal {
    /// Deletes what comes next, last wave first; each wave is gone before the one below it.
    async fn turn(&mut self) -> Result<Turn, ClusterError> {
        let mut reading = Reading::take(&self.cluster, &self.owner, &[]).await?;
        let deletions = plan::removal(&reading.snapshot.live, &self.owner).deletions;
        self.remains = deletions.iter().map(|it| it.id.clone()).collect();
        let wave = |it: &Deletion| it.id.wave();
        let Some(last) = deletions.iter().filter_map(wave).max() else {
            return self.remove_definitions(&reading.snapshot).await;
        };
        let now = Instant::now();
        if last == Wave::Workloads && now < self.drain_until {
            let pending = reading.pending_pods(&self.cluster).await?;
            let needing: Vec<&Pod> = pending.iter().filter(|pod| needs_agent(pod)).collect();
            if let Some(pod) = needing.first() {
                tracing::debug!(
                    "{} pods still need the node agent: {}",
                    needing.len(),
                    pod_name(pod)
                );
                return Ok(Turn::Again);
            }
        }
        let live = &reading.snapshot.live;
        let rights = |it: &Deletion| live.get(&it.id).is_some_and(decide::is_agents);
        if last == Wave::Foundations && now < self.end_until && deletions.iter().any(rights) {
            let left = decide::pods_left(&reading.agent(&self.cluster).await?);
            if left > 0 {
                tracing::debug!("{left} pods of the node agent are going");
                return Ok(Turn::Again);
            }
        }
        let mut refusal = None;
        for deletion in deletions
            .iter()
            .filter(|it| wave(it) == Some(last) && !it.under_way)
        {
            tracing::info!("deleting {}", deletion.id);
            // One that is refused keeps no other from going.
            if let Err(error) = self.cluster.delete(&deletion.id, &deletion.uid).await {
                refusal = refusal.or(Some(error));
            }
        }
        refusal.map_or(Ok(Turn::Again), Err)
    }

    /// Definitions belong to everybody: they go only when nobody uses them.
    async fn remove_definitions(&self, snapshot: &Snapshot) -> Result<Turn, ClusterError> {
        let is_definition = |it: &&Object| {
            it.is(&kind::CUSTOM_RESOURCE_DEFINITION) && it.is_written_by_this_charm()
        };
        let definitions: Vec<_> = snapshot.live.values().filter(is_definition).collect();
        let rival = snapshot.live.values().find(|it| it.kind() == "Deployment");
        if let Some(rival) = rival {
            tracing::info!("Istio's definitions stay: {} uses them", rival.id());
            return Ok(Turn::Done);
        }
        for definition in &definitions {
            if self.cluster.has_custom_resources(definition).await? {
                tracing::info!(
                    "Istio's definitions stay: there are {}",
                    definition.id().name
                );
                return Ok(Turn::Done);
            }
        }
        for definition in &definitions {
            let uid = definition
                .at("/metadata/uid")
                .and_then(serde_json::Value::as_str);
            self.cluster
                .delete(definition.id(), uid.unwrap_or_default())
                .await?;
        }
        Ok(Turn::Done)
    }

    /// Names what is left, and how a person removes it.
    fn log_remains(&self, error: Option<ClusterError>) {
        if let Some(error) = error {
            tracing::warn!("the removal is not complete: {error}");
        }
        for id in &self.remains {
            tracing::warn!("not removed: {id}");
        }
        let removable = KINDS
            .iter()
            .filter(|it| **it != kind::CUSTOM_RESOURCE_DEFINITION);
        let kinds: Vec<_> = removable.map(|it| it.plural).collect();
        tracing::warn!(
            "to remove the rest: kubectl delete {} --namespace {} --selector {}={},{}={}",
            kinds.join(","),
            self.owner.namespace,
            labels::INSTANCE,
            self.owner.instance,
            labels::MANAGED_BY,
            labels::MANAGED_BY_VALUE,
        );
    }
}

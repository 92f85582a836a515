//! The action `list-stale-workloads`: the workloads whose pods were injected differently from new
//! pods.

use juju::action::ActionResults;
use serde::Deserialize;

use crate::charm::{Charm, Stop};
use crate::cluster::error::ClusterError;
use crate::cluster::list::Part;
use crate::cluster::{Cluster, Scope, Selector};
use crate::istio::names;
use crate::k8s::kind;
use crate::k8s::object::ObjectId;
use crate::observed::new_pods::NewPods;
use crate::stale::injected::InjectedPod;
use crate::stale::keeper::Keeper;
use crate::stale::workload::{Workload, has_rollouts, kinds_to_read, workloads};
use crate::stale::{INJECTED, StalePod, to_json, to_table};

#[derive(Deserialize)]
struct Parameters {
    namespace: Option<String>,
}

/// The stale workloads, and what they were compared with.
pub(super) struct Stale {
    /// What a pod that is created now gets.
    pub(super) new_pods: NewPods,
    /// The workloads, sorted by namespace, kind and name.
    pub(super) workloads: Vec<Workload>,
}

/// Why there is no list.
#[derive(Debug, thiserror::Error)]
pub(super) enum StaleError {
    /// The server did not answer or refused.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// No injection configuration shows what new pods get.
    #[error(
        "ConfigMap {0} does not show what new pods get: there is no control plane yet; see juju \
         status"
    )]
    NoControlPlane(String),
    /// The namespace asked for does not exist.
    #[error("there is no namespace {0}")]
    NoNamespace(String),
}

impl StaleError {
    /// How the action ends, in words for people.
    pub(super) fn stop(&self, application: &str) -> Stop {
        match self {
            Self::Cluster(error) => Stop::refused(error, application),
            Self::NoControlPlane(_) | Self::NoNamespace(_) => Stop::failed(self.to_string()),
        }
    }
}

impl Charm {
    /// Runs the action.
    pub(super) async fn run_list_stale_workloads(&self) -> Result<(), Stop> {
        let Parameters { namespace } = self.tools.action_parameters()?;
        let cluster = self.cluster().await?;
        let stale = self.stale(&cluster, namespace.as_deref()).await?;
        let results = results(&stale.new_pods, &stale.workloads)?;
        self.tools.set_action_results(&results)?;
        Ok(())
    }

    /// The stale workloads of a namespace, or of all.
    pub(super) async fn stale(
        &self,
        cluster: &Cluster,
        namespace: Option<&str>,
    ) -> Result<Stale, Stop> {
        let found = find(cluster, namespace).await;
        found.map_err(|error| error.stop(self.application()))
    }
}

/// The results that both actions share.
pub(super) fn results(new_pods: &NewPods, workloads: &[Workload]) -> anyhow::Result<ActionResults> {
    let mut results = ActionResults::new();
    let pods: usize = workloads.iter().map(|it| it.pods).sum();
    results.insert("workloads", workloads.len().to_string())?;
    results.insert("pods", pods.to_string())?;
    results.insert("new-pods-get", new_pods.injection.init_container())?;
    if let Some(version) = new_pods.proxy {
        results.insert("proxy-version", version.to_string())?;
    }
    if !workloads.is_empty() {
        results.insert("table", to_table(workloads))?;
        results.insert("json", to_json(workloads))?;
    }
    Ok(results)
}

/// Reads pods and what keeps them, in a namespace or everywhere, and finds the stale ones.
///
/// # Errors
/// When the server does not answer or refuses, there is no injection configuration, or no such
/// namespace.
pub(super) async fn find(cluster: &Cluster, namespace: Option<&str>) -> Result<Stale, StaleError> {
    let config = ObjectId::new(
        &kind::CONFIG_MAP,
        cluster.namespace(),
        names::INJECTOR_CONFIG,
    );
    let new_pods = cluster.get(&config).await?.as_ref().and_then(NewPods::of);
    let new_pods = new_pods.ok_or_else(|| {
        let name = format!("{}/{}", cluster.namespace(), config.name);
        StaleError::NoControlPlane(name)
    })?;
    // Without this check, a mistyped namespace would look as if no workload were stale.
    if let Some(namespace) = namespace
        && cluster.find_namespace(namespace).await?.is_none()
    {
        return Err(StaleError::NoNamespace(namespace.to_owned()));
    }
    let scope = Scope::from(namespace);
    let injected = Selector::of_labels(INJECTED);
    let stale = |pod: InjectedPod| StalePod::of(&pod, &new_pods);
    let pods = cluster
        .list_kept(&kind::POD, scope, injected, Part::Whole, stale)
        .await?;
    let mut keepers = Vec::new();
    for kind in kinds_to_read(&pods.items) {
        let everything = Selector::default();
        let part = if has_rollouts(&kind) {
            Part::Whole
        } else {
            Part::Metadata
        };
        let keeper = |read| Some(Keeper::new(&kind, read));
        let listing = cluster
            .list_kept(&kind, scope, everything, part, keeper)
            .await?;
        keepers.extend(listing.items);
    }
    Ok(Stale {
        workloads: workloads(&pods.items, &keepers),
        new_pods,
    })
}

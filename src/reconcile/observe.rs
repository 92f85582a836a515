//! Reading what a decision needs from the cluster.

use std::collections::BTreeMap;

use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::api::core::v1::Pod;
use serde::de::DeserializeOwned;

use crate::cluster::error::ClusterError;
use crate::cluster::watch::Watched;
use crate::cluster::{Cluster, Scope, Selector};
use crate::k8s::kind::{self, KINDS, Kind};
use crate::k8s::labels;
use crate::k8s::object::{Object, ObjectId};
use crate::plan::ownership::Owner;
use crate::snapshot::{AgentFacts, Snapshot};

/// How many requests are under way at once.
const AT_ONCE: usize = 4;

/// Selects the Deployments of istiods of any installation.
const ISTIOD: &str = "app=istiod";
/// Selects the pods of the istiod of the default revision, as its Service does; another revision's
/// have another value.
const OUR_ISTIODS: &str = "app=istiod,istio=pilot";
/// Selects the pods and DaemonSets of node agents of any installation.
const NODE_AGENT: &str = "k8s-app=istio-cni-node";
/// Selects injecting webhook configurations of any installation.
const INJECTOR: &str = "app=sidecar-injector";

/// A collection that was read, and can be watched from there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Collection {
    /// All objects of one of [`KINDS`].
    Kind(&'static str),
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

/// A snapshot, and what to watch for it to change.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// What was read.
    pub snapshot: Snapshot,
    watches: BTreeMap<Collection, Watched>,
}

impl Reading {
    /// Reads the cluster. `wanted` are the objects that shall exist.
    ///
    /// # Errors
    /// When the server does not answer or refuses.
    pub async fn take(
        cluster: &Cluster,
        owner: &Owner,
        wanted: &[ObjectId],
    ) -> Result<Self, ClusterError> {
        let instance = format!("{}={}", labels::INSTANCE, owner.instance);
        let managed = format!("{}={}", labels::MANAGED_BY, labels::MANAGED_BY_VALUE);
        let reads = KINDS.iter().map(|kind| {
            let (scope, labels) = match kind.kind {
                "CustomResourceDefinition" => (Scope::Cluster, managed.as_str()),
                "Deployment" => (Scope::Cluster, ISTIOD),
                "DaemonSet" => (Scope::Cluster, NODE_AGENT),
                "MutatingWebhookConfiguration" => (Scope::Cluster, INJECTOR),
                _ if kind.namespaced => (Scope::Namespace(&owner.namespace), instance.as_str()),
                _ => (Scope::Cluster, instance.as_str()),
            };
            async move {
                let selector = Selector { labels, fields: "" };
                let listing = cluster.list(kind, scope, selector).await?;
                let watched = watched(kind, scope, selector, listing.resource_version);
                Ok::<_, ClusterError>((kind.kind, watched, listing.items))
            }
        });
        let mut reading = Self::default();
        let mut reads = stream::iter(reads).buffered(AT_ONCE);
        while let Some((kind, watched, items)) = reads.try_next().await? {
            reading.watches.insert(Collection::Kind(kind), watched);
            reading
                .snapshot
                .live
                .extend(items.into_iter().map(|it| (it.id().clone(), it)));
        }
        drop(reads);
        let ours = Scope::Namespace(cluster.namespace());
        let istiods = Selector {
            labels: OUR_ISTIODS,
            fields: "",
        };
        reading.snapshot.istiods = reading
            .list(cluster, Collection::Istiods, &kind::POD, ours, istiods)
            .await?;
        reading.add_unlabelled(cluster, wanted).await?;
        Ok(reading)
    }

    /// Reads wanted objects that exist without our labels, one by one.
    async fn add_unlabelled(
        &mut self,
        cluster: &Cluster,
        wanted: &[ObjectId],
    ) -> Result<(), ClusterError> {
        let live = &mut self.snapshot.live;
        let missing: Vec<_> = wanted.iter().filter(|id| !live.contains_key(*id)).collect();
        let reads = missing.into_iter().map(|id| cluster.get(id));
        let found: Vec<Option<Object>> =
            stream::iter(reads).buffered(AT_ONCE).try_collect().await?;
        live.extend(found.into_iter().flatten().map(|it| (it.id().clone(), it)));
        Ok(())
    }

    /// Reads what says how far the node agent is.
    ///
    /// # Errors
    /// When the server does not answer or refuses.
    pub async fn agent(&mut self, cluster: &Cluster) -> Result<AgentFacts, ClusterError> {
        let ours = Scope::Namespace(cluster.namespace());
        let agents = Selector {
            labels: NODE_AGENT,
            fields: "",
        };
        let pods = self
            .list(cluster, Collection::Agents, &kind::POD, ours, agents)
            .await?;
        let all = Selector::default();
        let nodes = self
            .list(cluster, Collection::Nodes, &kind::NODE, Scope::Cluster, all)
            .await?;
        let warnings = Selector {
            labels: "",
            fields: "type=Warning",
        };
        let events = self
            .list(cluster, Collection::Warnings, &kind::EVENT, ours, warnings)
            .await?;
        let pod_security = pod_security(cluster).await?;
        Ok(AgentFacts {
            pods,
            nodes,
            events,
            pod_security,
        })
    }

    /// Reads every pod of the cluster that has not started yet.
    ///
    /// # Errors
    /// When the server does not answer or refuses.
    pub async fn pending_pods(&mut self, cluster: &Cluster) -> Result<Vec<Pod>, ClusterError> {
        let pending = Selector {
            labels: "",
            fields: "status.phase=Pending",
        };
        self.list(
            cluster,
            Collection::Pending,
            &kind::POD,
            Scope::Cluster,
            pending,
        )
        .await
    }

    /// What to watch for one of these collections to change. Those not read are left out.
    pub fn watches(&self, collections: &[Collection]) -> Vec<Watched> {
        collections
            .iter()
            .filter_map(|it| self.watches.get(it).cloned())
            .collect()
    }

    async fn list<T: DeserializeOwned>(
        &mut self,
        cluster: &Cluster,
        collection: Collection,
        kind: &Kind,
        scope: Scope<'_>,
        selector: Selector<'_>,
    ) -> Result<Vec<T>, ClusterError> {
        let listing = cluster.list_typed(kind, scope, selector).await?;
        let watched = watched(kind, scope, selector, listing.resource_version);
        self.watches.insert(collection, watched);
        Ok(listing.items)
    }
}

/// The level that our namespace enforces
/// (<https://kubernetes.io/docs/concepts/security/pod-security-admission/>).
async fn pod_security(cluster: &Cluster) -> Result<Option<String>, ClusterError> {
    let name = format!("metadata.name={}", cluster.namespace());
    let ours = Selector {
        labels: "",
        fields: &name,
    };
    let namespaces = cluster
        .list(&kind::NAMESPACE, Scope::Cluster, ours)
        .await?
        .items;
    let level = namespaces
        .first()
        .and_then(|it| it.label("pod-security.kubernetes.io/enforce"));
    Ok(level.map(str::to_owned))
}

fn watched(
    kind: &Kind,
    scope: Scope<'_>,
    selector: Selector<'_>,
    resource_version: String,
) -> Watched {
    Watched {
        kind: *kind,
        namespace: match scope {
            Scope::Namespace(namespace) => Some(namespace.to_owned()),
            Scope::Cluster => None,
        },
        labels: selector.labels.to_owned(),
        fields: selector.fields.to_owned(),
        resource_version,
    }
}

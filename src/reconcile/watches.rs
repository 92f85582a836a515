//! What to watch for an observation to change.

use serde::de::DeserializeOwned;

use crate::cluster::error::ClusterError;
use crate::cluster::watch::Watched;
use crate::cluster::{Cluster, Scope, Selector};
use crate::k8s::kind::Kind;
use crate::observed::collection::Collection;

/// What to watch for an observation to change.
#[derive(Clone, Debug, Default)]
pub(super) struct Watches(Vec<(Collection, Watched)>);

impl Watches {
    /// Those of some collections; what was not read is left out.
    pub(super) fn of(&self, collections: &[Collection]) -> Vec<Watched> {
        let read = self.0.iter().filter(|(it, _)| collections.contains(it));
        read.map(|(_, watched)| watched.clone()).collect()
    }

    /// Adds a collection that was read.
    pub(super) fn add(
        &mut self,
        collection: Collection,
        kind: &Kind,
        scope: Scope<'_>,
        selector: Selector<'_>,
        resource_version: String,
    ) {
        let watched = Watched {
            kind: *kind,
            namespace: match scope {
                Scope::Namespace(namespace) => Some(namespace.to_owned()),
                Scope::Cluster => None,
            },
            labels: selector.labels.to_owned(),
            fields: selector.fields.to_owned(),
            resource_version,
        };
        self.0.push((collection, watched));
    }

    /// Lists a collection, to be watched from there.
    pub(super) async fn list<T: DeserializeOwned>(
        &mut self,
        cluster: &Cluster,
        collection: Collection,
        kind: &Kind,
        scope: Scope<'_>,
        selector: Selector<'_>,
    ) -> Result<Vec<T>, ClusterError> {
        let listing = cluster.list_typed(kind, scope, selector).await?;
        self.add(collection, kind, scope, selector, listing.resource_version);
        Ok(listing.items)
    }
}

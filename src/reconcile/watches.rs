//! What to watch in order to see that an observation has changed.

use serde::de::DeserializeOwned;

use crate::cluster::error::ClusterError;
use crate::cluster::list::Part;
use crate::cluster::watch::Watched;
use crate::cluster::{Cluster, Scope, Selector};
use crate::k8s::kind::Kind;
use crate::observed::collection::Collection;

/// The collections that were read, and how to watch each of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Watches(Vec<(Collection, Watched)>);

impl Watches {
    /// How to watch these collections; those that were not read are skipped.
    pub(super) fn of(&self, collections: &[Collection]) -> Vec<Watched> {
        let read = self
            .0
            .iter()
            .filter(|(collection, _)| collections.contains(collection));
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
        let watched = Watched::new(kind, scope, selector, resource_version);
        self.0.push((collection, watched));
    }

    /// Lists a collection, and adds it from the version that was read. Gives what `keep` makes of
    /// each object.
    pub(super) async fn list<T: DeserializeOwned, U>(
        &mut self,
        cluster: &Cluster,
        collection: Collection,
        kind: &Kind,
        scope: Scope<'_>,
        selector: Selector<'_>,
        keep: impl FnMut(T) -> Option<U>,
    ) -> Result<Vec<U>, ClusterError> {
        let listing = cluster
            .list_kept(kind, scope, selector, Part::Whole, keep)
            .await?;
        self.add(collection, kind, scope, selector, listing.resource_version);
        Ok(listing.items)
    }
}

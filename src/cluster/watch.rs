//! Waiting for something to change, instead of asking again and again.

use std::pin::pin;

use futures::future::select_all;
use futures::{FutureExt, TryStreamExt};
use kube::core::WatchEvent;

use super::error::Doing;
use super::{Cluster, Scope, Selector, collection_path, query};
use crate::k8s::kind::Kind;

/// A collection to watch, from a state that was read before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watched {
    /// The kind.
    pub kind: Kind,
    /// A namespace; `None` for the whole cluster.
    pub namespace: Option<String>,
    /// Label selector; empty for all.
    pub labels: String,
    /// Field selector; empty for all.
    pub fields: String,
    /// The state after which a change counts.
    pub resource_version: String,
}

impl Cluster {
    /// Returns when an object of one of the collections has changed.
    ///
    /// Also returns when a watch ends or fails: whoever waits looks again then, which is always
    /// right, and never more often than once a second.
    pub async fn changed(&self, collections: &[Watched]) {
        if collections.is_empty() {
            return std::future::pending().await;
        }
        let watches = collections
            .iter()
            .map(|it| self.one_changed(it).boxed_local());
        select_all(watches).await;
    }

    async fn one_changed(&self, watched: &Watched) {
        if self.wait_for_event(watched).await.is_none() {
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        }
    }

    /// `None` when the watch ended without an event.
    pub(super) async fn wait_for_event(&self, watched: &Watched) -> Option<()> {
        let scope = watched
            .namespace
            .as_deref()
            .map_or(Scope::Cluster, Scope::Namespace);
        let selector = Selector {
            labels: &watched.labels,
            fields: &watched.fields,
        };
        let query = query(&[
            ("watch", "true"),
            ("resourceVersion", &watched.resource_version),
            ("labelSelector", selector.labels),
            ("fieldSelector", selector.fields),
        ]);
        let path = format!("{}?{query}", collection_path(&watched.kind, scope));
        let doing = Doing::new("watching", watched.kind.plural);
        let mut events = pin!(self.events(path, &doing).await.ok()?);
        loop {
            match events.try_next().await {
                Ok(Some(WatchEvent::Bookmark(_))) => {}
                Ok(Some(WatchEvent::Error(_)) | None) | Err(_) => return None,
                Ok(Some(_)) => return Some(()),
            }
        }
    }
}

//! Waiting for something to change, instead of asking again and again.

use std::pin::pin;

use futures::future::select_all;
use futures::{FutureExt, TryStreamExt};
use kube::core::WatchEvent;
use kube::core::params::WatchParams;

use super::error::Operation;
use super::{Cluster, Scope, Selector, api};
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

impl Watched {
    /// A collection as it was listed.
    pub fn new(
        kind: &Kind,
        scope: Scope<'_>,
        selector: Selector<'_>,
        resource_version: String,
    ) -> Self {
        Self {
            kind: *kind,
            namespace: scope.namespace().map(str::to_owned),
            labels: selector.labels.to_owned(),
            fields: selector.fields.to_owned(),
            resource_version,
        }
    }
}

impl Cluster {
    /// Returns when an object of one of the collections has changed.
    ///
    /// Also returns when a watch ends or fails, and then after a second: whoever waits looks again,
    /// which is always right.
    pub async fn wait_for_change(&self, collections: &[Watched]) {
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
        let scope = Scope::from(watched.namespace.as_deref());
        let parameters = WatchParams {
            label_selector: super::non_empty(&watched.labels),
            field_selector: super::non_empty(&watched.fields),
            bookmarks: false,
            ..WatchParams::default()
        };
        let request = api(&watched.kind, scope).watch(&parameters, &watched.resource_version);
        let operation = Operation::new("watching", watched.kind.plural);
        let mut events = pin!(self.events(request, &operation).await.ok()?);
        loop {
            match events.try_next().await {
                Ok(Some(WatchEvent::Bookmark(_))) => {}
                Ok(Some(WatchEvent::Error(_)) | None) | Err(_) => return None,
                Ok(Some(_)) => return Some(()),
            }
        }
    }
}

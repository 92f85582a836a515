//! Lists, which come in pages.
//!
//! A cluster may have thousands of pods of 20 KiB. So what is needed of each object is taken while
//! its page is there, and no more than one page of whole objects is in memory at a time.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ListMeta;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::error::{ClusterError, Operation};
use super::{Cluster, Scope, Selector, api, to_object};
use crate::k8s::kind::{DAEMON_SET, DEPLOYMENT, JOB, Kind, NODE, POD, REPLICA_SET, STATEFUL_SET};
use crate::k8s::object::Object;

/// A list as the server gave it.
#[derive(Clone, Debug)]
pub struct Listing<T> {
    /// The objects.
    pub items: Vec<T>,
    /// The state of the collection, from which a watch may begin.
    pub resource_version: String,
}

/// How much of each object of a list the server sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// All of it.
    Whole,
    /// Its `metadata`.
    Metadata,
}

/// How often a list is begun again that expires between two of its pages.
const RESTARTS: u32 = 3;

/// How many objects of a kind one request of a list brings at most. An answer is in memory twice, as
/// text and as objects.
fn page_of(kind: &Kind, part: Part) -> u32 {
    /// Each is 20 KiB, with what is injected into pods and the images that a node has.
    const LARGE: [Kind; 7] = [
        POD,
        NODE,
        DEPLOYMENT,
        REPLICA_SET,
        STATEFUL_SET,
        DAEMON_SET,
        JOB,
    ];
    match part {
        Part::Whole if LARGE.contains(kind) => 100,
        Part::Whole | Part::Metadata => 500,
    }
}

impl Cluster {
    /// All objects of a kind.
    ///
    /// # Errors
    /// When the server does not answer, or refuses. Not when the kind does not exist: then the
    /// list is empty. Never is a part of a list taken for the whole.
    pub async fn list(
        &self,
        kind: &Kind,
        scope: Scope<'_>,
        selector: Selector<'_>,
    ) -> Result<Listing<Object>, ClusterError> {
        let operation = Operation::new("listing", kind.plural);
        let to_object = |mut fields: Map<String, Value>| {
            // The items of a list carry neither.
            fields.insert("apiVersion".to_owned(), kind.api_version().into());
            fields.insert("kind".to_owned(), kind.kind.into());
            to_object(Value::Object(fields), &operation).map(Some)
        };
        self.pages(kind, scope, selector, Part::Whole, to_object)
            .await
    }

    /// What `keep` makes of each object of a kind; one that it makes nothing of is left out.
    ///
    /// `T` is what is read of an object: a Kubernetes type, or a type of those fields alone. With
    /// [`Part::Metadata`] the server sends nothing but `metadata`.
    ///
    /// # Errors
    /// As [`Cluster::list`].
    pub async fn list_kept<T: DeserializeOwned, U>(
        &self,
        kind: &Kind,
        scope: Scope<'_>,
        selector: Selector<'_>,
        part: Part,
        mut keep: impl FnMut(T) -> Option<U>,
    ) -> Result<Listing<U>, ClusterError> {
        self.pages(kind, scope, selector, part, |item| Ok(keep(item)))
            .await
    }

    async fn pages<T: DeserializeOwned, U>(
        &self,
        kind: &Kind,
        scope: Scope<'_>,
        selector: Selector<'_>,
        part: Part,
        mut keep: impl FnMut(T) -> Result<Option<U>, ClusterError>,
    ) -> Result<Listing<U>, ClusterError> {
        let operation = Operation::new("listing", kind.plural);
        let api = api(kind, scope);
        let mut parameters = selector.parameters().limit(page_of(kind, part));
        let mut restarts = 0;
        let mut listing = Listing {
            items: Vec::new(),
            resource_version: String::new(),
        };
        loop {
            let is_first = parameters.continue_token.is_none();
            let request = match part {
                Part::Whole => api.list(&parameters),
                Part::Metadata => api.list_metadata(&parameters),
            };
            let page: Page<T> = match self.json(request, &operation).await {
                Err(error) if error.is_not_found() && is_first => return Ok(listing),
                // The server keeps the state of the first page for some minutes only.
                Err(error) if error.is_gone() && !is_first && restarts < RESTARTS => {
                    restarts += 1;
                    listing.items.clear();
                    parameters.continue_token = None;
                    continue;
                }
                other => other?,
            };
            for item in page.items {
                listing.items.extend(keep(item)?);
            }
            listing.resource_version = page.metadata.resource_version.unwrap_or_default();
            match page.metadata.continue_ {
                Some(token) if !token.is_empty() => parameters.continue_token = Some(token),
                _ => return Ok(listing),
            }
        }
    }
}

/// One page of a list.
///
/// An answer that is something else is an error. As an empty list it would say that a definition
/// has no custom resources, and the definition would be deleted.
#[derive(Deserialize)]
#[serde(bound(deserialize = "T: Deserialize<'de>"))]
pub(super) struct Page<T> {
    #[serde(default)]
    metadata: ListMeta,
    #[serde(deserialize_with = "null_or_items")]
    pub(super) items: Vec<T>,
}

/// The items of a list; none for `null`, which Go writes for a slice that was never made.
fn null_or_items<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

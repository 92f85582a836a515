//! The Kubernetes API server, as this charm uses it.
//!
//! Requests are made from the table of [`crate::k8s::kind`], so no discovery is needed. All writes are
//! in [`write`](mod@write), and all go out through `request`, which bounds how long they take.

pub mod connect;
pub mod error;
mod request;
pub mod watch;
pub mod write;

use std::time::Duration;

use http::Method;
use k8s_openapi::apimachinery::pkg::version::Info;
use kube::Client;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::k8s::kind::Kind;
use crate::k8s::object::{Object, ObjectId};
use crate::k8s::version::KubernetesVersion;
use error::{ClusterError, Doing};
use request::Content;

/// A connection to one cluster.
#[derive(Clone)]
pub struct Cluster {
    client: Client,
    namespace: String,
    longest_request: Duration,
}

/// Which objects of a kind to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope<'a> {
    /// Those of one namespace.
    Namespace(&'a str),
    /// Those of the whole cluster.
    Cluster,
}

/// A list as the server gave it.
#[derive(Clone, Debug)]
pub struct Listing<T> {
    /// The objects.
    pub items: Vec<T>,
    /// The state of the collection, from which a watch may begin.
    pub resource_version: String,
}

/// Label and field selectors of a list or watch, as `kubectl` takes them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Selector<'a> {
    /// Label selector; empty for all.
    pub labels: &'a str,
    /// Field selector; empty for all.
    pub fields: &'a str,
}

/// How many objects one request of a list brings at most.
const PAGE: u32 = 500;

impl Cluster {
    /// The namespace of the model.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The API server's version.
    ///
    /// # Errors
    /// When the server does not answer, or answers with a version that is none.
    pub async fn version(&self) -> Result<KubernetesVersion, ClusterError> {
        let doing = Doing::new("reading", "the Kubernetes version");
        let info: Info = self.get_json("/version".to_owned(), &doing).await?;
        KubernetesVersion::parse(&format!("{}.{}", info.major, info.minor))
            .ok_or_else(|| ClusterError::unexpected(&doing, &info.git_version))
    }

    /// One object; `None` when it does not exist.
    ///
    /// # Errors
    /// When the server does not answer, or refuses. Not when the object or its kind is missing.
    pub async fn get(&self, id: &ObjectId) -> Result<Option<Object>, ClusterError> {
        let doing = Doing::new("reading", id);
        match self.get_json::<Value>(object_path(id)?, &doing).await {
            Ok(value) => to_object(value, &doing).map(Some),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// All objects of a kind, in pages.
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
        let doing = Doing::new("listing", kind.plural);
        let listing = self.list_values(kind, scope, selector, &doing).await?;
        let mut items = Vec::with_capacity(listing.items.len());
        for mut value in listing.items {
            // The items of a list carry neither.
            value["apiVersion"] = Value::String(kind.api_version());
            value["kind"] = Value::String(kind.kind.to_owned());
            items.push(to_object(value, &doing)?);
        }
        Ok(Listing {
            items,
            resource_version: listing.resource_version,
        })
    }

    /// All objects of a kind, as the Kubernetes type `T`.
    ///
    /// # Errors
    /// As [`Cluster::list`].
    pub async fn list_typed<T: DeserializeOwned>(
        &self,
        kind: &Kind,
        scope: Scope<'_>,
        selector: Selector<'_>,
    ) -> Result<Listing<T>, ClusterError> {
        let doing = Doing::new("listing", kind.plural);
        let listing = self.list_values(kind, scope, selector, &doing).await?;
        let typed = |value| {
            serde_json::from_value(value)
                .map_err(|error| ClusterError::unexpected(&doing, &error.to_string()))
        };
        let items = listing
            .items
            .into_iter()
            .map(typed)
            .collect::<Result<_, _>>()?;
        Ok(Listing {
            items,
            resource_version: listing.resource_version,
        })
    }

    /// Whether any object of a definition's kind exists in the cluster.
    ///
    /// # Errors
    /// When the server does not answer or refuses.
    pub async fn has_custom_resources(&self, definition: &Object) -> Result<bool, ClusterError> {
        let doing = Doing::new("listing", &definition.id().name);
        let field = |pointer| {
            definition
                .at(pointer)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let versions = definition.at("/spec/versions").and_then(Value::as_array);
        let served = versions
            .into_iter()
            .flatten()
            .find(|it| it["served"] == true);
        let Some(version) = served.and_then(|it| it["name"].as_str()) else {
            return Ok(false);
        };
        let (group, plural) = (field("/spec/group"), field("/spec/names/plural"));
        let path = format!("/apis/{group}/{version}/{plural}?limit=1");
        match self.get_json::<Value>(path, &doing).await {
            Ok(list) => Ok(list["items"]
                .as_array()
                .is_some_and(|items| !items.is_empty())),
            Err(error) if error.is_not_found() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Sends a JSON document to a pod's port over HTTPS, through the API server, and gives the answer.
    ///
    /// # Errors
    /// When the server refuses, the pod does not answer, or answers with something else than JSON.
    pub async fn ask_pod(
        &self,
        namespace: &str,
        pod: &str,
        port: u16,
        path: &str,
        question: &Value,
    ) -> Result<Value, ClusterError> {
        let doing = Doing::new("asking", format_args!("Pod {namespace}/{pod}"));
        let path = format!("/api/v1/namespaces/{namespace}/pods/https:{pod}:{port}/proxy/{path}");
        let content = Content {
            media_type: "application/json",
            value: question,
        };
        self.json(Method::POST, path, Some(content), &doing).await
    }

    /// The last lines that a container wrote.
    ///
    /// # Errors
    /// When the server or the node does not answer, or refuses.
    pub async fn last_lines(
        &self,
        pod: &str,
        container: &str,
        lines: u32,
    ) -> Result<String, ClusterError> {
        let namespace = &self.namespace;
        let doing = Doing::new("reading", format_args!("the log of Pod {namespace}/{pod}"));
        let query = query(&[("container", container), ("tailLines", &lines.to_string())]);
        let path = format!("/api/v1/namespaces/{namespace}/pods/{pod}/log?{query}");
        self.text(Method::GET, path, None, &doing).await
    }

    async fn list_values(
        &self,
        kind: &Kind,
        scope: Scope<'_>,
        selector: Selector<'_>,
        doing: &Doing,
    ) -> Result<Listing<Value>, ClusterError> {
        let path = collection_path(kind, scope);
        let mut listing = Listing {
            items: Vec::new(),
            resource_version: String::new(),
        };
        let mut limit = PAGE.to_string();
        let mut token = String::new();
        loop {
            let query = query(&[
                ("limit", &limit),
                ("labelSelector", selector.labels),
                ("fieldSelector", selector.fields),
                ("continue", &token),
            ]);
            let mut page: Value = match self.get_json(format!("{path}?{query}"), doing).await {
                Err(error) if error.is_not_found() && token.is_empty() => return Ok(listing),
                // The server keeps the state of the first page for some minutes only. A list in one
                // piece, which client-go asks for then, cannot expire.
                Err(error) if error.is_gone() && !token.is_empty() => {
                    listing.items.clear();
                    limit.clear();
                    token.clear();
                    continue;
                }
                other => other?,
            };
            if let Value::Array(items) = page["items"].take() {
                listing.items.extend(items);
            }
            let metadata = &page["metadata"];
            listing.resource_version = text(&metadata["resourceVersion"]);
            token = text(&metadata["continue"]);
            if token.is_empty() {
                return Ok(listing);
            }
        }
    }

    async fn get_json<T: DeserializeOwned>(
        &self,
        path: String,
        doing: &Doing,
    ) -> Result<T, ClusterError> {
        self.json(Method::GET, path, None, doing).await
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn to_object(value: Value, doing: &Doing) -> Result<Object, ClusterError> {
    Object::from_value(value).map_err(|error| ClusterError::unexpected(doing, &error.to_string()))
}

/// The request path of one object.
fn object_path(id: &ObjectId) -> Result<String, ClusterError> {
    let Some(kind) = crate::k8s::kind::find(&id.group, &id.kind) else {
        let doing = Doing::new("finding", id);
        return Err(ClusterError::unexpected(
            &doing,
            "this charm does not know the kind",
        ));
    };
    let scope = id
        .namespace
        .as_deref()
        .map_or(Scope::Cluster, Scope::Namespace);
    Ok(format!("{}/{}", collection_path(kind, scope), id.name))
}

/// The request path of a collection.
fn collection_path(kind: &Kind, scope: Scope<'_>) -> String {
    let root = if kind.group.is_empty() {
        "/api"
    } else {
        "/apis"
    };
    let api_version = kind.api_version();
    match scope {
        Scope::Namespace(namespace) => {
            format!(
                "{root}/{api_version}/namespaces/{namespace}/{}",
                kind.plural
            )
        }
        Scope::Cluster => format!("{root}/{api_version}/{}", kind.plural),
    }
}

/// A query string of the parameters that are not empty.
fn query(parameters: &[(&str, &str)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(parameters.iter().filter(|(_, value)| !value.is_empty()));
    query.finish()
}

#[cfg(test)]
mod tests;

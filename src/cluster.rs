//! The Kubernetes API server, as this charm uses it.
//!
//! Requests take their form from [`kube::core::Request`], and their paths from the table of
//! [`crate::k8s::kind`], so no discovery is needed. All writes are in [`write`](mod@write), and all
//! requests go out through `request`, which bounds how long they take.

pub mod connect;
pub mod error;
pub mod list;
mod request;
pub mod watch;
pub mod write;

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::version::Info;
use kube::Client;
use kube::core::params::{GetParams, ListParams};
use kube::core::subresource::LogParams;
use kube::core::{ApiResource, DynamicObject, Request, Resource as _};
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::k8s::kind::{Kind, NAMESPACE, POD};
use crate::k8s::object::{Object, ObjectId};
use crate::k8s::version::KubernetesVersion;
use error::{ClusterError, Operation};
use list::Page;

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

impl<'a> Scope<'a> {
    /// The namespace; `None` for the whole cluster.
    pub fn namespace(self) -> Option<&'a str> {
        match self {
            Self::Namespace(namespace) => Some(namespace),
            Self::Cluster => None,
        }
    }
}

impl<'a> From<Option<&'a str>> for Scope<'a> {
    fn from(namespace: Option<&'a str>) -> Self {
        namespace.map_or(Self::Cluster, Self::Namespace)
    }
}

/// Which run of a container a log is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Run {
    /// The one that runs now.
    Current,
    /// The one that ended before it, or instead of it.
    Crashed,
}

/// Label and field selectors of a list or watch, as `kubectl` takes them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Selector<'a> {
    /// Label selector; empty for all.
    pub labels: &'a str,
    /// Field selector; empty for all.
    pub fields: &'a str,
}

impl<'a> Selector<'a> {
    /// Selects by labels alone.
    pub fn of_labels(labels: &'a str) -> Self {
        Self { labels, fields: "" }
    }

    /// Selects by fields alone.
    pub fn of_fields(fields: &'a str) -> Self {
        Self { labels: "", fields }
    }

    /// The parameters of a list of all that is selected.
    fn parameters(&self) -> ListParams {
        ListParams {
            label_selector: non_empty(self.labels),
            field_selector: non_empty(self.fields),
            ..ListParams::default()
        }
    }
}

fn non_empty(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// How much of a log is read at most, in bytes: a line may be of any length.
const LONGEST_LOG: i64 = 64 * 1024;

impl Cluster {
    /// The namespace of the model.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The API server's version.
    ///
    /// # Errors
    /// When the server does not answer, or answers with something that is not a version.
    pub async fn version(&self) -> Result<KubernetesVersion, ClusterError> {
        let operation = Operation::new("reading", "the Kubernetes version");
        let info: Info = self.json(request::get("/version"), &operation).await?;
        KubernetesVersion::parse(&format!("{}.{}", info.major, info.minor))
            .ok_or_else(|| ClusterError::unexpected(&operation, &info.git_version))
    }

    /// One object; `None` when it does not exist.
    ///
    /// # Errors
    /// When the server does not answer, or refuses. Not when the object or its kind is missing.
    pub async fn get(&self, id: &ObjectId) -> Result<Option<Object>, ClusterError> {
        let operation = Operation::new("reading", id);
        let (api, name) = api_of(id)?;
        let request = api.get(name, &GetParams::default());
        match self.json::<Value>(request, &operation).await {
            Ok(value) => to_object(value, &operation).map(Some),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The Namespace with this name; `None` when it does not exist.
    ///
    /// # Errors
    /// As [`Cluster::list`].
    pub async fn find_namespace(&self, name: &str) -> Result<Option<Object>, ClusterError> {
        let fields = format!("metadata.name={name}");
        let selector = Selector::of_fields(&fields);
        let found = self.list(&NAMESPACE, Scope::Cluster, selector).await?;
        Ok(found.items.into_iter().next())
    }

    /// Whether any object of a definition's kind exists in the cluster.
    ///
    /// # Errors
    /// When the server does not answer or refuses.
    pub async fn has_custom_resources(&self, definition: &Object) -> Result<bool, ClusterError> {
        let operation = Operation::new("listing", &definition.id().name);
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
        let api = Request::new(format!("/apis/{group}/{version}/{plural}"));
        let first = api.list(&ListParams::default().limit(1));
        match self.json::<Page<IgnoredAny>>(first, &operation).await {
            Ok(page) => Ok(!page.items.is_empty()),
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
        let operation = Operation::new("asking", format_args!("Pod {namespace}/{pod}"));
        let path = format!("/api/v1/namespaces/{namespace}/pods/https:{pod}:{port}/proxy/{path}");
        self.json(request::post(&path, question), &operation).await
    }

    /// The last lines that a container wrote.
    ///
    /// # Errors
    /// When the server or the node does not answer, or refuses.
    pub async fn last_lines(
        &self,
        pod: &str,
        container: &str,
        run: Run,
        lines: u32,
    ) -> Result<String, ClusterError> {
        let namespace = &self.namespace;
        let operation = Operation::new("reading", format_args!("the log of Pod {namespace}/{pod}"));
        let parameters = LogParams {
            container: Some(container.to_owned()),
            previous: run == Run::Crashed,
            tail_lines: Some(lines.into()),
            limit_bytes: Some(LONGEST_LOG),
            ..LogParams::default()
        };
        let api = api(&POD, Scope::Namespace(namespace));
        self.text(api.logs(pod, &parameters), &operation).await
    }
}

fn to_object(value: Value, operation: &Operation) -> Result<Object, ClusterError> {
    Object::from_value(value)
        .map_err(|error| ClusterError::unexpected(operation, &error.to_string()))
}

/// Requests for one object, with its name.
fn api_of(id: &ObjectId) -> Result<(Request, &str), ClusterError> {
    let Some(kind) = id.known_kind() else {
        let operation = Operation::new("finding", id);
        let why = "this charm does not know the kind";
        return Err(ClusterError::unexpected(&operation, why));
    };
    let scope = Scope::from(id.namespace.as_deref());
    Ok((api(kind, scope), &id.name))
}

/// Requests for the objects of a kind.
fn api(kind: &Kind, scope: Scope<'_>) -> Request {
    let resource = ApiResource {
        group: kind.group.to_owned(),
        version: kind.version.to_owned(),
        api_version: kind.api_version(),
        kind: kind.kind.to_owned(),
        plural: kind.plural.to_owned(),
    };
    Request::new(DynamicObject::url_path(&resource, scope.namespace()))
}

#[cfg(test)]
mod tests;

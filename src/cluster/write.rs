//! The only place that writes to the cluster.

use http::Method;
use serde_json::{Value, json};

use super::error::{ClusterError, Doing};
use super::request::Content;
use super::{Cluster, Scope, collection_path, object_path, query, to_object};
use crate::k8s::kind::Kind;
use crate::k8s::managed_fields::FIELD_MANAGER;
use crate::k8s::object::{Object, ObjectId};
use crate::k8s::rollout::RESTARTED_AT;

/// The field manager of restarts.
const RESTARTER: &str = "istio-pilot-restart";

/// Whether a write is only checked by the server, or kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Checked as if it were kept: admission, validation, rights. Nothing changes.
    DryRun,
    /// Kept.
    Write,
}

/// What to do about fields that another manager owns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnConflict {
    /// The write fails and names them.
    Fail,
    /// This charm takes them.
    Take,
}

impl Cluster {
    /// Applies an object by server-side apply, under the charm's field manager, with strict checks.
    ///
    /// # Errors
    /// When the server does not answer, refuses, or reports a conflict.
    pub async fn apply(
        &self,
        object: &Object,
        mode: Mode,
        on_conflict: OnConflict,
    ) -> Result<Object, ClusterError> {
        let doing = Doing::new("applying", object.id());
        let query = query(&[
            ("fieldManager", FIELD_MANAGER),
            ("fieldValidation", "Strict"),
            (
                "force",
                if on_conflict == OnConflict::Take {
                    "true"
                } else {
                    ""
                },
            ),
            ("dryRun", if mode == Mode::DryRun { "All" } else { "" }),
        ]);
        let path = format!("{}?{query}", object_path(object.id())?);
        let content = Content {
            media_type: "application/apply-patch+yaml",
            value: object.value(),
        };
        let value = self
            .json(Method::PATCH, path, Some(content), &doing)
            .await?;
        to_object(value, &doing)
    }

    /// Replaces an object's `managedFields`, if it has not changed since it was read.
    ///
    /// # Errors
    /// When the server does not answer or refuses, or the object has changed.
    pub async fn set_managed_fields(
        &self,
        live: &Object,
        managed_fields: Value,
    ) -> Result<Object, ClusterError> {
        let doing = Doing::new("taking over", live.id());
        let resource_version = live.at("/metadata/resourceVersion").cloned();
        let body = json!({"metadata": {
            "resourceVersion": resource_version.unwrap_or_default(),
            "managedFields": managed_fields,
        }});
        let path = object_path(live.id())?;
        let value = self
            .json(Method::PATCH, path, Some(merge(&body)), &doing)
            .await?;
        to_object(value, &doing)
    }

    /// Deletes exactly the object with this `metadata.uid`; its dependents follow in the background.
    ///
    /// # Errors
    /// When the server does not answer or refuses. Not when the object is gone, or another one has
    /// its name.
    pub async fn delete(&self, id: &ObjectId, uid: &str) -> Result<(), ClusterError> {
        let doing = Doing::new("deleting", id);
        let body = json!({
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "propagationPolicy": "Background",
            "preconditions": {"uid": uid},
        });
        let path = object_path(id)?;
        let content = Content {
            media_type: "application/json",
            value: &body,
        };
        match self.text(Method::DELETE, path, Some(content), &doing).await {
            Ok(_) => Ok(()),
            // 409 is the precondition: another object has the name now.
            Err(error) if error.is_gone() => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Has a workload's controller replace all its pods, as `kubectl rollout restart` does: by an
    /// annotation on its pods' template, whose value `at` is the time in RFC 3339.
    ///
    /// # Errors
    /// When the server does not answer or refuses, or the workload is gone.
    pub async fn restart(
        &self,
        kind: &Kind,
        namespace: &str,
        name: &str,
        at: &str,
    ) -> Result<(), ClusterError> {
        let doing = Doing::new(
            "restarting",
            format_args!("{} {namespace}/{name}", kind.kind),
        );
        let annotations = json!({RESTARTED_AT: at});
        let body = json!({"spec": {"template": {"metadata": {"annotations": annotations}}}});
        // A manager of its own: the workload is not this charm's.
        let query = query(&[("fieldManager", RESTARTER)]);
        let collection = collection_path(kind, Scope::Namespace(namespace));
        let path = format!("{collection}/{name}?{query}");
        self.text(Method::PATCH, path, Some(merge(&body)), &doing)
            .await
            .map(drop)
    }
}

/// A patch that changes the fields which it has.
fn merge(value: &Value) -> Content<'_> {
    Content {
        media_type: "application/merge-patch+json",
        value,
    }
}

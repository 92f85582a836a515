//! The only place that writes to the cluster.

use kube::core::params::{DeleteParams, Patch, PatchParams, Preconditions};
use serde_json::{Map, Value, json};

use super::error::{ClusterError, Operation};
use super::{Cluster, Scope, api, api_of, to_object};
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
        let operation = Operation::new("applying", object.id());
        let parameters = PatchParams {
            dry_run: mode == Mode::DryRun,
            force: on_conflict == OnConflict::Take,
            ..PatchParams::apply(FIELD_MANAGER).validation_strict()
        };
        let (api, name) = api_of(object.id())?;
        let request = api.patch(name, &parameters, &Patch::Apply(object.value()));
        let value = self.json(request, &operation).await?;
        to_object(value, &operation)
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
        let operation = Operation::new("taking over", live.id());
        let resource_version = live.resource_version();
        let body = json!({"metadata": {
            "resourceVersion": resource_version.unwrap_or_default(),
            "managedFields": managed_fields,
        }});
        let (api, name) = api_of(live.id())?;
        let request = api.patch(name, &PatchParams::default(), &Patch::Merge(body));
        let value = self.json(request, &operation).await?;
        to_object(value, &operation)
    }

    /// Takes labels off an object, whoever has put them there.
    ///
    /// # Errors
    /// When the server does not answer or refuses.
    pub async fn remove_labels(
        &self,
        id: &ObjectId,
        labels: &[&str],
    ) -> Result<Object, ClusterError> {
        let operation = Operation::new("taking labels off", id);
        let labels: Map<String, Value> = labels
            .iter()
            .map(|label| ((*label).to_owned(), Value::Null))
            .collect();
        let body = json!({"metadata": {"labels": labels}});
        let (api, name) = api_of(id)?;
        let request = api.patch(name, &PatchParams::default(), &Patch::Merge(body));
        let value = self.json(request, &operation).await?;
        to_object(value, &operation)
    }

    /// Deletes exactly the object with this `metadata.uid`; its dependents follow in the background.
    ///
    /// # Errors
    /// When the server does not answer or refuses. Not when the object is gone, or another one has
    /// its name.
    pub async fn delete(&self, id: &ObjectId, uid: &str) -> Result<(), ClusterError> {
        let operation = Operation::new("deleting", id);
        let parameters = DeleteParams::background().preconditions(Preconditions {
            uid: Some(uid.to_owned()),
            ..Preconditions::default()
        });
        let (api, name) = api_of(id)?;
        match self.text(api.delete(name, &parameters), &operation).await {
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
        let operation = Operation::new(
            "restarting",
            format_args!("{} {namespace}/{name}", kind.kind),
        );
        let annotations = json!({RESTARTED_AT: at});
        let body = json!({"spec": {"template": {"metadata": {"annotations": annotations}}}});
        // A manager of its own: the workload is not this charm's.
        let parameters = PatchParams {
            field_manager: Some(RESTARTER.to_owned()),
            ..PatchParams::default()
        };
        let api = api(kind, Scope::Namespace(namespace));
        let request = api.patch(name, &parameters, &Patch::Merge(body));
        self.text(request, &operation).await.map(drop)
    }
}

//! Carries out the changes that are allowed now.

use futures::{StreamExt, stream};

use super::observe::AT_ONCE;
use super::{Interruption, Permission, Reconcile};
use crate::cluster::Cluster;
use crate::cluster::error::{ClusterError, FailureKind, FieldConflict};
use crate::cluster::write::{Mode, OnConflict};
use crate::k8s::kind::{
    CLUSTER_ROLE_BINDING, DEPLOYMENT, HORIZONTAL_POD_AUTOSCALER, Kind, ROLE_BINDING,
};
use crate::k8s::object::{LiveObjects, Object};
use crate::observed::attempts::Refusal;
use crate::plan::adoption::adopted_managed_fields;
use crate::plan::{Deletion, Upsert};
use crate::step::journal::Journal;

impl Reconcile<'_> {
    /// Applies objects: the server checks all of them first, some at once, then they are written in
    /// order.
    ///
    /// What the cluster does not take is noted, and nothing more is written: the next assessment
    /// shows what can do without it. Returns whether the unit still may write.
    ///
    /// # Errors
    /// When the server does not answer, or does not let this charm do anything.
    pub(super) async fn apply(
        &mut self,
        upserts: &[&Upsert],
        live: &LiveObjects,
    ) -> Result<Permission, Interruption> {
        let mut all_taken = true;
        let checks = upserts.iter().map(|upsert| check(self.cluster, upsert));
        let mut checks = stream::iter(checks)
            .buffered(AT_ONCE)
            .zip(stream::iter(upserts));
        while let Some((checked, upsert)) = checks.next().await {
            all_taken &= self.is_taken(upsert, checked)?.is_some();
        }
        drop(checks);
        if !all_taken {
            return Ok(Permission::Granted);
        }
        for upsert in upserts {
            let permission = self.permission()?;
            if permission != Permission::Granted {
                return Ok(permission);
            }
            let before = live.get(upsert.object.id());
            let written = write(self.cluster, upsert, before, &mut self.journal).await;
            let Some(mut after) = self.is_taken(upsert, written)? else {
                return Ok(Permission::Granted);
            };
            if !upsert.sheds.is_empty() {
                let id = upsert.object.id();
                after = self.cluster.remove_labels(id, &upsert.sheds).await?;
            }
            log(upsert);
            let before = before.and_then(|it| it.resource_version());
            self.journal
                .applied(&upsert.object, before, after.resource_version());
        }
        Ok(Permission::Granted)
    }

    /// What came of a write; `None` when the cluster does not take the object, which is noted.
    fn is_taken<T>(
        &mut self,
        upsert: &Upsert,
        written: Result<T, ClusterError>,
    ) -> Result<Option<T>, ClusterError> {
        match written {
            Err(error) if error.is_about_the_object() => {
                let refusal = Refusal {
                    kind: error.kind().clone(),
                    text: error.to_string(),
                };
                self.journal.refused(&upsert.object, refusal);
                Ok(None)
            }
            other => other.map(Some),
        }
    }

    /// Deletes objects. A refused deletion does not stop the others. Returns whether the unit still
    /// may write.
    ///
    /// # Errors
    /// For the first request that the server refuses or does not answer.
    pub(super) async fn delete(
        &mut self,
        deletions: &[&Deletion],
    ) -> Result<Permission, Interruption> {
        let mut refusal = None;
        for deletion in deletions {
            let permission = self.permission()?;
            if permission != Permission::Granted {
                return Ok(permission);
            }
            tracing::info!("deleting {}", deletion.id);
            match self.cluster.delete(&deletion.id, &deletion.uid).await {
                Ok(()) => self.journal.deleted(&deletion.id),
                Err(error) => refusal = refusal.or(Some(error)),
            }
        }
        refusal.map_or(Ok(Permission::Granted), |error| Err(error.into()))
    }
}

/// Lets the server check a write. Conflicts are handled when the object is written.
async fn check(cluster: &Cluster, upsert: &Upsert) -> Result<(), ClusterError> {
    match cluster
        .apply(&upsert.object, Mode::DryRun, OnConflict::Take)
        .await
    {
        // Without the right to bind, a binding is checked against its role, which comes with it.
        Err(error) if error.is_not_found() && is_new_binding(upsert) => Ok(()),
        // An object that has to be recreated cannot be checked while the old one exists.
        Err(error) if matches!(error.kind(), FailureKind::Immutable(_)) && may_recreate(upsert) => {
            Ok(())
        }
        other => other.map(|_| ()),
    }
}

async fn write(
    cluster: &Cluster,
    upsert: &Upsert,
    live: Option<&Object>,
    journal: &mut Journal,
) -> Result<Object, ClusterError> {
    let mut on_conflict = OnConflict::Fail;
    let mut version = upsert.only_at.clone();
    if let Some(live) = live.filter(|_| upsert.adopts)
        && let Some(managed_fields) = adopted_managed_fields(live)
    {
        let adopted = cluster.set_managed_fields(live, managed_fields).await?;
        version = version.and_then(|_| adopted.resource_version().map(str::to_owned));
        tracing::info!("adopted {}", live.id());
        on_conflict = OnConflict::Take;
    }
    let object = match &version {
        Some(version) => &upsert.object.only_at(version),
        None => &upsert.object,
    };
    match cluster.apply(object, Mode::Write, on_conflict).await {
        Err(error) => match (error.kind(), live) {
            (FailureKind::Conflict(conflicts), Some(live))
                if conflicts.iter().all(|conflict| is_edit(conflict, live)) =>
            {
                for FieldConflict { field, message } in conflicts {
                    journal.warn(format!("{}: {field} is set back ({message})", live.id()));
                }
                cluster.apply(object, Mode::Write, OnConflict::Take).await
            }
            (FailureKind::Immutable(why), Some(live)) if may_recreate(upsert) => {
                tracing::info!("recreating {}: {why}", live.id());
                let uid = live.uid().unwrap_or_default();
                cluster.delete(live.id(), uid).await?;
                cluster
                    .apply(&upsert.object, Mode::Write, OnConflict::Fail)
                    .await
            }
            _ => Err(error),
        },
        applied => applied,
    }
}

/// Whether a conflict is with an edit, which is drift, rather than with another tool that applies
/// the same object and would undo every change.
///
/// For a manager that updates, the server's message also has the version: `"kubectl-edit" using
/// v1`.
fn is_edit(conflict: &FieldConflict, live: &Object) -> bool {
    let manager = conflict.message.split('"').nth(1).unwrap_or_default();
    !live
        .managed_fields()
        .any(|entry| entry.manager() == manager && entry.is_applied())
}

fn is_new_binding(upsert: &Upsert) -> bool {
    let is_binding = upsert.object.is(&ROLE_BINDING) || upsert.object.is(&CLUSTER_ROLE_BINDING);
    is_binding && upsert.differences.is_none()
}

/// Whether an object may be recreated when a field cannot be changed: its kind holds no state.
fn may_recreate(upsert: &Upsert) -> bool {
    const KINDS: [Kind; 4] = [
        DEPLOYMENT,
        ROLE_BINDING,
        CLUSTER_ROLE_BINDING,
        HORIZONTAL_POD_AUTOSCALER,
    ];
    KINDS.iter().any(|kind| upsert.object.is(kind))
}

fn log(upsert: &Upsert) {
    let id = upsert.object.id();
    match &upsert.differences {
        None => tracing::info!("created {id}"),
        Some(differences) => {
            let fields: Vec<_> = differences
                .iter()
                .take(3)
                .map(|it| it.path.as_str())
                .collect();
            tracing::info!(
                "changed {id} ({} fields: {} …)",
                differences.len(),
                fields.join(", ")
            );
        }
    }
}

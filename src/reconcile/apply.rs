//! Carries out the changes that are allowed now.

use crate::cluster::Cluster;
use crate::cluster::error::{ClusterError, FailureKind, FieldConflict};
use crate::cluster::write::{Mode, OnConflict};
use crate::k8s::kind::{
    CLUSTER_ROLE_BINDING, DEPLOYMENT, HORIZONTAL_POD_AUTOSCALER, Kind, ROLE_BINDING,
};
use crate::k8s::object::{LiveObjects, Object};
use crate::plan::adoption::adopted_managed_fields;
use crate::plan::{Deletion, Upsert};
use crate::step::journal::Journal;

/// Applies objects: the server checks all of them first, then they are written in order.
///
/// # Errors
/// For the first request that the server refuses or does not answer.
pub(super) async fn apply(
    cluster: &Cluster,
    upserts: &[&Upsert],
    live: &LiveObjects,
    journal: &mut Journal,
) -> Result<(), ClusterError> {
    for upsert in upserts {
        check(cluster, upsert).await?;
    }
    for upsert in upserts {
        let id = upsert.object.id();
        let before = live.get(id);
        let after = write(cluster, upsert, before, journal).await?;
        log(upsert);
        let before = before.and_then(|it| it.resource_version());
        journal.applied(id, before, after.resource_version());
    }
    Ok(())
}

/// Deletes objects. A refused deletion does not stop the others.
///
/// # Errors
/// For the first request that the server refuses or does not answer.
pub(super) async fn delete(cluster: &Cluster, deletions: &[&Deletion]) -> Result<(), ClusterError> {
    let mut refusal = None;
    for deletion in deletions {
        tracing::info!("deleting {}", deletion.id);
        if let Err(error) = cluster.delete(&deletion.id, &deletion.uid).await {
            refusal = refusal.or(Some(error));
        }
    }
    refusal.map_or(Ok(()), Err)
}

/// Lets the server check a write. Conflicts are handled when the object is written.
async fn check(cluster: &Cluster, upsert: &Upsert) -> Result<(), ClusterError> {
    match cluster
        .apply(&upsert.object, Mode::DryRun, OnConflict::Take)
        .await
    {
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
    if let Some(live) = live.filter(|_| upsert.adopts)
        && let Some(managed_fields) = adopted_managed_fields(live)
    {
        cluster.set_managed_fields(live, managed_fields).await?;
        tracing::info!("adopted {}", live.id());
        on_conflict = OnConflict::Take;
    }
    match cluster
        .apply(&upsert.object, Mode::Write, on_conflict)
        .await
    {
        Err(error) => match (error.kind(), live) {
            (FailureKind::Conflict(conflicts), Some(live))
                if conflicts.iter().all(|conflict| is_edit(conflict, live)) =>
            {
                for FieldConflict { field, message } in conflicts {
                    journal.warn(format!("{}: {field} is set back ({message})", live.id()));
                }
                cluster
                    .apply(&upsert.object, Mode::Write, OnConflict::Take)
                    .await
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

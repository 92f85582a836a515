//! Carrying out what a plan allows now.

use super::Reconciler;
use crate::cluster::Cluster;
use crate::cluster::error::{ClusterError, Fault, FieldConflict};
use crate::cluster::write::{Mode, OnConflict};
use crate::k8s::object::Object;
use crate::plan::Upsert;
use crate::plan::adoption::adopted_managed_fields;
use crate::snapshot::Snapshot;

/// How often one object is applied in one hook, before it is taken for a quarrel with somebody.
const MOST_ATTEMPTS: u32 = 3;

/// What became of an object applied in this hook.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Applied {
    attempts: u32,
    /// The version at which applying changed nothing, whatever the plan says.
    unchanged_at: Option<String>,
}

impl Reconciler<'_> {
    /// Whether applying an object can still be of use in this hook.
    pub(super) fn may_apply(&self, upsert: &Upsert, snapshot: &Snapshot) -> bool {
        let Some(applied) = self.applied.get(upsert.object.id()) else {
            return true;
        };
        let live = snapshot
            .live
            .get(upsert.object.id())
            .and_then(resource_version);
        applied.attempts < MOST_ATTEMPTS && (live.is_none() || applied.unchanged_at != live)
    }

    /// Applies a batch: checked by the server as a whole first, then written in order.
    pub(super) async fn apply(
        &mut self,
        upserts: &[&Upsert],
        snapshot: &Snapshot,
    ) -> Result<(), ClusterError> {
        for upsert in upserts {
            check(self.cluster, upsert).await?;
        }
        for upsert in upserts {
            let id = upsert.object.id();
            let before = snapshot.live.get(id);
            let after = write(self.cluster, upsert, before, &mut self.warnings).await?;
            log(upsert);
            let applied = self.applied.entry(id.clone()).or_default();
            applied.attempts += 1;
            let after = resource_version(&after);
            let same = before.and_then(resource_version) == after;
            applied.unchanged_at = if same { after } else { None };
            if applied.attempts == MOST_ATTEMPTS {
                self.warnings.push(format!(
                    "{id} does not stay as this charm applies it; something else changes it"
                ));
            }
        }
        Ok(())
    }
}

/// Lets the server check a write. Conflicts are dealt with when writing.
async fn check(cluster: &Cluster, upsert: &Upsert) -> Result<(), ClusterError> {
    match cluster
        .apply(&upsert.object, Mode::DryRun, OnConflict::Take)
        .await
    {
        // What is to be recreated cannot be checked while the old one is there.
        Err(error) if matches!(error.fault(), Fault::Immutable(_)) && may_recreate(upsert) => {
            Ok(())
        }
        other => other.map(|_| ()),
    }
}

async fn write(
    cluster: &Cluster,
    upsert: &Upsert,
    live: Option<&Object>,
    warnings: &mut Vec<String>,
) -> Result<Object, ClusterError> {
    let mut on_conflict = OnConflict::Fail;
    if let Some(live) = live.filter(|_| upsert.adopts)
        && let Some(managed_fields) = adopted_managed_fields(live)
    {
        cluster.set_managed_fields(live, managed_fields).await?;
        tracing::info!("took over {}", live.id());
        on_conflict = OnConflict::Take;
    }
    match cluster
        .apply(&upsert.object, Mode::Write, on_conflict)
        .await
    {
        Err(error) => match (error.fault(), live) {
            (Fault::Conflict(conflicts), Some(live))
                if conflicts.iter().all(|it| is_edit(it, live)) =>
            {
                for FieldConflict { field, message } in conflicts {
                    warnings.push(format!("{}: {field} is set back ({message})", live.id()));
                }
                cluster
                    .apply(&upsert.object, Mode::Write, OnConflict::Take)
                    .await
            }
            (Fault::Immutable(why), Some(live)) if may_recreate(upsert) => {
                tracing::info!("recreating {}: {why}", live.id());
                let uid = live.at("/metadata/uid").and_then(serde_json::Value::as_str);
                cluster.delete(live.id(), uid.unwrap_or_default()).await?;
                cluster
                    .apply(&upsert.object, Mode::Write, OnConflict::Fail)
                    .await
            }
            _ => Err(error),
        },
        applied => applied,
    }
}

/// Whether a conflict is with an edit, which is drift, and not with another tool that applies the
/// same object and would set it back for ever.
///
/// The server names a manager that updates with the version it used: `"kubectl-edit" using v1`.
fn is_edit(conflict: &FieldConflict, live: &Object) -> bool {
    let manager = conflict.message.split('"').nth(1).unwrap_or_default();
    !live
        .managed_fields()
        .any(|it| it.manager() == manager && it.is_applied())
}

/// Kinds that hold no state of their own and may be made anew when a field cannot be changed.
fn may_recreate(upsert: &Upsert) -> bool {
    matches!(
        upsert.object.kind(),
        "Deployment" | "RoleBinding" | "ClusterRoleBinding" | "HorizontalPodAutoscaler"
    )
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

pub(super) fn resource_version(object: &Object) -> Option<String> {
    object
        .at("/metadata/resourceVersion")?
        .as_str()
        .map(str::to_owned)
}

//! The workloads that keep stale pods, and how they can be restarted.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::keeper::{Controller, Keeper, Rollout};
use super::{Reason, StalePod};
use crate::k8s::kind::{self, Kind};
use crate::k8s::object::ObjectId;

/// The kinds whose objects have to be read, to find the workloads of these pods and whether they
/// can be restarted.
pub fn kinds_to_read(pods: &[StalePod]) -> Vec<Kind> {
    let controllers = || pods.iter().filter_map(|it| it.controller.as_ref());
    let keeps_some = |kind: &Kind| controllers().any(|it| it.is(kind));
    let is_read = |kind: &Kind| {
        // A Deployment keeps its pods through ReplicaSets.
        keeps_some(kind) || (*kind == kind::DEPLOYMENT && keeps_some(&kind::REPLICA_SET))
    };
    READ.into_iter().filter(is_read).collect()
}

/// The kinds among which [`kinds_to_read`] chooses.
const READ: [Kind; 5] = [
    kind::DEPLOYMENT,
    kind::REPLICA_SET,
    kind::STATEFUL_SET,
    kind::DAEMON_SET,
    kind::JOB,
];

/// Whether more has to be read of the objects of a kind than their metadata.
pub fn has_rollouts(kind: &Kind) -> bool {
    ROLLED_OUT.contains(kind)
}

/// The kinds that can be restarted by a change of their pods' template.
const ROLLED_OUT: [Kind; 3] = [kind::DEPLOYMENT, kind::STATEFUL_SET, kind::DAEMON_SET];

/// A workload with stale pods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workload {
    /// The workload; for a bare pod the pod itself.
    pub id: ObjectId,
    /// What keeps the workload itself, such as the Notebook of a StatefulSet.
    pub owner: Option<Controller>,
    /// How many of its pods are stale.
    pub pods: usize,
    /// Why they are.
    pub reasons: BTreeSet<Reason>,
    /// Whether the charm can restart it.
    pub restart: Restart,
}

impl Workload {
    /// Whether some of its pods cannot start.
    pub fn has_failed(&self) -> bool {
        has_failed(&self.reasons)
    }
}

/// Whether the charm can restart a workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restart {
    /// By a rollout of this kind.
    Rollout(Kind),
    /// It cannot; the text says what a person can do.
    No(&'static str),
}

impl Restart {
    /// Whether the charm can restart it.
    pub fn is_possible(&self) -> bool {
        matches!(self, Self::Rollout(_))
    }
}

impl fmt::Display for Restart {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rollout(_) => formatter.write_str("yes"),
            Self::No(why) => write!(formatter, "no: {why}"),
        }
    }
}

/// What the restart action does with workloads, and in which order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// Workloads to restart, one after the other.
    pub chosen: Vec<Workload>,
    /// Workloads that could be restarted, but are more than asked for.
    pub beyond: Vec<Workload>,
    /// Workloads that cannot be restarted.
    pub others: Vec<Workload>,
}

impl Choice {
    /// Chooses at most `most` workloads that can be restarted, or all; those with pods that cannot
    /// start come first.
    pub fn among(workloads: Vec<Workload>, most: Option<usize>) -> Self {
        let (mut chosen, others): (Vec<_>, Vec<_>) = workloads
            .into_iter()
            .partition(|it| it.restart.is_possible());
        chosen.sort_by_key(|it| !it.has_failed());
        let count = most.unwrap_or(chosen.len()).min(chosen.len());
        let beyond = chosen.split_off(count);
        Self {
            chosen,
            beyond,
            others,
        }
    }

    /// All workloads, in that order.
    pub fn all(&self) -> Vec<Workload> {
        [&*self.chosen, &self.beyond, &self.others].concat()
    }
}

/// The workloads of stale pods, sorted by namespace, kind and name.
///
/// `keepers` are the objects of the kinds that [`kinds_to_read`] names; an object that is missing
/// there is gone.
pub fn workloads(pods: &[StalePod], keepers: &[Keeper]) -> Vec<Workload> {
    let keepers: BTreeMap<&ObjectId, &Keeper> = keepers.iter().map(|it| (&it.id, it)).collect();
    let mut found: BTreeMap<(&str, ObjectId), Workload> = BTreeMap::new();
    for pod in pods {
        let (id, owner) = keeper(pod, &keepers);
        let key = (pod.namespace.as_str(), id.clone());
        let workload = found.entry(key).or_insert_with(|| Workload {
            id,
            owner,
            pods: 0,
            reasons: BTreeSet::new(),
            restart: Restart::No(""),
        });
        workload.pods += 1;
        workload.reasons.extend(&pod.reasons);
    }
    for workload in found.values_mut() {
        let live = keepers.get(&workload.id).map(|it| &it.rollout);
        workload.restart = restart(&workload.id, live, &workload.reasons);
    }
    found.into_values().collect()
}

/// The workload that a pod belongs to, and what keeps that.
///
/// The workload is what has to be restarted: the maker of a ReplicaSet or Job rather than that, but
/// a Deployment, StatefulSet or DaemonSet rather than its own maker.
fn keeper(
    pod: &StalePod,
    keepers: &BTreeMap<&ObjectId, &Keeper>,
) -> (ObjectId, Option<Controller>) {
    let Some(controller) = &pod.controller else {
        return (ObjectId::new(&kind::POD, &pod.namespace, &pod.name), None);
    };
    let above = |id: &ObjectId| keepers.get(id).and_then(|it| it.owner.clone());
    let is_between = controller.is(&kind::REPLICA_SET) || controller.is(&kind::JOB);
    let id = controller.clone().in_namespace(&pod.namespace);
    match above(&id) {
        Some(top) if is_between => {
            let id = top.in_namespace(&pod.namespace);
            let owner = above(&id);
            (id, owner)
        }
        owner => (id, owner),
    }
}

fn restart(id: &ObjectId, live: Option<&Rollout>, reasons: &BTreeSet<Reason>) -> Restart {
    let is = |kind: &Kind| id.is(kind);
    if is(&kind::POD) {
        return Restart::No("a bare pod; delete and create it yourself");
    }
    if is(&kind::JOB) {
        return Restart::No("it ends on its own; if it cannot, delete its pod");
    }
    if is(&kind::CRON_JOB) {
        return Restart::No("its next run gets what is new");
    }
    if is(&kind::REPLICA_SET) {
        return Restart::No("a ReplicaSet has no rollouts; delete its pods one by one");
    }
    let Some(kind) = ROLLED_OUT.into_iter().find(is) else {
        return Restart::No("its kind is unknown; restart it by its own means");
    };
    if live.is_some_and(|it| it.paused) {
        return Restart::No("its rollouts are paused; run kubectl rollout resume");
    }
    if live.is_some_and(Rollout::is_on_delete) {
        return Restart::No("its strategy is OnDelete; delete its pods one by one");
    }
    if live.is_some_and(Rollout::keeps_pods_back) {
        return Restart::No("its partition keeps pods back; set it to 0");
    }
    // Its controller replaces no pod while one is not ready, not even that pod
    // (https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#forced-rollback).
    let policy = live.and_then(|it| it.pod_management_policy.as_deref());
    let parallel = policy == Some("Parallel");
    if kind == kind::STATEFUL_SET && !parallel && has_failed(reasons) {
        return Restart::No("its failed pod holds its rollouts; delete that pod first");
    }
    Restart::Rollout(kind)
}

fn has_failed(reasons: &BTreeSet<Reason>) -> bool {
    let failed = |reason: &Reason| matches!(reason, Reason::FailedValidation(_));
    reasons.iter().any(failed)
}

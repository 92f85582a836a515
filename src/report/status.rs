//! The conditions that a hook ended with, as `juju status` shows them.

use std::collections::BTreeSet;

use juju::Status;

use super::{LogLine, Outcome};
use crate::assess::awaited::Awaited;
use crate::assess::upgrade::TooFar;
use crate::cluster::error::{ClusterError, FailureKind, missing_right};
use crate::cni::Phase;
use crate::cni::rollout::AgentFault;
use crate::intent::Intent;
use crate::intent::cni_paths::{CNI_BIN_DIR, CNI_CONF_DIR, CniSetting};
use crate::intent::problem::{Problem, Remedy};
use crate::istio::names;
use crate::k8s::version::KubernetesVersion;
use crate::step::condition::Condition;
use crate::text::{LONGEST_IN_STATUS, shorten, up_to_three};

/// Istio 1.31's own minimum
/// (<https://istio.io/latest/docs/releases/supported-releases/#support-status-of-istio-releases>).
const OLDEST_KUBERNETES: KubernetesVersion = KubernetesVersion {
    major: 1,
    minor: 32,
};

/// The oldest Kubernetes version whose nodes start sidecars before users' init containers
/// (<https://istio.io/latest/docs/setup/additional-setup/cni/#compatibility-with-application-init-containers>).
const NATIVE_SIDECARS: KubernetesVersion = KubernetesVersion {
    major: 1,
    minor: 33,
};

/// The status of a follower.
pub fn standby() -> Status {
    Status::Active("standby".to_owned())
}

/// The status of an application that is gone. Nobody sees it.
pub(super) fn removed() -> Status {
    Status::Active(String::new())
}

/// The status of the worst condition.
pub fn of_outcome(intent: &Intent, outcome: &Outcome) -> Status {
    of_conditions(intent, &[], outcome).0
}

/// The status of the worst condition, and what the log says beyond that. `awaited` is what relations
/// wait for.
pub(super) fn of_conditions(
    intent: &Intent,
    awaited: &[Problem],
    outcome: &Outcome,
) -> (Status, Vec<LogLine>) {
    let kubernetes = outcome.view.as_ref().map(|it| it.kubernetes);
    let conditions = outcome.conditions.iter();
    let conditions = conditions.map(|condition| {
        let status = of_condition(condition, intent, kubernetes);
        (status, in_full(condition))
    });
    // Where there are no conditions nothing was done, because of a problem.
    let problems = intent.problems.iter().chain(awaited);
    let problems = problems.map(|problem| (of_problem(problem), None));
    let all: Vec<(Status, Option<String>)> = conditions.chain(problems).collect();
    let is_alone = all.len() == 1;
    let line = |(status, in_full): &(Status, Option<String>)| match in_full {
        Some(text) => Some(format!("{}: {text}", status.name())),
        // The status itself shows the only one.
        None => (!is_alone).then(|| format!("{}: {}", status.name(), status.message())),
    };
    let log = all.iter().filter_map(line).map(LogLine::Warning).collect();
    let statuses = all.into_iter().map(|(status, _)| status);
    let worst = Status::worst_of(statuses).unwrap_or_else(removed);
    (worst, log)
}

/// The status with one more thing to know.
pub(super) fn with_note(status: Status, note: Option<String>) -> Status {
    let Some(note) = note else {
        return status;
    };
    let with = |text: &str| format!("{text}; {note}");
    match &status {
        Status::Active(text) => Status::Active(with(text)),
        Status::Waiting(text) => Status::Waiting(with(text)),
        Status::Blocked(text) => Status::Blocked(with(text)),
        Status::Maintenance(text) => Status::Maintenance(with(text)),
    }
}

fn of_problem(problem: &Problem) -> Status {
    match problem.remedy {
        Remedy::Person => Status::Blocked(problem.to_string()),
        Remedy::Time => Status::Waiting(problem.to_string()),
    }
}

fn of_condition(
    condition: &Condition,
    intent: &Intent,
    kubernetes: Option<KubernetesVersion>,
) -> Status {
    let application = intent.identity.application();
    match condition {
        Condition::Settled { ready_nodes } => settled(*ready_nodes, intent, kubernetes),
        Condition::InTheWay(obstacle) => Status::Blocked(obstacle.to_string()),
        Condition::TooFar(why) => Status::Blocked(too_far(why, application)),
        Condition::AgentFault(fault, phase) => Status::Blocked(agent_fault(fault, *phase, intent)),
        Condition::StillWaiting(Awaited::Istiod {
            refusal: Some(refusal),
            ..
        }) => Status::Blocked(refusal.remedy(names::ISTIOD, intent.identity.namespace())),
        Condition::StillWaiting(awaited) => Status::Waiting(format!(
            "{awaited}; continues at the next update-status, or: juju run {application}/leader \
             reconcile"
        )),
        Condition::Standby => standby(),
        Condition::Unreachable(reason) => unreachable(reason),
        Condition::Refused(fault, text) => refused(fault, text, application),
    }
}

/// A version that must not be followed, with both ways out.
fn too_far(why: &TooFar, application: &str) -> String {
    format!(
        "{why}: nothing is changed, CNI options included; juju refresh {application} to a revision \
         that may follow, or: juju run {application}/leader upgrade force=true"
    )
}

/// The full text of a condition, for the log, where its status may be shorter.
fn in_full(condition: &Condition) -> Option<String> {
    match condition {
        Condition::Refused(_, text) => Some(text.clone()),
        Condition::StillWaiting(awaited) => {
            let reason = awaited.reason()?;
            Some(format!("{}: {reason}", awaited.progress()))
        }
        Condition::Settled { .. }
        | Condition::InTheWay(_)
        | Condition::TooFar(_)
        | Condition::AgentFault(..)
        | Condition::Unreachable(_)
        | Condition::Standby => None,
    }
}

/// A warning about pods that rely on the CNI, for clusters of older versions.
pub(super) fn without_native_sidecars(kubernetes: KubernetesVersion) -> Option<String> {
    (kubernetes < NATIVE_SIDECARS).then(|| {
        "on nodes older than Kubernetes 1.33, init containers of users' pods have no network while \
         the CNI is on"
            .to_owned()
    })
}

/// The status when no cluster could be reached at all.
pub fn unreachable(reason: &str) -> Status {
    Status::Waiting(format!("no Kubernetes API: {reason}"))
}

/// The status when the cluster refused, or did not answer.
pub fn of_refusal(error: &ClusterError, application: &str) -> Status {
    refused(error.kind(), &error.to_string(), application)
}

fn settled(
    ready_nodes: Option<(u32, u32)>,
    intent: &Intent,
    kubernetes: Option<KubernetesVersion>,
) -> Status {
    let cni = intent.mesh().map(|it| &it.cni);
    let mut text = match (cni, ready_nodes) {
        (_, Some((ready, desired))) => format!("CNI on ({ready}/{desired} nodes)"),
        (
            Some(CniSetting::Off {
                missing: Some(option),
            }),
            None,
        ) => format!("CNI off: {option} is not set"),
        (_, None) => "CNI off".to_owned(),
    };
    if let Some(version) = kubernetes.filter(|it| *it < OLDEST_KUBERNETES) {
        text = format!(
            "{text}; Kubernetes {version} is older than Istio supports ({OLDEST_KUBERNETES})"
        );
    }
    Status::Active(text)
}

fn agent_fault(fault: &AgentFault, phase: Phase, intent: &Intent) -> String {
    match fault {
        AgentFault::Refused(refusal) => {
            refusal.remedy("the CNI node agent", intent.identity.namespace())
        }
        AgentFault::NoConfiguration { nodes } => format!(
            "{CNI_CONF_DIR} holds no CNI configuration on {}: set the directory that the \
             container runtime reads; injection stays at istio-init",
            up_to_three(nodes)
        ),
        AgentFault::PathMissing { paths, nodes } => path_missing(paths, nodes, phase, intent),
    }
}

/// Names the option whose directory is missing, and up to three nodes.
fn path_missing(
    paths: &BTreeSet<String>,
    nodes: &BTreeSet<String>,
    phase: Phase,
    intent: &Intent,
) -> String {
    let set = intent.cni_paths();
    let option = |path: &String| match set {
        Some(set) if *path == set.bin_dir => format!("{CNI_BIN_DIR} {path}"),
        Some(set) if *path == set.conf_dir => format!("{CNI_CONF_DIR} {path}"),
        _ => path.clone(),
    };
    let paths: Vec<_> = paths.iter().map(option).collect();
    let consequence = match phase {
        Phase::On => "pods there cannot start",
        _ => "injection stays at istio-init",
    };
    let verb = if paths.len() == 1 { "does" } else { "do" };
    format!(
        "{} {verb} not exist on {}; {consequence}",
        paths.join(" and "),
        up_to_three(nodes)
    )
}

fn refused(fault: &FailureKind, text: &str, application: &str) -> Status {
    match fault {
        FailureKind::Forbidden(words) => Status::Blocked(format!(
            "not allowed{} by the cluster; run: juju trust {application} --scope=cluster",
            missing_right(words).map_or_else(String::new, |right| format!(" to {right}"))
        )),
        FailureKind::Unauthenticated(_) => Status::Blocked(
            "the API server does not accept the service account's token; delete this unit's pod, \
             and it comes back with a new one"
                .to_owned(),
        ),
        FailureKind::Unavailable(reason) => unreachable(&shorten(reason, LONGEST_IN_STATUS)),
        FailureKind::Failing(_) | FailureKind::Outdated(_) => {
            Status::Waiting(shorten(text, LONGEST_IN_STATUS))
        }
        FailureKind::Denied(_)
        | FailureKind::NotFound(_)
        | FailureKind::Conflict(_)
        | FailureKind::Immutable(_)
        | FailureKind::Invalid(_)
        | FailureKind::Unexpected(_) => Status::Blocked(shorten(text, LONGEST_IN_STATUS)),
    }
}

#[cfg(test)]
mod tests;

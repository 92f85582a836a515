//! From what a reconcile found to what `juju status` shows: pure.

use std::collections::BTreeSet;

use juju::Status;

use crate::cluster::error::{ClusterError, Fault as ClusterFault};
use crate::cni::Phase;
use crate::cni::rollout::Fault;
use crate::configuration::{CNI_BIN_DIR, CNI_CONF_DIR, CniSetting, ConfigurationProblem};
use crate::control_plane::CniPaths;
use crate::decide::{Awaited, Settings};
use crate::k8s::version::KubernetesVersion;
use crate::plan::Obstacle;
use crate::text::{LONGEST_IN_STATUS, shorten, up_to_three};

/// Istio 1.31's own minimum
/// (<https://istio.io/latest/docs/releases/supported-releases/#support-status-of-istio-releases>).
const OLDEST_KUBERNETES: KubernetesVersion = KubernetesVersion {
    major: 1,
    minor: 32,
};

/// The oldest Kubernetes on whose nodes sidecars start before users' init containers
/// (<https://istio.io/latest/docs/setup/additional-setup/cni/#compatibility-with-application-init-containers>).
const NATIVE_SIDECARS: KubernetesVersion = KubernetesVersion {
    major: 1,
    minor: 33,
};

/// One thing to say about the control plane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// All is as asked. With the node agent on: on how many nodes it is ready, of how many.
    Settled {
        /// Ready and desired nodes; `None` when the CNI is off.
        agent: Option<(u32, u32)>,
    },
    /// Objects of others stand in the way.
    InTheWay(Obstacle),
    /// The node agent cannot start until a person does something.
    AgentFault(Fault, Phase),
    /// Not done in time.
    StillWaiting(Awaited),
    /// Another unit has become the leader meanwhile, and goes on.
    Deposed,
    /// The cluster refused, or did not answer; the text says what to which object.
    Refused(ClusterFault, String),
}

/// The status of a follower.
pub fn standby() -> Status {
    Status::Active("standby".to_owned())
}

/// The statuses of options that cannot be used.
pub fn of_problems(problems: &[ConfigurationProblem]) -> Vec<Status> {
    problems
        .iter()
        .map(|it| Status::Blocked(it.to_string()))
        .collect()
}

/// The status of one finding.
pub fn of_finding(finding: &Finding, settings: &Settings) -> Status {
    let Settings {
        application,
        namespace,
        ..
    } = settings;
    match finding {
        Finding::Settled { agent } => settled(*agent, settings),
        Finding::InTheWay(obstacle) => Status::Blocked(obstacle.to_string()),
        Finding::AgentFault(Fault::PodSecurity, _) => Status::Blocked(format!(
            "Pod Security refuses the CNI node agent; run: kubectl label namespace {namespace} \
             --overwrite pod-security.kubernetes.io/enforce=privileged"
        )),
        Finding::AgentFault(Fault::NoConfiguration { nodes }, _) => Status::Blocked(format!(
            "{CNI_CONF_DIR} holds no CNI configuration on {}: set the directory that the \
             container runtime reads; injection stays at istio-init",
            up_to_three(nodes)
        )),
        Finding::AgentFault(Fault::PathMissing { paths, nodes }, phase) => {
            Status::Blocked(path_missing(paths, nodes, *phase, settings))
        }
        Finding::StillWaiting(awaited) => Status::Waiting(still_waiting(awaited, application)),
        Finding::Deposed => standby(),
        Finding::Refused(fault, text) => refused(fault, text, application),
    }
}

/// What a finding says in full, for the log, where its status may say less.
pub fn in_full(finding: &Finding) -> Option<String> {
    match finding {
        Finding::Refused(_, text) => Some(text.clone()),
        Finding::StillWaiting(Awaited {
            progress,
            reason: Some(reason),
        }) => Some(format!("{progress}: {reason}")),
        Finding::Settled { .. }
        | Finding::InTheWay(_)
        | Finding::AgentFault(..)
        | Finding::StillWaiting(_)
        | Finding::Deposed => None,
    }
}

/// What is odd, on a cluster of that version, about pods that rely on the CNI.
pub fn of_switching_on(kubernetes: KubernetesVersion) -> Option<String> {
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
    refused(error.fault(), &error.to_string(), application)
}

fn settled(agent: Option<(u32, u32)>, settings: &Settings) -> Status {
    let mut text = match (&settings.configuration.cni, agent) {
        (_, Some((ready, desired))) => format!("CNI on ({ready}/{desired} nodes)"),
        (
            CniSetting::Off {
                missing: Some(option),
            },
            None,
        ) => format!("CNI off: {option} is not set"),
        (_, None) => "CNI off".to_owned(),
    };
    let KubernetesVersion { major, minor } = settings.kubernetes;
    if settings.kubernetes < OLDEST_KUBERNETES {
        let oldest = OLDEST_KUBERNETES;
        text = format!(
            "{text}; Kubernetes {major}.{minor} is older than Istio supports ({}.{})",
            oldest.major, oldest.minor
        );
    }
    Status::Active(text)
}

/// Names the option whose directory is missing, and up to three nodes.
fn path_missing(
    paths: &BTreeSet<String>,
    nodes: &BTreeSet<String>,
    phase: Phase,
    settings: &Settings,
) -> String {
    let option = |path: &String| match &settings.configuration.cni {
        CniSetting::On(CniPaths { bin_dir, .. }) if path == bin_dir => {
            format!("{CNI_BIN_DIR} {path}")
        }
        CniSetting::On(CniPaths { conf_dir, .. }) if path == conf_dir => {
            format!("{CNI_CONF_DIR} {path}")
        }
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

fn still_waiting(awaited: &Awaited, application: &str) -> String {
    format!(
        "{awaited}; goes on at the next update-status, or: juju run {application}/leader reconcile"
    )
}

fn refused(fault: &ClusterFault, text: &str, application: &str) -> Status {
    match fault {
        ClusterFault::Forbidden(_) => Status::Blocked(format!(
            "not allowed by the cluster; run: juju trust {application} --scope=cluster"
        )),
        ClusterFault::Unauthenticated(_) => Status::Blocked(
            "the API server does not accept the service account's token; delete this unit's pod, \
             and it comes back with a new one"
                .to_owned(),
        ),
        ClusterFault::Unavailable(reason) => unreachable(&shorten(reason, LONGEST_IN_STATUS)),
        ClusterFault::Failing(_) | ClusterFault::Outdated(_) => {
            Status::Waiting(shorten(text, LONGEST_IN_STATUS))
        }
        ClusterFault::Denied(_)
        | ClusterFault::NotFound(_)
        | ClusterFault::Conflict(_)
        | ClusterFault::Immutable(_)
        | ClusterFault::Invalid(_)
        | ClusterFault::Unexpected(_) => Status::Blocked(shorten(text, LONGEST_IN_STATUS)),
    }
}

#[cfg(test)]
mod tests;

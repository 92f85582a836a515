//! What Prometheus scrapes.
//!
//! The other side takes fixed targets only, so the addresses of the node agents' pods are written
//! down and follow the pods at each hook. Until then a pod that has gone looks like one that is
//! down, which the alert rules bear with.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::Pod;
use serde::Serialize;

use crate::endpoints::World;
use crate::istio::{METRICS_PORT, names};
use crate::k8s::pod;

const PATH: &str = "/metrics";

/// One job of Prometheus. The order of the fields is that of Python's library.
#[derive(Debug, Serialize)]
pub(super) struct Job {
    metrics_path: &'static str,
    static_configs: Vec<StaticConfig>,
    /// Only where there is more than one. The first has none, as it always had.
    #[serde(rename = "job_name", skip_serializing_if = "Option::is_none")]
    name: Option<&'static str>,
}

/// Targets, with labels for their series.
#[derive(Debug, Serialize)]
struct StaticConfig {
    targets: [String; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    labels: Option<Labels>,
}

/// The labels of a node agent's series, which those of istiod do not have.
#[derive(Debug, Serialize)]
struct Labels {
    node: String,
}

/// The jobs: istiod, and the node agents where there are any. `None` when what is written has to
/// stay, as it is unknown which node agents there are now.
pub(super) fn of(world: &World<'_>, are_written: bool) -> Option<Vec<Job>> {
    let namespace = world.intent.identity.namespace();
    let istiod = StaticConfig {
        targets: [format!("{}.{namespace}.svc:{METRICS_PORT}", names::ISTIOD)],
        labels: None,
    };
    let mut jobs = vec![job(None, vec![istiod])];
    match agents(world) {
        Some(agents) if agents.is_empty() => {}
        Some(agents) => jobs.push(job(Some(names::NODE_AGENT), agents)),
        None if are_written => return None,
        None => {}
    }
    Some(jobs)
}

fn job(name: Option<&'static str>, static_configs: Vec<StaticConfig>) -> Job {
    Job {
        metrics_path: PATH,
        static_configs,
        name,
    }
}

/// The node agents, in the order of their nodes; `None` when they are unknown.
fn agents(world: &World<'_>) -> Option<Vec<StaticConfig>> {
    let observed = world.observed?;
    if observed.daemon_set().is_none() {
        return Some(Vec::new());
    }
    let agents: BTreeSet<_> = observed.agent_pods()?.iter().filter_map(agent).collect();
    let config = |(node, target): (&str, String)| StaticConfig {
        targets: [target],
        labels: Some(Labels {
            node: node.to_owned(),
        }),
    };
    Some(agents.into_iter().map(config).collect())
}

/// The node of a pod and where it serves its metrics; `None` while it has no address, and once it
/// goes.
fn agent(pod: &Pod) -> Option<(&str, String)> {
    if pod.metadata.deletion_timestamp.is_some() || pod::has_ended(pod) {
        return None;
    }
    let address = pod.status.as_ref()?.pod_ip.as_deref()?;
    let address = if address.contains(':') {
        format!("[{address}]:{METRICS_PORT}")
    } else {
        format!("{address}:{METRICS_PORT}")
    };
    Some((pod::node(pod)?, address))
}

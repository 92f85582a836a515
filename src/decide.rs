//! From what was read to what shall be: pure.

use std::collections::BTreeSet;
use std::fmt;

use k8s_openapi::api::core::v1::Pod;

use crate::cni::rollout::{Rollout, RolloutFacts};
use crate::cni::{self, Agent, Observed, Phase, phase};
use crate::configuration::{CniSetting, Configuration};
use crate::control_plane::{ControlPlane, Injection};
use crate::k8s::kind::{CUSTOM_RESOURCE_DEFINITION, Wave};
use crate::k8s::object::{Object, ObjectId};
use crate::k8s::rollout::{self, NodeCounts, Progress, progress, refusal};
use crate::k8s::version::IstioVersion;
use crate::k8s::version::KubernetesVersion;
use crate::k8s::{labels, node, pod, version};
use crate::names;
use crate::plan::adoption::after_adoption;
use crate::plan::ownership::{Owner, Ownership, ownership};
use crate::plan::{Deletion, LiveObjects, Obstacle, Plan, Upsert, drift};
use crate::render::{RenderError, render};
use crate::snapshot::{AgentFacts, Snapshot};
use crate::text::{LONGEST_IN_STATUS, shorten};

/// The label that all objects of the node agent carry, as upstream's do.
const COMPONENT: &str = "app.kubernetes.io/name";
/// Its value on objects of the node agent.
const NODE_AGENT_COMPONENT: &str = "istio-cni";

/// Who reconciles, and what is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The Juju application's name.
    pub application: String,
    /// The model's namespace.
    pub namespace: String,
    /// What the options ask for.
    pub configuration: Configuration,
    /// The API server's version.
    pub kubernetes: KubernetesVersion,
}

impl Settings {
    /// What this application's objects carry.
    pub fn owner(&self) -> Owner {
        Owner {
            instance: labels::instance(&self.application, &self.namespace),
            namespace: self.namespace.clone(),
        }
    }

    /// Whether the node agent is wanted.
    pub fn wants_agent(&self) -> bool {
        matches!(self.configuration.cni, CniSetting::On(_))
    }

    /// The control plane with or without the node agent, and with that injection.
    pub fn control_plane(&self, agent: bool, injection: Injection) -> ControlPlane {
        ControlPlane {
            application: self.application.clone(),
            namespace: self.namespace.clone(),
            images: self.configuration.images.clone(),
            node_agent: match &self.configuration.cni {
                CniSetting::On(paths) if agent => Some(paths.clone()),
                _ => None,
            },
            injection,
            kubernetes: self.kubernetes,
        }
    }
}

/// The objects that a phase wants, rendered at most once each way.
#[derive(Debug)]
pub struct Wanted {
    agent: bool,
    injection: Injection,
    /// The objects, in the order of applying.
    pub objects: Vec<Object>,
}

impl Wanted {
    /// Renders what is wanted in the end: with the node agent on, pods get `istio-validation`.
    ///
    /// # Errors
    /// A defect of this program.
    pub fn finally(settings: &Settings) -> Result<Self, RenderError> {
        let agent = settings.wants_agent();
        let injection = if agent {
            Injection::IstioValidation
        } else {
            Injection::IstioInit
        };
        let objects = render(&settings.control_plane(agent, injection))?;
        Ok(Self {
            agent,
            injection,
            objects,
        })
    }

    /// Renders what a phase wants, unless that is what stands here.
    ///
    /// # Errors
    /// A defect of this program.
    pub fn in_phase(self, settings: &Settings, phase: Phase) -> Result<Self, RenderError> {
        let (agent, injection) = (phase.applies_agent(), phase.injection());
        if (agent, injection) == (self.agent, self.injection) {
            return Ok(self);
        }
        let objects = render(&settings.control_plane(agent, injection))?;
        Ok(Self {
            agent,
            injection,
            objects,
        })
    }

    /// The identities of the objects.
    pub fn ids(&self) -> Vec<ObjectId> {
        self.objects.iter().map(|it| it.id().clone()).collect()
    }

    /// The node agent's DaemonSet, if it is wanted.
    pub fn daemon_set(&self) -> Option<&Object> {
        self.objects.iter().find(|it| it.kind() == "DaemonSet")
    }
}

/// Whether an object belongs to the node agent.
pub fn is_agents(object: &Object) -> bool {
    object.label(COMPONENT) == Some(NODE_AGENT_COMPONENT)
}

/// Whether the state of the node agent's pods matters for the phase.
pub fn needs_agent_facts(settings: &Settings, snapshot: &Snapshot) -> bool {
    let owner = settings.owner();
    match snapshot.daemon_set(&owner.namespace) {
        // Something of it is left: its pods may be, too.
        None => snapshot
            .live
            .values()
            .any(|it| is_agents(it) && ownership(it, &owner) == Ownership::Ours),
        Some(daemon_set) => !NodeCounts::of(daemon_set).is_complete(),
    }
}

/// The rollout of the node agent, if there is one. Without facts all its pods are known to be ready.
pub fn agent_rollout(
    settings: &Settings,
    snapshot: &Snapshot,
    facts: Option<&AgentFacts>,
) -> Option<Rollout> {
    let daemon_set = snapshot.daemon_set(&settings.namespace)?;
    let Some(facts) = facts else {
        return Some(Rollout::complete(NodeCounts::of(daemon_set)));
    };
    let AgentFacts {
        pods,
        nodes,
        events,
        pod_security,
    } = facts;
    let pod_security = pod_security.as_deref();
    Some(cni::rollout::rollout(RolloutFacts {
        daemon_set,
        pods,
        nodes,
        events,
        pod_security,
    }))
}

/// The phase of the CNI switch. `fits`: the live DaemonSet needs no new pods to be as wanted.
pub fn current_phase(
    settings: &Settings,
    snapshot: &Snapshot,
    fits: bool,
    rollout: Option<&Rollout>,
    facts: Option<&AgentFacts>,
) -> Phase {
    let agent = match snapshot.daemon_set(&settings.namespace) {
        Some(live) if live.at("/metadata/deletionTimestamp").is_some() => Agent::Leaving,
        Some(_) => Agent::Present {
            fits,
            ready: rollout.is_some_and(|it| it.ready),
        },
        None if facts.is_some_and(|it| pods_left(it) > 0) => Agent::Leaving,
        None => Agent::Absent,
    };
    let injection = snapshot.injection(&settings.namespace);
    phase(Observed {
        wanted: settings.wants_agent(),
        injection,
        agent,
    })
}

/// How many pods of the node agent are left on nodes that can still end them. A node that is not
/// Ready keeps its pods until it is back; that may be never.
pub fn pods_left(facts: &AgentFacts) -> usize {
    let alive = |pod: &&Pod| {
        let Some(name) = pod::node(pod) else {
            return true;
        };
        let node = facts
            .nodes
            .iter()
            .find(|it| it.metadata.name.as_deref() == Some(name));
        node.is_some_and(node::is_ready)
    };
    facts.pods.iter().filter(alive).count()
}

/// What of a DaemonSet's specification its pods are made of.
const MAKES_PODS: [&str; 2] = ["template", "selector"];

/// Whether the live DaemonSet needs no new pods. Fields of a tool that this charm replaces pass to
/// it without a change, and so do values that others have set to what is wanted.
pub fn fits(wanted: &Object, live: &Object) -> bool {
    drift::differences(wanted, after_adoption(live).as_ref().unwrap_or(live))
        .iter()
        .filter(|it| it.live != it.wanted)
        .all(|it| {
            !MAKES_PODS
                .iter()
                .any(|part| it.path.starts_with(&format!(".spec.{part}")))
        })
}

/// Whether two DaemonSets have the same pods.
pub fn has_same_template(one: &Object, other: &Object) -> bool {
    let pointers = MAKES_PODS.map(|part| format!("/spec/{part}"));
    pointers.iter().all(|it| one.at(it) == other.at(it))
}

/// The deletion of a node agent that belongs to an installation which this application replaces:
/// it goes when its own would go. It does not carry the marks of this charm, as it stayed as it was
/// until no pod needed it.
pub fn replaced_agent(phase: Phase, settings: &Settings, snapshot: &Snapshot) -> Option<Deletion> {
    let daemon_set = snapshot.daemon_set(&settings.namespace)?;
    let owner = settings.owner();
    let replaced = ownership(daemon_set, &owner) == Ownership::Adopted;
    if phase != Phase::Removing || !replaced {
        return None;
    }
    Some(Deletion {
        id: daemon_set.id().clone(),
        uid: daemon_set.at("/metadata/uid")?.as_str()?.to_owned(),
        under_way: daemon_set.at("/metadata/deletionTimestamp").is_some(),
    })
}

/// The live objects that a phase leaves alone.
pub fn held(phase: Phase, owner: &Owner, live: &LiveObjects) -> BTreeSet<ObjectId> {
    let held = |object: &&Object| {
        is_agents(object) && !matches!(ownership(object, owner), Ownership::Foreign(_))
    };
    let stays = |object: &&Object| match phase {
        Phase::Draining => true,
        Phase::Removing => object.kind() != "DaemonSet",
        Phase::Off | Phase::RollingOut | Phase::On => false,
    };
    live.values()
        .filter(held)
        .filter(stays)
        .map(|it| it.id().clone())
        .collect()
}

/// Other control planes of the default revision, and other node agents, that stand in the way.
pub fn rivals(settings: &Settings, snapshot: &Snapshot) -> Vec<Obstacle> {
    let owner = settings.owner();
    let elsewhere = |object: &Object| {
        let namespace = match object.kind() {
            "MutatingWebhookConfiguration" => object
                .at("/webhooks/0/clientConfig/service/namespace")
                .and_then(|it| it.as_str()),
            _ => object.id().namespace.as_deref(),
        };
        namespace != Some(owner.namespace.as_str())
    };
    let default_revision = |object: &Object| object.label("istio.io/rev") == Some("default");
    let is_rival = |object: &&Object| match object.kind() {
        "Deployment" | "MutatingWebhookConfiguration" => {
            default_revision(object) && elsewhere(object)
        }
        "DaemonSet" => settings.wants_agent() && elsewhere(object),
        _ => false,
    };
    let what = |object: &Object| match object.kind() {
        "DaemonSet" => "another CNI node agent of this cluster",
        _ => "another control plane of the default revision in this cluster",
    };
    let rivals = snapshot.live.values().filter(is_rival);
    rivals
        .map(|it| Obstacle {
            id: it.id().clone(),
            whose: what(it).to_owned(),
        })
        .collect()
}

/// Something that has to happen before a reconcile is done, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Awaited {
    /// What, and how far it is.
    pub progress: String,
    /// Why it is no further, where that is known.
    pub reason: Option<String>,
}

impl fmt::Display for Awaited {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.reason {
            Some(reason) => write!(
                formatter,
                "{} ({})",
                self.progress,
                shorten(reason, LONGEST_IN_STATUS)
            ),
            None => formatter.write_str(&self.progress),
        }
    }
}

/// The part of a plan that may be carried out now.
#[derive(Debug, Default)]
pub struct Batch<'a> {
    /// What to apply.
    pub upserts: Vec<&'a Upsert>,
    /// What the rest waits for.
    pub awaited: Vec<Awaited>,
}

/// Picks what may be applied now: definitions are established before anything else, and webhooks
/// that do not exist yet come after the istiod that they call.
pub fn batch<'a>(plan: &'a Plan, snapshot: &Snapshot, namespace: &str) -> Batch<'a> {
    let of = |wave: Wave| plan.upserts.iter().filter(move |it| it.wave == wave);
    let definitions: Vec<_> = of(Wave::Definitions).collect();
    if !definitions.is_empty() {
        return Batch {
            upserts: definitions,
            awaited: Vec::new(),
        };
    }
    let awaited = not_established(&snapshot.live);
    if !awaited.is_empty() {
        return Batch {
            upserts: Vec::new(),
            awaited,
        };
    }
    let mut upserts: Vec<_> = of(Wave::Foundations).chain(of(Wave::Workloads)).collect();
    let istiod = istiod_progress(snapshot, namespace);
    if istiod.is_none() {
        upserts.extend(of(Wave::Webhooks));
    } else {
        upserts.extend(of(Wave::Webhooks).filter(|it| it.differences.is_some()));
    }
    Batch {
        upserts,
        awaited: istiod.into_iter().collect(),
    }
}

fn not_established(live: &LiveObjects) -> Vec<Awaited> {
    let definitions = live
        .values()
        .filter(|it| it.is(&CUSTOM_RESOURCE_DEFINITION) && !rollout::is_established(it));
    let awaited = definitions.map(|it| Awaited {
        progress: format!("{} not established yet", it.id().name),
        reason: None,
    });
    awaited.collect()
}

/// What istiod still lacks; `None` when it is ready.
pub fn istiod_progress(snapshot: &Snapshot, namespace: &str) -> Option<Awaited> {
    let how_far = match snapshot.istiod(namespace).map(progress) {
        Some(Progress::Done) => return None,
        Some(Progress::NotBegun) => rollout::NOT_BEGUN.to_owned(),
        Some(Progress::Moving(counts) | Progress::Stuck(counts, _)) => {
            format!("{}/{} ready", counts.ready(), counts.wanted)
        }
        None => "not created yet".to_owned(),
    };
    let failing = |pod: &&Pod| !pod::is_ready(pod) && !pod::has_ended(pod);
    let failing = snapshot.istiods.iter().find(failing);
    let refusal = || snapshot.istiod(namespace).and_then(refusal);
    let reason = failing
        .map(|pod| pod::why_not_ready(pod, &[]))
        .or_else(refusal);
    Some(Awaited {
        progress: format!("{} {how_far}", names::ISTIOD),
        reason,
    })
}

/// The version of the istiod that runs: its ready pods' image tag if that is a version, else the
/// Deployment's version label.
pub fn running_version(snapshot: &Snapshot, namespace: &str) -> Option<String> {
    let ready = snapshot.istiods.iter().filter(|pod| pod::is_ready(pod));
    // Of several, the newest.
    let newest = ready
        .filter_map(tag)
        .filter_map(|tag| Some((IstioVersion::parse(&tag)?, tag)))
        .max();
    if let Some((_, tag)) = newest {
        return Some(tag);
    }
    snapshot
        .istiod(namespace)?
        .label(labels::VERSION)
        .map(str::to_owned)
}

fn tag(pod: &Pod) -> Option<String> {
    version::tag(pod::image(pod, "discovery")?).map(str::to_owned)
}

#[cfg(test)]
mod tests;

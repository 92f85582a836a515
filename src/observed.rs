//! The cluster as it was at one moment, as far as it matters to one application.

pub mod agent;
pub mod attempts;
pub mod collection;
pub mod crashes;
pub mod drain;
mod gateway;
pub mod istiod;
mod mesh;
pub mod new_pods;
pub mod others;

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::Pod;

use crate::istio::{Injection, names};
use crate::k8s::kind::{CONFIG_MAP, DAEMON_SET, DEPLOYMENT, MUTATING_WEBHOOK};
use crate::k8s::object::{LiveObjects, Object, ObjectId};
use agent::AgentState;
use attempts::{Attempts, Refusal};
use drain::Drain;
use new_pods::NewPods;

/// What was read of a cluster.
///
/// What is not always read is an `Option`: `None` until it had to be known.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// The model's namespace, where the control plane lives.
    pub namespace: String,
    /// Our objects, objects of others that have the names of ours, and every other control plane
    /// and node agent.
    pub live: LiveObjects,
    /// The istiods of our namespace.
    pub istiods: Vec<Pod>,
    /// How far the node agent is.
    pub agent: Option<AgentState>,
    /// The pods of the node agent, where only they had to be known.
    pub scraped_agents: Option<Vec<Pod>>,
    /// What applying the node agent's DaemonSet would do; `None` until that had to be known.
    pub effect_of_applying: Option<Effect>,
    /// What still needs the node agent after injection has gone back to `istio-init`.
    pub drain: Drain,
    /// The nodes whose agents say in their logs that they wait for a CNI configuration.
    pub without_configuration: Option<BTreeSet<String>>,
    /// Whether anybody still uses Istio's definitions.
    pub definitions: Option<DefinitionUse>,
    /// The Service of the ingress gateway, if it exists; `None` until that had to be known.
    pub gateway_service: Option<Option<Object>>,
    /// What has held up a removal for as long as it may.
    pub overdue: Overdue,
    /// What this hook has tried to write before.
    pub attempts: Attempts,
}

/// Whether anybody still uses Istio's definitions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DefinitionUse {
    /// Nobody does.
    Unused,
    /// Somebody does; the text says who, or by what.
    Used(String),
}

/// What applying the DaemonSet of the node agent would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Its pods stay.
    KeepsPods,
    /// Its pods are replaced.
    ReplacesPods,
    /// Nothing: the cluster does not take it.
    Refused(Refusal),
}

/// What has held up a removal for as long as it may, and no longer does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Overdue {
    /// Pods that still need the node agent.
    pub drain: bool,
    /// Pods of the node agent.
    pub agent_pods: bool,
}

impl Observed {
    /// Adds objects that were read.
    pub fn add(&mut self, objects: impl IntoIterator<Item = Object>) {
        let objects = objects.into_iter();
        self.live
            .extend(objects.map(|object| (object.id().clone(), object)));
    }

    /// The pods of the node agent; `None` until they had to be known.
    pub fn agent_pods(&self) -> Option<&[Pod]> {
        let state = self.agent.as_ref().map(|it| it.pods.as_slice());
        state.or(self.scraped_agents.as_deref())
    }

    /// The node agent's DaemonSet.
    pub fn daemon_set(&self) -> Option<&Object> {
        let id = ObjectId::new(&DAEMON_SET, &self.namespace, names::NODE_AGENT);
        self.live.get(&id)
    }

    /// The Deployment of istiod.
    pub fn istiod(&self) -> Option<&Object> {
        let id = ObjectId::new(&DEPLOYMENT, &self.namespace, names::ISTIOD);
        self.live.get(&id)
    }

    /// What the injection configuration injects into new pods; `None` when there is no such
    /// configuration, or it cannot be read.
    pub fn injection(&self) -> Option<Injection> {
        let new_pods = NewPods::of(self.injector_config()?)?;
        Some(new_pods.injection)
    }

    /// The ConfigMap with what istiod injects.
    pub fn injector_config(&self) -> Option<&Object> {
        let id = ObjectId::new(&CONFIG_MAP, &self.namespace, names::INJECTOR_CONFIG);
        self.live.get(&id)
    }

    /// Whether anybody still uses Istio's definitions; `None` until that had to be known.
    ///
    /// Every istiod uses them; custom resources have to be asked for.
    pub fn definition_use(&self) -> Option<DefinitionUse> {
        let istiod = self.live.values().find(|it| it.is(&DEPLOYMENT));
        let used = istiod.map(|istiod| DefinitionUse::Used(format!("{} uses them", istiod.id())));
        used.or_else(|| self.definitions.clone())
    }

    /// The webhook configuration through which our istiods inject.
    pub fn mutating_webhook(&self) -> Option<&Object> {
        let name = names::mutating_webhook(&self.namespace);
        let id = ObjectId::new(&MUTATING_WEBHOOK, &self.namespace, &name);
        self.live.get(&id)
    }
}

//! What other people and programs do to the cluster.

use std::time::Duration;

use serde_json::{Value, json};

use super::nodes::ModelNode;
use super::{Model, Options};
use crate::cluster::error::FailureKind;
use crate::istio::{Injection, names};
use crate::k8s::kind::{CONFIG_MAP, DAEMON_SET, DEPLOYMENT};
use crate::k8s::object::{Object, ObjectId};
use crate::observed::Effect;
use crate::observed::attempts::Refusal;

/// What others are doing.
#[derive(Clone, Debug, Default)]
pub(super) struct Others {
    /// How long a webhook may hold pods, if there is one.
    pub(super) holds: Option<Duration>,
    /// What something lets pods get, again and again.
    pub(super) reverts_to: Option<Injection>,
    /// Whether the DaemonSet has a finalizer.
    pub(super) has_finalizer: bool,
    /// Whether another control plane relies on the node agent.
    pub(super) rely: bool,
}

/// Objects that a policy of the cluster may refuse.
pub(super) const REFUSABLE: [&str; 5] = [
    names::NODE_AGENT,
    names::NODE_AGENT_ACCOUNT,
    names::INJECTOR_CONFIG,
    names::VALUES,
    names::ISTIOD,
];

impl Model {
    /// A policy refuses everything of that name, and nothing else.
    pub(super) fn refuse(&mut self, name: Option<&str>) {
        self.cluster.refuses = name.map(str::to_owned).into_iter().collect();
        self.cluster.effect_of_applying = if name == Some(names::NODE_AGENT) {
            Effect::Refused(Refusal {
                kind: FailureKind::Denied("a policy says no".to_owned()),
                text: "applying DaemonSet mesh/istio-cni-node: a policy says no".to_owned(),
            })
        } else {
            Effect::ReplacesPods
        };
    }

    /// Somebody says what pods get, or writes something that nobody can read.
    pub(super) fn edit_injection(&mut self, injection: Option<Injection>) {
        if self.live(&CONFIG_MAP, names::INJECTOR_CONFIG).is_none() {
            return;
        }
        let values = match injection {
            Some(injection) => {
                let enabled = injection == Injection::IstioValidation;
                json!({"pilot": {"cni": {"enabled": enabled}}}).to_string()
            }
            None => "{".to_owned(),
        };
        self.cluster
            .edit_data(names::INJECTOR_CONFIG, "values", &values);
        self.is_configured_by_charm = false;
    }

    /// Something does again what it always does.
    pub(super) fn revert(&mut self) {
        let reverts_to = self.others.reverts_to;
        if reverts_to.is_some() && self.configured() != reverts_to {
            self.tell("something reverts what pods get");
            self.edit_injection(reverts_to);
        }
    }

    /// Somebody deletes the DaemonSet: until it is back, what relies on it is that person's loss.
    pub(super) fn rob(&mut self) {
        if self.daemon_set().is_none_or(Object::is_being_deleted) {
            return;
        }
        self.nodes.iter_mut().for_each(|it| it.is_robbed = true);
        self.disown_injection();
        self.pods.iter_mut().for_each(|it| it.is_excused = true);
        self.delete_daemon_set();
    }

    /// The DaemonSet goes, unless something keeps it; with it, by and by, its pods.
    pub(super) fn delete_daemon_set(&mut self) {
        if self.others.has_finalizer {
            let gone = "2026-01-01T00:00:00Z";
            self.cluster
                .change_named(&DAEMON_SET, names::NODE_AGENT, |it| {
                    it["metadata"]["deletionTimestamp"] = gone.into();
                });
        } else {
            let id = ObjectId::new(&DAEMON_SET, "mesh", names::NODE_AGENT);
            self.cluster.live.remove(&id);
            self.nodes.iter_mut().for_each(ModelNode::end_agent);
        }
    }

    /// Something keeps the DaemonSet, or lets it go.
    pub(super) fn set_finalizer(&mut self, is_set: bool) {
        let Some(daemon_set) = self.daemon_set() else {
            return;
        };
        let is_going = daemon_set.is_being_deleted();
        // The server lets nobody add one to what is being deleted.
        if is_set == self.others.has_finalizer || (is_set && is_going) {
            return;
        }
        self.others.has_finalizer = is_set;
        if is_going {
            return self.delete_daemon_set();
        }
        let finalizers = if is_set {
            json!(["example.test/keeps"])
        } else {
            Value::Null
        };
        self.cluster
            .change_named(&DAEMON_SET, names::NODE_AGENT, |it| {
                it["metadata"]["finalizers"] = finalizers.clone();
            });
    }

    /// Another control plane, which relies on a node agent or does not.
    pub(super) fn set_other_control_plane(&mut self, relies: bool) {
        self.others.rely = relies;
        let name = "istio-sidecar-injector-canary";
        let values = json!({"pilot": {"cni": {"enabled": relies}}}).to_string();
        self.cluster.put_as_it_is(json!({
            "apiVersion": DEPLOYMENT.api_version(), "kind": DEPLOYMENT.kind,
            "metadata": {
                "name": "istiod-canary", "namespace": "other",
                "labels": {"istio.io/rev": "canary"},
            },
        }));
        self.cluster.put_as_it_is(json!({
            "apiVersion": CONFIG_MAP.api_version(), "kind": CONFIG_MAP.kind,
            "metadata": {"name": name, "namespace": "other"},
            "data": {"values": values},
        }));
    }

    /// A webhook holds new pods, or none does.
    pub(super) fn set_webhook(&mut self, holds: Option<Duration>) {
        // Pods that are held already were held by the other.
        if self.pods.iter().any(|it| it.node.is_none()) {
            return;
        }
        self.others.holds = holds;
        self.cluster.set_slow_webhook(holds);
    }

    /// Everything that was wrong is put right, so that the switch gets on.
    pub(super) fn all_is_well(&mut self) {
        let count = self.count;
        for node in &mut self.nodes {
            node.come_back(count);
            node.trouble = None;
        }
        (0..self.istiods.len()).for_each(|it| self.hang(it, false));
        self.scale_istiod(1);
        self.refuse(None);
        self.others.reverts_to = None;
        self.set_finalizer(false);
        if self.others.rely {
            self.set_other_control_plane(false);
        }
    }

    /// `juju config`; where the application is gone, `juju deploy`.
    pub(super) fn configure(&mut self, options: Options) {
        if self.options == Options::Removal {
            if !self.units.iter().all(|it| it.is_gone) {
                return;
            }
            self.tell("the application is deployed again");
            self.units = Default::default();
        }
        self.options = options;
    }
}

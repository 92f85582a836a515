//! What must hold whatever happens.

use std::time::Duration;

use juju::Status;

use super::nodes::ModelNode;
use super::pods::ModelPod;
use super::units::{Hook, Looked};
use super::{Model, Options};
use crate::istio::{Injection, names};
use crate::k8s::kind::{CONFIG_MAP, DAEMON_SET};
use crate::k8s::object::{Object, ObjectId};

impl Hook {
    /// Whether a removal has waited as long as it may: `juju remove-application` must not hang.
    fn has_waited(&self, bound: impl Fn(Options) -> Option<Duration>) -> bool {
        bound(self.options).is_some_and(|bound| self.looked.at >= bound)
    }
}

impl Model {
    /// A pod that waits for the plugin is started only where the plugin is, or where a node agent is
    /// still to come.
    pub(super) fn check_sandbox(&mut self, pod: &ModelPod, node: &ModelNode) {
        self.tell(&format!("{} starts on {}", pod.name, node.name));
        let is_served = node.is_served(self.switched_on_by);
        if pod.needs_plugin() && !pod.is_excused && !is_served {
            self.violated(&format!("{} is stranded on {}", pod.name, node.name));
        }
    }

    /// Nothing is written by a unit that does not lead: Juju has kept its word for as long as it gives
    /// it.
    pub(super) fn check_leadership(&mut self, unit: usize) {
        if self.leader != unit {
            self.violated(&format!("unit {unit} writes and does not lead"));
        }
    }

    /// What moves the switch is changed only as it was seen.
    pub(super) fn check_write(&mut self, id: &ObjectId, seen: Option<&str>, live: Option<&str>) {
        let is_injection = id.is(&CONFIG_MAP) && id.name == names::INJECTOR_CONFIG;
        let moves_switch = id.is(&DAEMON_SET) || is_injection;
        if moves_switch && seen != live {
            self.violated(&format!("{id} is written over, and was not seen like that"));
        }
    }

    /// Nothing of the node agent goes while a pod or a node needs it. What a unit could not see when
    /// it looked does not count.
    pub(super) fn check_deletion(&mut self, hook: &Hook, id: &ObjectId) {
        let now = self.what_is_needed();
        let both = |of: fn(&Looked) -> &std::collections::BTreeSet<String>| {
            of(&hook.looked).intersection(of(&now)).next().cloned()
        };
        let is_relied_on = hook.looked.is_relied_on && now.is_relied_on;
        if id.is(&DAEMON_SET) {
            if is_relied_on {
                self.violated("the node agent goes while others rely on it");
            } else if hook.has_waited(|it| it.timeouts().drain) {
                self.pods.iter_mut().for_each(|it| it.is_excused = true);
            } else if let Some(pod) = both(|it| &it.in_need) {
                self.violated(&format!("the node agent goes while {pod} needs it"));
            } else if let Some(node) = both(|it| &it.away) {
                self.violated(&format!("the node agent goes while {node} is away"));
            }
        } else if self.cluster.live.get(id).is_some_and(is_of_agent) {
            // A removal leaves them to nodes that are away, and to others, however long it has waited.
            let stays = is_relied_on && self.daemon_set().is_some_and(|it| !it.is_being_deleted());
            let needs_them = if hook.has_waited(|it| it.timeouts().agent_pods) && !stays {
                both(|it| &it.away)
            } else {
                both(|it| &it.with_agent)
            };
            if let Some(node) = needs_them {
                self.violated(&format!("{id} goes while the node agent is on {node}"));
            }
        }
    }

    /// `active` is said only if the cluster injects as configured.
    pub(super) fn check_status(&mut self, options: Options, status: &Status) {
        let (Status::Active(_), Some(wanted)) = (status, options.injection()) else {
            return;
        };
        let lies = |why: &str| Some(format!("{status}, and {why}"));
        let lie = if self.configured() != Some(wanted) {
            lies(&format!("the configuration is {:?}", self.configured()))
        } else if self.is_scaled_to_zero {
            lies("no istiod is there")
        } else if !self.injects() {
            lies("no webhook is there")
        } else if wanted == Injection::IstioValidation {
            let without = self.nodes.iter().find(|it| {
                let counts = it.is_ready && !it.is_virtual;
                counts && !it.has_ready_agent()
            });
            without.and_then(|it| lies(&format!("no node agent is ready on {}", it.name)))
        } else if self.cluster.live.values().any(is_of_agent) {
            lies("something of the node agent is there")
        } else {
            // An istiod that lags behind a switch on harms nobody: `istio-init` works everywhere.
            let views = self.istiods.iter().filter(|it| !it.hangs);
            let mut views = views.filter_map(|it| it.view);
            let lags = views.any(|it| it.is_charms && it.injection != wanted);
            lags.then(|| lies("an istiod injects otherwise")).flatten()
        };
        if let Some(lie) = lie {
            self.violated(&lie);
        }
    }

    /// Everything is gone in the end, but for what a node that is away, another control plane or a
    /// finalizer keeps.
    pub(super) fn check_removal(&mut self) {
        let keeps_agent = self.others.rely || self.nodes.iter().any(|it| !it.is_ready);
        let remains = |it: &&Object| {
            it.label("app.kubernetes.io/instance").is_some()
                && !self.others.has_finalizer
                && !(is_of_agent(it) && keeps_agent)
        };
        let remaining = self.cluster.live.values().find(remains);
        if let Some(id) = remaining.map(|it| it.id().clone()) {
            self.violated(&format!("the application is gone, and {id} is there"));
        }
    }
}

/// Whether an object belongs to the node agent.
fn is_of_agent(object: &Object) -> bool {
    object.label("app.kubernetes.io/name") == Some("istio-cni")
}

//! What still needs the node agent after injection has gone back to `istio-init`.

use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;

use super::Observed;
use super::agent::Place;
use crate::cni::acknowledgement::Holding;
use crate::cni::drain::needs_agent;
use crate::cni::stragglers::SlowestWebhook;
use crate::k8s::object::ObjectId;

/// How far the draining is.
#[derive(Clone, Debug, Default)]
pub struct Drain {
    /// The istiods that have not taken up the change; `None` while none was asked.
    pub holding: Option<Vec<Holding>>,
    /// For how long every istiod has been known to inject `istio-init`; `None` while one still
    /// holds up the switch.
    pub acknowledged_for: Option<Duration>,
    /// What may hold a pod that was injected just before the change; `None` until that had to be
    /// known.
    pub slowest_webhook: Option<SlowestWebhook>,
    /// The istiods of other control planes that inject pods which rely on our node agent; `None`
    /// until that had to be known.
    pub relying: Option<Vec<ObjectId>>,
    /// Every pod of the cluster that has not started yet and needs the node agent for that; `None`
    /// until that had to be known.
    pub pending: Option<Vec<Pod>>,
}

impl Drain {
    /// How long a pod that was injected before the change may still take to appear: nothing when
    /// the time is over; `None` while that is not known.
    pub fn until_last_pod(&self) -> Option<Duration> {
        let longest = self.slowest_webhook.as_ref()?.timeout;
        Some(longest.saturating_sub(self.acknowledged_for?))
    }
}

impl Observed {
    /// The pods that still need the node agent. One on a node that is not Ready does not hold it:
    /// the node agent stays there anyway until the node is back.
    pub fn pods_in_need(&self) -> impl Iterator<Item = &Pod> {
        let pending = self.drain.pending.iter().flatten();
        pending.filter(|pod| needs_agent(pod) && self.can_start(pod))
    }

    fn can_start(&self, pod: &Pod) -> bool {
        let place = self.agent.as_ref().map(|state| state.place(pod));
        !matches!(place, Some(Place::Away | Place::Gone))
    }

    /// Whether another control plane may rely on our node agent.
    pub fn may_serve_others(&self) -> bool {
        match &self.drain.relying {
            Some(relying) => !relying.is_empty(),
            None => !self.other_control_planes().is_empty(),
        }
    }

    /// Whether no pod needs the node agent any more, none that does can still appear, no other
    /// control plane relies on it, and no node is away that would come back with the plugin.
    pub fn is_drained(&self) -> bool {
        let no_more = self.drain.until_last_pod() == Some(Duration::ZERO);
        let known = self.drain.pending.is_some();
        let nobody_relies = !self.may_serve_others();
        let all_back = self.agent.as_ref().is_some_and(|it| it.away().is_empty());
        known && no_more && all_back && nobody_relies && self.pods_in_need().next().is_none()
    }
}

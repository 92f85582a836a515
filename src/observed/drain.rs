//! What still needs the node agent after injection has gone back to `istio-init`.

use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;

use crate::cni::acknowledgement::Holding;
use crate::cni::drain::needs_agent;

/// How long a pod that was injected just before the change may take to appear.
pub const STRAGGLERS: Duration = Duration::from_secs(1);

/// How far the draining is.
#[derive(Clone, Debug, Default)]
pub struct Drain {
    /// The istiods that have not taken up the change; `None` while none was asked.
    pub holding: Option<Vec<Holding>>,
    /// For how long every istiod has been known to inject `istio-init`; `None` while one still
    /// holds up the switch.
    pub acknowledged_for: Option<Duration>,
    /// Every pod of the cluster that has not started yet; `None` until that had to be known.
    pub pending: Option<Vec<Pod>>,
}

impl Drain {
    /// The pods that still need the node agent.
    pub fn pods_in_need(&self) -> impl Iterator<Item = &Pod> {
        let pending = self.pending.iter().flatten();
        pending.filter(|pod| needs_agent(pod))
    }

    /// Whether no pod needs the node agent any more, and none that does can still appear.
    pub fn is_over(&self) -> bool {
        let acknowledged = self
            .acknowledged_for
            .is_some_and(|since| since >= STRAGGLERS);
        acknowledged && self.pending.is_some() && self.pods_in_need().next().is_none()
    }

    /// Whether no watch would report what is still waited for.
    pub fn needs_polling(&self) -> bool {
        self.pods_in_need().next().is_none()
    }
}

//! Other control planes of the cluster, whose pods may rely on our node agent: one serves them all.

use super::Observed;
use crate::istio::{REVISION, names};
use crate::k8s::kind::{CONFIG_MAP, DEPLOYMENT};
use crate::k8s::object::{Object, ObjectId};

/// Another control plane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherControlPlane {
    /// Its istiod.
    pub istiod: ObjectId,
    /// The ConfigMap with what it injects.
    pub injector_config: ObjectId,
}

impl Observed {
    /// The other control planes, those of other revisions in our namespace included.
    pub fn other_control_planes(&self) -> Vec<OtherControlPlane> {
        let ours = self.istiod().map(Object::id);
        let istiods = self.live.values().filter(|it| it.is(&DEPLOYMENT));
        let others = istiods.filter(|it| Some(it.id()) != ours);
        others.filter_map(OtherControlPlane::of).collect()
    }
}

impl OtherControlPlane {
    /// The control plane of an istiod; `None` for one without a revision, which injects nothing.
    fn of(istiod: &Object) -> Option<Self> {
        let namespace = istiod.id().namespace.as_deref()?;
        let name = match istiod.label("istio.io/rev")? {
            REVISION => names::INJECTOR_CONFIG.to_owned(),
            revision => format!("{}-{revision}", names::INJECTOR_CONFIG),
        };
        Some(Self {
            istiod: istiod.id().clone(),
            injector_config: ObjectId::new(&CONFIG_MAP, namespace, &name),
        })
    }
}

//! The istiod that runs.

use k8s_openapi::api::core::v1::Pod;

use super::Observed;
use crate::k8s::rollout::refusal;
use crate::k8s::version::{self, IstioVersion};
use crate::k8s::{labels, pod};

impl Observed {
    /// The version of the running istiod: the newest image tag of its ready pods that is a version,
    /// else the Deployment's version label.
    pub fn running_version(&self) -> Option<String> {
        let newest = self.ready_versions().max().map(|(_, tag)| tag);
        let newest = newest.or_else(|| self.istiod()?.label(labels::VERSION));
        newest.map(str::to_owned)
    }

    /// The versions of the ready pods, each with the image tag that shows it; not of those whose tag
    /// is no version.
    pub fn ready_versions(&self) -> impl Iterator<Item = (IstioVersion, &str)> {
        let ready = self.istiods.iter().filter(|pod| pod::is_ready(pod));
        ready.filter_map(version_of)
    }

    /// Why istiod is not ready, if that is known.
    pub fn why_istiod_is_not_ready(&self) -> Option<String> {
        let failing = |pod: &&Pod| !pod::is_ready(pod) && !pod::has_ended(pod);
        let failing = self.istiods.iter().find(failing);
        failing
            .map(|pod| pod::why_not_ready(pod, &[]))
            .or_else(|| refusal(self.istiod()?))
    }
}

/// The version of a pod's istiod, with the image tag that shows it.
fn version_of(pod: &Pod) -> Option<(IstioVersion, &str)> {
    let tag = version::tag(pod::image(pod, "discovery")?)?;
    Some((IstioVersion::parse(tag)?, tag))
}

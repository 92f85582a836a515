//! The action `detect-cni-paths`: what to set `cni-bin-dir` and `cni-conf-dir` to in this cluster.

use juju::action::ActionResults;

use crate::charm::{Charm, Stop};
use crate::cluster::error::ClusterError;
use crate::cluster::{Cluster, Scope, Selector};
use crate::detect::{Detection, detect};
use crate::k8s::kind;

/// Selects what runs in the network of its node, as every network plugin does.
const HOST_NETWORK: &str = "spec.hostNetwork=true";

impl Charm {
    /// Runs the action. An answer that is unsure is an answer too: it says how to look.
    pub(super) async fn run_detect_cni_paths(&self) -> Result<(), Stop> {
        let cluster = self.cluster().await?;
        let detection = look(&cluster)
            .await
            .map_err(|error| Stop::refused(&error, self.application()))?;
        let mut results = ActionResults::new();
        for (key, text) in detection.results(self.application()) {
            results.insert(key, text)?;
        }
        self.tools.set_action_results(&results)?;
        Ok(())
    }
}

/// Reads what tells the directories, and weighs it.
///
/// # Errors
/// When the server does not answer, or refuses.
pub(crate) async fn look(cluster: &Cluster) -> Result<Detection, ClusterError> {
    let nodes = cluster.list_typed(&kind::NODE, Scope::Cluster, Selector::default());
    let selector = Selector {
        labels: "",
        fields: HOST_NETWORK,
    };
    let pods = cluster.list_typed(&kind::POD, Scope::Cluster, selector);
    let (nodes, pods) = futures::try_join!(nodes, pods)?;
    Ok(detect(&nodes.items, &pods.items))
}

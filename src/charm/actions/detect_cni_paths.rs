//! The action `detect-cni-paths`: proposes values of `cni-bin-dir` and `cni-conf-dir` for this
//! cluster.

use juju::action::ActionResults;

use crate::charm::{Charm, Stop};
use crate::cluster::error::ClusterError;
use crate::cluster::list::Part;
use crate::cluster::{Cluster, Scope, Selector};
use crate::detect::{Detection, detect};
use crate::k8s::{kind, slim};

/// Selects pods in the network of their node: every network plugin runs in one.
const HOST_NETWORK: &str = "spec.hostNetwork=true";

impl Charm {
    /// Runs the action. An uncertain answer is a success too: it says how to find out.
    pub(super) async fn run_detect_cni_paths(&self) -> Result<(), Stop> {
        let cluster = self.cluster().await?;
        let detection = detection(&cluster)
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

/// Reads the nodes and their network plugins, and detects the directories.
///
/// # Errors
/// When the server does not answer or refuses.
pub(crate) async fn detection(cluster: &Cluster) -> Result<Detection, ClusterError> {
    let (everywhere, everything) = (Scope::Cluster, Selector::default());
    let nodes = cluster.list_kept(&kind::NODE, everywhere, everything, Part::Whole, |it| {
        Some(slim::node(it))
    });
    let host_network = Selector::of_fields(HOST_NETWORK);
    let pods = cluster.list_kept(&kind::POD, everywhere, host_network, Part::Whole, |it| {
        Some(slim::pod(it))
    });
    let (nodes, pods) = futures::try_join!(nodes, pods)?;
    Ok(detect(&nodes.items, &pods.items))
}

//! The action `detect-cni-paths`: what to set `cni-bin-dir` and `cni-conf-dir` to in this cluster.

use juju::action::ActionResults;

use crate::cluster::error::ClusterError;
use crate::cluster::{Cluster, Scope, Selector};
use crate::conclude;
use crate::detect::{Detection, detect};
use crate::dispatch::Charm;
use crate::k8s::kind;

/// Selects what runs in the network of its node, as every network plugin does.
const HOST_NETWORK: &str = "spec.hostNetwork=true";

/// Runs the action. An answer that is unsure is an answer too: it tells how to look.
pub(super) async fn run(charm: &Charm) -> anyhow::Result<()> {
    let cluster = match charm.cluster().await {
        Ok(cluster) => cluster,
        Err(status) => return Ok(charm.tools.fail_action(status.message())?),
    };
    let application = charm.context.application().as_str();
    match look(&cluster).await {
        Ok(detection) => {
            let mut results = ActionResults::new();
            for (key, text) in detection.results(application) {
                results.insert(key, text)?;
            }
            charm.tools.set_action_results(&results)?;
        }
        Err(error) => {
            let status = conclude::of_refusal(&error, application);
            charm.tools.fail_action(status.message())?;
        }
    }
    Ok(())
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

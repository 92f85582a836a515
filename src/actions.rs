//! The charm's actions, as `juju run` starts them.

pub(crate) mod detect_cni_paths;
mod list_stale_workloads;
mod restart_stale_workloads;

use juju::Status;
use juju::action::ActionResults;

use crate::decide::Settings;
use crate::dispatch::Charm;
use crate::reconcile::Reconciler;

/// Runs one action. Its failure is told to the user, and is no error of the unit.
///
/// # Errors
/// A defect, or a hook tool that fails.
pub async fn run(charm: &Charm, name: &str) -> anyhow::Result<()> {
    match name {
        "reconcile" => reconcile(charm).await,
        "plan" => plan(charm).await,
        "detect-cni-paths" => detect_cni_paths::run(charm).await,
        "list-stale-workloads" => list_stale_workloads::run(charm).await,
        "restart-stale-workloads" => restart_stale_workloads::run(charm).await,
        other => {
            charm
                .tools
                .fail_action(&format!("this charm has no action {other}"))?;
            Ok(())
        }
    }
}

async fn reconcile(charm: &Charm) -> anyhow::Result<()> {
    if !charm.tools.is_leader()? {
        charm.tools.fail_action(&format!(
            "only the leader reconciles; run: juju run {}/leader reconcile",
            charm.context.application()
        ))?;
        return Ok(());
    }
    let status = charm.reconcile().await?;
    let mut results = ActionResults::new();
    results.insert("status", status.name())?;
    results.insert("message", status.message())?;
    charm.tools.set_action_results(&results)?;
    if let Status::Blocked(message) | Status::Waiting(message) = &status {
        charm.tools.fail_action(message)?;
    }
    Ok(())
}

async fn plan(charm: &Charm) -> anyhow::Result<()> {
    let settings = match settings(charm).await? {
        Ok(settings) => settings,
        Err(status) => {
            charm.tools.fail_action(status.message())?;
            return Ok(());
        }
    };
    let (cluster, settings) = settings;
    let mut silent = |_: &Status| {};
    let reconciler = Reconciler::new(&cluster, &settings, charm.bounds, &mut silent);
    match reconciler.preview().await {
        Ok((plan, rivals)) => {
            let changes = plan.upserts.len() + plan.deletions.len();
            let obstacles = plan.obstacles.len() + rivals.len();
            let text: String = rivals
                .iter()
                .map(|it| format!("! {it}\n"))
                .chain([plan.to_string()])
                .collect();
            let mut results = ActionResults::new();
            results.insert("changes", changes.to_string())?;
            results.insert("obstacles", obstacles.to_string())?;
            results.insert(
                "plan",
                if text.is_empty() {
                    "nothing to change".into()
                } else {
                    text
                },
            )?;
            charm.tools.set_action_results(&results)?;
        }
        Err(error) => charm.tools.fail_action(&error.to_string())?,
    }
    Ok(())
}

/// The cluster and what is asked for, or the status that says why not.
async fn settings(
    charm: &Charm,
) -> anyhow::Result<Result<(crate::cluster::Cluster, Settings), Status>> {
    let configuration = match charm.configuration()? {
        Ok(configuration) => configuration,
        Err(status) => return Ok(Err(status)),
    };
    let cluster = match charm.cluster().await {
        Ok(cluster) => cluster,
        Err(status) => return Ok(Err(status)),
    };
    let settings = charm.settings(&cluster, configuration).await;
    Ok(settings.map(|settings| (cluster, settings)))
}

//! The action `restart-stale-workloads`: restarts one workload after the other, each after the one
//! before it is back.

mod rollout;

use serde::Deserialize;

use super::Action;
use super::list_stale_workloads::{Stale, StaleError, find, results};
use crate::charm::{Charm, Stop};
use crate::cluster::Cluster;
use crate::istio::Injection;
use crate::k8s::object::ObjectId;
use crate::observed::new_pods::NewPods;
use crate::stale::why;
use crate::stale::workload::{Choice, Workload};
use rollout::{Outcome, restart};

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Parameters {
    namespace: Option<String>,
    dry_run: bool,
    max: Option<usize>,
}

impl Charm {
    /// Runs the action.
    pub(super) async fn run_restart_stale_workloads(&self) -> Result<(), Stop> {
        let parameters: Parameters = self.tools.action_parameters()?;
        if !parameters.dry_run {
            self.must_lead("restarts workloads", Action::RestartStaleWorkloads)?;
        }
        let cluster = self.cluster().await?;
        let intent = self.intent(&cluster)?;
        let Stale {
            new_pods,
            workloads,
        } = self
            .stale(&cluster, parameters.namespace.as_deref())
            .await?;
        if intent.cni_paths().is_some() != (new_pods.injection == Injection::IstioValidation) {
            return Err(Stop::failed(format!(
                "the switch of the CNI is not done: new pods still get {}; see juju status, and run \
                 this again when it is",
                new_pods.injection.init_container()
            )));
        }
        let choice = Choice::among(workloads, parameters.max);
        let mut report = results(&new_pods, &choice.all())?;
        report.insert("dry-run", parameters.dry_run.to_string())?;
        report.insert("not-restartable", choice.others.len().to_string())?;
        if parameters.dry_run {
            report.insert("would-restart", choice.chosen.len().to_string())?;
            self.tools.set_action_results(&report)?;
            return Ok(());
        }
        let mut done = Done::default();
        let restarts = Restarts {
            charm: self,
            cluster: &cluster,
            new_pods,
        };
        let stopped = restarts
            .one_after_the_other(&choice.chosen, &mut done)
            .await?;
        let remaining = choice.chosen.len() + choice.beyond.len() - done.restarted - done.current;
        report.insert("restarted", done.restarted.to_string())?;
        report.insert("still-stale", done.still_stale.to_string())?;
        report.insert("left", remaining.to_string())?;
        self.tools.set_action_results(&report)?;
        match stopped {
            Some(why) => Err(Stop::failed(format!(
                "{why}. No other workload was restarted after it"
            ))),
            None => Ok(()),
        }
    }
}

/// What was done.
#[derive(Debug, Default)]
struct Done {
    /// How many workloads are back.
    restarted: usize,
    /// How many of those are still stale.
    still_stale: usize,
    /// How many were already current, or gone.
    current: usize,
}

struct Restarts<'a> {
    charm: &'a Charm,
    cluster: &'a Cluster,
    /// What new pods got when the action began.
    new_pods: NewPods,
}

impl Restarts<'_> {
    /// Restarts workloads up to the first that does not come back. Returns why it stopped, if it
    /// did.
    async fn one_after_the_other(
        &self,
        chosen: &[Workload],
        done: &mut Done,
    ) -> anyhow::Result<Option<String>> {
        for (index, workload) in chosen.iter().enumerate() {
            let id = &workload.id;
            let number = format!("{}/{}", index + 1, chosen.len());
            if let Some(why) = self.one(id, &number, done).await? {
                return Ok(Some(format!("{id}: {why}")));
            }
        }
        Ok(None)
    }

    /// Restarts one workload. Returns why the action has to stop, if it has to.
    async fn one(
        &self,
        id: &ObjectId,
        number: &str,
        done: &mut Done,
    ) -> anyhow::Result<Option<String>> {
        // The workload may have changed since the list was made.
        let workload = match self.stale_now(id).await {
            Ok(Some(workload)) if workload.restart.is_possible() => workload,
            Ok(Some(workload)) => return Ok(Some(workload.restart.to_string())),
            Ok(None) => {
                done.current += 1;
                self.say(&format!("{id} is current by now"))?;
                return Ok(None);
            }
            Err(why) => return Ok(Some(why)),
        };
        self.say(&format!("restarting {id} ({number})"))?;
        match restart(self.cluster, &workload, self.charm.timeouts).await {
            Ok(Outcome::Back) => done.restarted += 1,
            Ok(Outcome::Gone) => {
                done.current += 1;
                self.say(&format!("{id} is gone"))?;
                return Ok(None);
            }
            Ok(Outcome::Undone) => {
                let by = match &workload.owner {
                    Some(owner) => format!("{owner} has set its template back; restart that"),
                    None => "something has set its template back".to_owned(),
                };
                return Ok(Some(format!("it was not restarted: {by}")));
            }
            Ok(Outcome::Late(why)) => return Ok(Some(format!("it did not come back: {why}"))),
            Err(error) => return Ok(Some(self.words(&error.into()))),
        }
        match self.stale_now(id).await {
            Ok(None) => self.say(&format!("{id} is back"))?,
            Ok(Some(workload)) => {
                done.still_stale += 1;
                let why = why(&workload).join(", ");
                self.say(&format!("{id} is back and still stale ({why})"))?;
            }
            Err(why) => return Ok(Some(why)),
        }
        Ok(None)
    }

    /// The workload if it is stale now; the error says why nothing more may be restarted.
    async fn stale_now(&self, id: &ObjectId) -> Result<Option<Workload>, String> {
        let found = find(self.cluster, id.namespace.as_deref()).await;
        let Stale {
            new_pods,
            workloads,
        } = match found {
            Ok(stale) => stale,
            Err(StaleError::NoNamespace(_)) => return Ok(None),
            Err(error) => return Err(self.words(&error)),
        };
        if new_pods != self.new_pods {
            return Err("what new pods get has changed meanwhile; list what is stale now".into());
        }
        Ok(workloads.into_iter().find(|it| it.id == *id))
    }

    fn words(&self, error: &StaleError) -> String {
        match error.stop(self.charm.application()) {
            Stop::Shown(status) => status.message().to_owned(),
            Stop::Defect(error) => error.to_string(),
        }
    }

    fn say(&self, text: &str) -> anyhow::Result<()> {
        Ok(self.charm.tools.log_action_progress(text)?)
    }
}

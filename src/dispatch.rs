//! The charm: one run of `dispatch`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use juju::context::{Event, HookContext};
use juju::log::juju_log_layer;
use juju::{HookTools, Status, ToolError};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::{Layer as _, registry};

use crate::cluster::Cluster;
use crate::cluster::connect::Access;
use crate::configuration::{self, Configuration};
use crate::decide::Settings;
use crate::reconcile::{Bounds, Reconciler, Report, Unit};
use crate::{actions, conclude, reconcile, removal};

/// Set to `debug`, the log tells more. Each level of lines costs a hook-tool process, and models do
/// not show them unless told to. For tests and for finding faults.
pub const LOG_LEVEL: &str = "ISTIO_PILOT_LOG_LEVEL";

/// Replaces both bounds of waiting, in seconds; 0 looks once. For tests.
pub const ROLLOUT_TIMEOUT: &str = "ISTIO_PILOT_ROLLOUT_TIMEOUT";

/// What every hook and action works with.
pub struct Charm {
    /// Why the charm runs.
    pub context: HookContext,
    /// The hook tools.
    pub tools: HookTools,
    /// How long to wait.
    pub bounds: Bounds,
}

/// Whether Juju runs this program, rather than a person.
pub fn is_dispatch(variables: &[(String, String)], program: &str) -> bool {
    let set = |(name, value): &(String, String)| name == "JUJU_DISPATCH_PATH" && !value.is_empty();
    variables.iter().any(set) || program.rsplit('/').next() == Some("dispatch")
}

/// Runs the hook or action that the variables describe.
///
/// # Errors
/// Only for a defect or a broken hook tool: Juju shows the unit in error and tries again.
pub async fn dispatch(variables: Vec<(String, String)>, program: &str) -> anyhow::Result<ExitCode> {
    let context = HookContext::from_variables(variables, program)?;
    let tools = HookTools::new(&context);
    let (layer, guard) = juju_log_layer(&tools);
    let subscriber = registry().with(layer.with_filter(log_filter(&context)));
    let logging = tracing::subscriber::set_default(subscriber);
    let bounds = bounds(&context)?;
    let charm = Charm {
        context,
        tools,
        bounds,
    };
    let result = run(&charm).await;
    if let Err(error) = &result {
        tracing::error!("{error:#}");
    }
    tracing::debug!(processes = charm.tools.process_count(), "hook tools run");
    drop(logging);
    drop(guard);
    result.map(|()| ExitCode::SUCCESS)
}

/// This program's own events; libraries only when something is wrong.
fn log_filter(context: &HookContext) -> Targets {
    let debug = context.variable(LOG_LEVEL) == Some("debug");
    let level = if debug {
        LevelFilter::DEBUG
    } else {
        LevelFilter::INFO
    };
    Targets::new()
        .with_default(LevelFilter::ERROR)
        .with_target("istio_pilot", level)
        .with_target("juju", level)
}

async fn run(charm: &Charm) -> anyhow::Result<()> {
    match &charm.context.event {
        // At stop the unit or only its pod goes away; either way nothing has to be changed now.
        Event::Stop | Event::Unknown(_) | Event::Pebble(_) | Event::Storage(_) => Ok(()),
        Event::Remove => removal::run(charm).await,
        Event::Action(action) => actions::run(charm, action.name.as_str()).await,
        Event::Install
        | Event::Start
        | Event::ConfigChanged
        | Event::UpdateStatus
        | Event::UpgradeCharm
        | Event::LeaderElected
        | Event::Relation(_)
        | Event::Secret(_) => charm.reconcile().await.map(|_| ()),
    }
}

fn bounds(context: &HookContext) -> anyhow::Result<Bounds> {
    let Some(text) = context.variable(ROLLOUT_TIMEOUT) else {
        return Ok(Bounds::default());
    };
    let seconds = text
        .parse()
        .with_context(|| format!("{ROLLOUT_TIMEOUT} must be seconds"))?;
    Ok(Bounds::both(Duration::from_secs(seconds)))
}

impl Charm {
    /// Reconciles, and reports the result as the unit's status, which is also returned.
    ///
    /// # Errors
    /// A defect, or a hook tool that fails.
    pub async fn reconcile(&self) -> anyhow::Result<Status> {
        let status = self.reconcile_if_leader().await?;
        let _ = self.tools.set_unit_status(&status)?;
        Ok(status)
    }

    async fn reconcile_if_leader(&self) -> anyhow::Result<Status> {
        if !self.tools.is_leader()? {
            return Ok(conclude::standby());
        }
        let configuration = match self.configuration()? {
            Ok(configuration) => configuration,
            Err(status) => return Ok(status),
        };
        let cluster = match self.cluster().await {
            Ok(cluster) => cluster,
            Err(status) => return Ok(status),
        };
        let settings = match self.settings(&cluster, configuration).await {
            Ok(settings) => settings,
            Err(status) => return Ok(status),
        };
        let mut unit = Leader(&self.tools);
        let report = Reconciler::new(&cluster, &settings, self.bounds, &mut unit)
            .run()
            .await?;
        self.report(&report, &settings)
    }

    /// The configuration, or the status of one that cannot be used.
    ///
    /// # Errors
    /// A hook tool that fails.
    pub fn configuration(&self) -> anyhow::Result<Result<Configuration, Status>> {
        let options = self.tools.config()?;
        Ok(configuration::parse(options.values()).map_err(|problems| {
            for problem in &problems {
                tracing::warn!("{problem}");
            }
            summary(conclude::of_problems(&problems))
        }))
    }

    /// The cluster, or the status when there is none.
    ///
    /// # Errors
    /// The status that tells what is missing.
    pub async fn cluster(&self) -> Result<Cluster, Status> {
        let namespace = self.context.model.name.as_str().to_owned();
        let access = match self.context.variable("KUBECONFIG") {
            Some(path) => Access::Kubeconfig {
                path: PathBuf::from(path),
                namespace,
            },
            None => Access::ServiceAccount,
        };
        Cluster::connect(&access).await.map_err(|error| {
            tracing::warn!("{error}");
            conclude::unreachable(&error.to_string())
        })
    }

    /// The settings of a reconcile, or the status when the cluster does not answer.
    ///
    /// # Errors
    /// The status that tells why.
    pub async fn settings(
        &self,
        cluster: &Cluster,
        configuration: Configuration,
    ) -> Result<Settings, Status> {
        let application = self.context.application().as_str().to_owned();
        let version = reconcile::retried(self.bounds, || cluster.version()).await;
        let kubernetes = version.map_err(|error| {
            tracing::warn!("{error}");
            conclude::of_refusal(&error, &application)
        })?;
        let namespace = cluster.namespace().to_owned();
        Ok(Settings {
            application,
            namespace,
            configuration,
            kubernetes,
        })
    }

    fn report(&self, report: &Report, settings: &Settings) -> anyhow::Result<Status> {
        for warning in settings
            .configuration
            .warnings
            .iter()
            .chain(&report.warnings)
        {
            tracing::warn!("{warning}");
        }
        if let Some(version) = &report.version {
            let _ = self.tools.set_application_version(version)?;
        }
        let findings = &report.findings;
        let status = |it| conclude::of_finding(it, settings);
        let statuses: Vec<_> = findings.iter().map(status).collect();
        for (finding, status) in findings.iter().zip(&statuses) {
            match conclude::in_full(finding) {
                Some(text) => tracing::warn!("{}: {text}", status.name()),
                // One alone is what the status says.
                None if statuses.len() > 1 => {
                    tracing::warn!("{}: {}", status.name(), status.message());
                }
                None => {}
            }
        }
        Ok(summary(statuses))
    }
}

/// The unit whose hook runs.
struct Leader<'a>(&'a HookTools);

impl Unit for Leader<'_> {
    fn show(&mut self, status: &Status) {
        if let Err(error) = self.0.set_unit_status(status) {
            tracing::warn!(%error, "cannot show progress");
        }
    }

    fn leads(&mut self) -> Result<bool, ToolError> {
        self.0.is_leader_now()
    }
}

/// The worst of several statuses.
fn summary(statuses: Vec<Status>) -> Status {
    Status::worst_of(statuses).unwrap_or_else(|| Status::Active(String::new()))
}

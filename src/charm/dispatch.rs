//! One run of `dispatch`: which hook or action to run, and where the log goes.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use juju::HookTools;
use juju::context::{Event, HookContext};
use juju::log::juju_log_layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::{Layer as _, registry};

use super::Charm;
use crate::step::deadlines::Timeouts;

/// With the value `debug`, the log has more lines. Each level of lines costs a hook-tool process,
/// and models show debug lines only where that is configured. For tests and for finding faults.
pub const LOG_LEVEL: &str = "ISTIO_PILOT_LOG_LEVEL";

/// Replaces both timeouts, in seconds; 0 means that the cluster is observed once. For tests.
pub const ROLLOUT_TIMEOUT: &str = "ISTIO_PILOT_ROLLOUT_TIMEOUT";

/// Whether Juju runs this program, rather than a person.
pub fn is_dispatch(variables: &[(String, String)], program: &str) -> bool {
    let set = |(name, value): &(String, String)| name == "JUJU_DISPATCH_PATH" && !value.is_empty();
    variables.iter().any(set) || program.rsplit('/').next() == Some("dispatch")
}

/// Runs the hook or action that the variables describe.
///
/// # Errors
/// A defect or a broken hook tool: Juju shows the unit in error and tries again.
pub async fn dispatch(variables: Vec<(String, String)>, program: &str) -> anyhow::Result<ExitCode> {
    let context = HookContext::from_variables(variables, program)?;
    let tools = HookTools::new(&context);
    let (layer, guard) = juju_log_layer(&tools);
    let subscriber = registry().with(layer.with_filter(log_filter(&context)));
    let logging = tracing::subscriber::set_default(subscriber);
    let timeouts = timeouts(&context)?;
    let charm = Charm {
        context,
        tools,
        timeouts,
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

/// This program's own events; those of libraries only when something is wrong.
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
        // At stop the unit or only its pod goes away; in both cases there is nothing to change.
        Event::Stop | Event::Unknown(_) | Event::Pebble(_) | Event::Storage(_) => Ok(()),
        Event::Remove => charm.remove().await,
        Event::Action(action) => charm.act(action.name.as_str()).await,
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

fn timeouts(context: &HookContext) -> anyhow::Result<Timeouts> {
    let Some(text) = context.variable(ROLLOUT_TIMEOUT) else {
        return Ok(Timeouts::default());
    };
    let seconds = text
        .parse()
        .with_context(|| format!("{ROLLOUT_TIMEOUT} must be a number of seconds"))?;
    Ok(Timeouts::all(Duration::from_secs(seconds)))
}

//! What each command does.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::{Context, bail};
use serde_json::{Map, Value};

use super::{AddRemote, Command, Deploy, Trust, WriteRemote};
use crate::{ActionResult, Deployment, Model};

const LEVELS: [&str; 6] = ["TRACE", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"];

/// The commands that change nothing.
pub(super) fn show(model: &Model, command: &Command) -> anyhow::Result<ExitCode> {
    let mut out = io::stdout();
    if let Command::DebugLog { level, lines } = command {
        let rank = |name: &str| LEVELS.iter().position(|level| *level == name).unwrap_or(2);
        let least = rank(&level.to_uppercase());
        let shown: Vec<_> = model
            .debug_log()
            .iter()
            .filter(|line| rank(&line.level) >= least)
            .collect();
        let first = lines.map_or(0, |lines| shown.len().saturating_sub(lines));
        for line in &shown[first..] {
            writeln!(out, "{line}")?;
        }
    } else {
        write!(out, "{}", model.status())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The commands that change the model; hooks run until nothing is due.
pub(super) fn change(model: &mut Model, command: Command) -> anyhow::Result<ExitCode> {
    let mut out = io::stdout();
    match command {
        Command::Deploy(arguments) => deploy(model, arguments)?,
        Command::Config {
            application,
            values,
            reset,
        } => {
            return config(model, &application, &values, &reset);
        }
        Command::Integrate { first, second } => {
            model.integrate(&first, &second)?;
        }
        Command::RemoveRelation { first, second } => model.remove_relation(&first, &second)?,
        Command::AddRemote(arguments) => add_remote(model, &arguments)?,
        Command::WriteRemote(arguments) => write_remote(model, &arguments)?,
        Command::AddSecret { name, content } => {
            writeln!(out, "{}", model.add_secret(&name, &pairs(&content)?)?)?;
        }
        Command::UpdateSecret { name, content } => {
            model.update_secret(&name, &pairs(&content)?)?;
        }
        Command::GrantSecret { name, application } => model.grant_secret(&name, &application)?,
        Command::RevokeSecret { name, application } => model.revoke_secret(&name, &application)?,
        Command::Trust(arguments) => trust(model, &arguments)?,
        Command::ScaleApplication { application, scale } => {
            model.scale(&application, scale)?;
            writeln!(out, "{application} scaled to {scale} units")?;
        }
        Command::Run {
            unit,
            action,
            parameters,
        } => {
            return run_action(model, &unit, &action, &parameters);
        }
        Command::Refresh { application, path } => model.refresh(&application, &path)?,
        Command::Resolved { unit, no_retry } => model.resolved(&unit, !no_retry)?,
        Command::SetLeader { unit } => model.set_leader(&unit)?,
        Command::RestartUnit { unit } => model.restart_unit(&unit)?,
        Command::UpdateStatus => model.update_status(),
        Command::RemoveApplication { application } => {
            model.remove_application(&application)?;
            writeln!(out, "will remove application {application}")?;
        }
        Command::AddModel { .. } | Command::Status | Command::DebugLog { .. } => {}
    }
    settle(model)
}

fn settle(model: &mut Model) -> anyhow::Result<ExitCode> {
    let settled = model.settle()?;
    for unit in &settled.in_error {
        writeln!(
            io::stderr(),
            "{unit} is in error: see `juju-sim debug-log`, then `juju-sim resolved {unit}`"
        )?;
    }
    // A unit that was in error before is not this command's failure.
    Ok(if settled.in_error.is_empty() || settled.hooks == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn pairs(arguments: &[String]) -> anyhow::Result<Vec<(&str, &str)>> {
    arguments
        .iter()
        .map(|text| {
            text.split_once('=')
                .with_context(|| format!("expected KEY=VALUE, got {text:?}"))
        })
        .collect()
}

fn deploy(model: &mut Model, arguments: Deploy) -> anyhow::Result<()> {
    let mut deployment = Deployment::of(arguments.charm).units(arguments.num_units);
    if let Some(application) = arguments.application {
        deployment = deployment.named(application);
    }
    for (key, value) in pairs(&arguments.config)? {
        deployment = deployment.config(key, value);
    }
    if arguments.trust {
        deployment = deployment.trusted();
    }
    let name = model.deploy(deployment)?;
    writeln!(io::stdout(), "Deployed \"{name}\"")?;
    Ok(())
}

fn add_remote(model: &mut Model, arguments: &AddRemote) -> anyhow::Result<()> {
    model.add_remote_application(
        &arguments.application,
        &arguments.endpoint,
        &arguments.interface,
        arguments.num_units,
    )?;
    Ok(())
}

fn write_remote(model: &mut Model, arguments: &WriteRemote) -> anyhow::Result<()> {
    let relation = model.relation_id(&arguments.first, &arguments.second)?;
    model.write_remote(relation, &arguments.owner, &pairs(&arguments.values)?)?;
    Ok(())
}

fn trust(model: &mut Model, arguments: &Trust) -> anyhow::Result<()> {
    let application = &arguments.application;
    if !arguments.remove && arguments.scope.as_deref() != Some("cluster") {
        bail!(
            "'juju trust' currently requires --scope=cluster when adding trust to a k8s \
             charm; use `juju-sim trust {application} --scope=cluster`"
        );
    }
    model.set_trust(application, !arguments.remove)?;
    Ok(())
}

fn config(
    model: &mut Model,
    application: &str,
    values: &[String],
    reset: &[String],
) -> anyhow::Result<ExitCode> {
    if let ([key], []) = (values, reset)
        && !key.contains('=')
    {
        let settings = model.config(application)?;
        let Some(value) = settings.get(key) else {
            bail!(
                "key \"{key}\" not found in \"{application}\" application config or charm settings."
            );
        };
        let text = match value {
            None => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        };
        writeln!(io::stdout(), "{text}")?;
        return Ok(ExitCode::SUCCESS);
    }
    if values.is_empty() && reset.is_empty() {
        let text = serde_yaml::to_string(&model.describe_config(application)?)?;
        write!(io::stdout(), "{text}")?;
        return Ok(ExitCode::SUCCESS);
    }
    let values = pairs(values)?;
    let reset: Vec<&str> = reset.iter().map(String::as_str).collect();
    model.reset_config(application, &reset)?;
    model.set_config(application, &values)?;
    settle(model)
}

fn run_action(
    model: &mut Model,
    unit: &str,
    action: &str,
    parameters: &[String],
) -> anyhow::Result<ExitCode> {
    let mut map = Map::new();
    for (key, text) in pairs(parameters)? {
        let value = serde_yaml::from_str::<Value>(text).unwrap_or_else(|_| Value::from(text));
        map.insert(key.to_owned(), value);
    }
    let result = model.run_action(unit, action, &map)?;
    let settled = settle(model)?;
    print_action(unit, &result)?;
    Ok(if result.completed {
        settled
    } else {
        ExitCode::FAILURE
    })
}

fn print_action(unit: &str, result: &ActionResult) -> anyhow::Result<()> {
    let mut out = io::stdout();
    let tag = unit.replace('/', "-");
    writeln!(out, "Running operation {} with 1 task", result.operation)?;
    writeln!(out, "  - task {} on unit-{tag}\n", result.id)?;
    writeln!(out, "Waiting for task {}...", result.id)?;
    for line in &result.log {
        writeln!(out, "{line}")?;
    }
    let mut results = result.results.clone();
    for (key, text) in [("stdout", &result.stdout), ("stderr", &result.stderr)] {
        if !text.is_empty() {
            results.insert(key.into(), Value::from(text.as_str()));
        }
    }
    if !results.is_empty() {
        write!(out, "{}", serde_yaml::to_string(&results)?)?;
    }
    if !result.completed {
        writeln!(
            io::stderr(),
            "ERROR the following task failed:\n - id \"{}\" with return code 1",
            result.id
        )?;
        writeln!(io::stderr(), "{}", result.message)?;
    }
    Ok(())
}

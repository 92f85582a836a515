//! What each command does.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::{Context, bail};
use serde_json::{Map, Value};

use super::Command;
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
    match command {
        Command::Config {
            application,
            values,
            reset,
        } => return config(model, &application, &values, &reset),
        Command::Run {
            unit,
            action,
            parameters,
        } => return run_action(model, &unit, &action, &parameters),
        Command::AddSecret { .. }
        | Command::UpdateSecret { .. }
        | Command::GrantSecret { .. }
        | Command::RevokeSecret { .. } => change_secrets(model, command)?,
        Command::Integrate { .. }
        | Command::RemoveRelation { .. }
        | Command::AddRemote { .. }
        | Command::WriteRemote { .. } => change_relations(model, command)?,
        _ => change_applications(model, command)?,
    }
    settle(model)
}

fn change_secrets(model: &mut Model, command: Command) -> anyhow::Result<()> {
    match command {
        Command::AddSecret { name, content } => {
            let uri = model.add_secret(&name, &pairs(&content)?)?;
            writeln!(io::stdout(), "{uri}")?;
        }
        Command::UpdateSecret { name, content } => {
            model.update_secret(&name, &pairs(&content)?)?;
        }
        Command::GrantSecret { name, application } => model.grant_secret(&name, &application)?,
        Command::RevokeSecret { name, application } => model.revoke_secret(&name, &application)?,
        _ => {}
    }
    Ok(())
}

fn change_relations(model: &mut Model, command: Command) -> anyhow::Result<()> {
    match command {
        Command::Integrate { first, second } => {
            model.integrate(&first, &second)?;
        }
        Command::RemoveRelation { first, second } => model.remove_relation(&first, &second)?,
        Command::AddRemote {
            application,
            endpoint,
            interface,
            num_units,
        } => {
            model.add_remote_application(&application, &endpoint, &interface, num_units)?;
        }
        Command::WriteRemote {
            first,
            second,
            owner,
            values,
        } => {
            let relation = model.relation_id(&first, &second)?;
            model.write_remote(relation, &owner, &pairs(&values)?)?;
        }
        _ => {}
    }
    Ok(())
}

fn change_applications(model: &mut Model, command: Command) -> anyhow::Result<()> {
    let mut out = io::stdout();
    match command {
        Command::Deploy {
            charm,
            application,
            config,
            trust,
            num_units,
        } => {
            let mut deployment = Deployment::of(charm).units(num_units);
            if let Some(application) = application {
                deployment = deployment.named(application);
            }
            for (key, value) in pairs(&config)? {
                deployment = deployment.config(key, value);
            }
            if trust {
                deployment = deployment.trusted();
            }
            let name = model.deploy(deployment)?;
            writeln!(out, "Deployed \"{name}\"")?;
        }
        Command::Trust {
            application,
            scope,
            remove,
        } => {
            if !remove && scope.as_deref() != Some("cluster") {
                bail!(
                    "'juju trust' currently requires --scope=cluster when adding trust to a k8s \
                     charm; use `juju-sim trust {application} --scope=cluster`"
                );
            }
            model.set_trust(&application, !remove)?;
        }
        Command::ScaleApplication { application, scale } => {
            model.scale(&application, scale)?;
            writeln!(out, "{application} scaled to {scale} units")?;
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
        _ => {}
    }
    Ok(())
}

fn settle(model: &mut Model) -> anyhow::Result<ExitCode> {
    let settled = model.settle()?;
    for unit in &settled.in_error {
        writeln!(
            io::stderr(),
            "{unit} is in error: see `juju-sim debug-log`, then `juju-sim resolved {unit}`"
        )?;
    }
    // A unit that was in error before and stays so is not this command's failure.
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

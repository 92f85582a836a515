//! The tools of a running action.

use serde_json::{Map, Value};

use super::arguments::{self, FORMAT, OUTPUT};
use super::format::{self, SMART};
use super::{Answer, Call, Failure};
use crate::hook::Hook;
use crate::hook_context::HookContext;
use crate::record::Progress;

const RESERVED: [&str; 4] = ["stdout", "stdout-encoding", "stderr", "stderr-encoding"];

fn parameters<'a>(context: &'a HookContext<'_>) -> Result<&'a Value, Failure> {
    match &context.hook {
        Hook::Action { parameters, .. } => Ok(parameters),
        _ => Err(Failure::failed("not running an action")),
    }
}

pub(super) fn get(context: &HookContext<'_>, call: &Call<'_>) -> Answer {
    let arguments = arguments::parse(&[FORMAT, OUTPUT], call.arguments)?;
    arguments.at_most(1)?;
    let parameters = parameters(context)?;
    let value = match arguments.argument(0) {
        None => Some(parameters),
        Some(key) => key
            .split('.')
            .try_fold(parameters, |value, part| value.get(part)),
    };
    format::print(call, &arguments, SMART, value.unwrap_or(&Value::Null))
}

pub(super) fn set(context: &mut HookContext<'_>, call: &Call<'_>) -> Answer {
    let arguments = arguments::parse(&[], call.arguments)?;
    if arguments.positional.is_empty() {
        return Err(Failure::usage("no results specified"));
    }
    let mut entries = Vec::new();
    for argument in &arguments.positional {
        let Some((key, value)) = argument.split_once('=') else {
            return Err(Failure::usage(format!(
                "argument \"{argument}\" must be of the form key...=value"
            )));
        };
        if RESERVED.contains(&key) {
            return Err(Failure::usage(format!(
                "cannot set reserved action key \"{key}\""
            )));
        }
        if let Some(part) = key.split('.').find(|part| !valid_key(part)) {
            return Err(Failure::usage(format!(
                "key \"{part}\" must start and end with lowercase alphanumeric, and contain only \
                 lowercase alphanumeric and hyphens"
            )));
        }
        entries.push((key, value));
    }
    parameters(context)?;
    for (key, value) in entries {
        insert(&mut context.action.results, key, value);
    }
    Ok(String::new())
}

fn valid_key(key: &str) -> bool {
    let letter_or_digit = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    key.starts_with(letter_or_digit)
        && key.ends_with(letter_or_digit)
        && key.chars().all(|c| letter_or_digit(c) || c == '-')
}

/// Dots make nested maps; what was a plain value on the way is replaced.
fn insert(results: &mut Map<String, Value>, key: &str, value: &str) {
    match key.split_once('.') {
        None => {
            results.insert(key.to_owned(), Value::from(value));
        }
        Some((first, rest)) => {
            let inner = results
                .entry(first)
                .or_insert_with(|| Value::Object(Map::new()));
            if !inner.is_object() {
                *inner = Value::Object(Map::new());
            }
            if let Some(inner) = inner.as_object_mut() {
                insert(inner, rest, value);
            }
        }
    }
}

/// Marks the action as failed; the process continues.
pub(super) fn fail(context: &mut HookContext<'_>, call: &Call<'_>) -> Answer {
    let arguments = arguments::parse(&[], call.arguments)?;
    arguments.at_most(1)?;
    parameters(context)?;
    let message = arguments
        .argument(0)
        .unwrap_or("action failed without reason given");
    context.action.failed = Some(message.to_owned());
    Ok(String::new())
}

pub(super) fn log(context: &mut HookContext<'_>, call: &Call<'_>) -> Answer {
    let arguments = arguments::parse(&[], call.arguments)?;
    if arguments.positional.is_empty() {
        return Err(Failure::usage("no message specified"));
    }
    parameters(context)?;
    let message = arguments.positional.join(" ");
    let unit = context.unit_name.clone();
    context.notify(Progress::Action {
        unit: &unit,
        message: &message,
    });
    context.action.log.push(message);
    Ok(String::new())
}

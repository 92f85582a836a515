//! `state-get`, `state-set`, `state-delete`: what a charm keeps on the controller, per unit.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::arguments::{self, FORMAT, OUTPUT, switch, value};
use super::format::{self, SMART};
use super::{Answer, Call, Failure};
use crate::hook_context::HookContext;

const KEY_LIMIT: usize = 256;
const VALUE_LIMIT: usize = 64 * 1024;
/// The controller's default `max-charm-state-size`.
const TOTAL_LIMIT: usize = 2 * 1024 * 1024;

pub(super) fn get(context: &HookContext<'_>, call: &Call<'_>) -> Answer {
    let arguments = arguments::parse(&[FORMAT, OUTPUT, switch(&["strict"])], call.arguments)?;
    arguments.at_most(1)?;
    let state = context.own_state();
    let value = match arguments.argument(0).filter(|key| *key != "-") {
        None if state.is_empty() => Value::Null,
        None => json!(state),
        Some(key) => match state.get(key) {
            Some(value) => json!(value),
            None if arguments.is_set("strict") => {
                return Err(Failure::failed(format!("\"{key}\" not found")));
            }
            None => json!(""),
        },
    };
    format::print(call, &arguments, SMART, &value)
}

pub(super) fn set(context: &mut HookContext<'_>, call: &mut Call<'_>) -> Answer {
    let arguments = arguments::parse(&[value(&["file"])], call.arguments)?;
    let overrides = arguments::key_values(&arguments.positional)?;
    let mut entries: BTreeMap<String, String> = match arguments.get("file") {
        Some(file) => super::relation_write::read_map(call, file)?,
        None => BTreeMap::new(),
    };
    entries.extend(overrides);
    let mut state = context.own_state();
    for (key, value) in entries {
        if key.len() > KEY_LIMIT {
            return Err(Failure::failed(format!(
                "cannot set charm state: key \"{key}\" exceeds {KEY_LIMIT} bytes"
            )));
        }
        if value.len() > VALUE_LIMIT {
            return Err(Failure::failed(format!(
                "cannot set charm state: value for key \"{key}\" exceeds {VALUE_LIMIT} bytes"
            )));
        }
        state.insert(key, value);
    }
    let total: usize = state
        .iter()
        .map(|(key, value)| key.len() + value.len())
        .sum();
    if total > TOTAL_LIMIT {
        return Err(Failure::failed(format!(
            "cannot set charm state: total size {total} exceeds quota of {TOTAL_LIMIT} bytes"
        )));
    }
    context.pending.state = Some(state);
    Ok(String::new())
}

pub(super) fn delete(context: &mut HookContext<'_>, call: &Call<'_>) -> Answer {
    let arguments = arguments::parse(&[], call.arguments)?;
    let Some(key) = arguments.argument(0) else {
        return Err(Failure::usage("no key specified"));
    };
    arguments.at_most(1)?;
    let mut state = context.own_state();
    state.remove(key);
    context.pending.state = Some(state);
    Ok(String::new())
}

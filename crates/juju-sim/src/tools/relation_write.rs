//! `relation-set`.

use std::collections::BTreeMap;

use serde_json::Value;

use super::arguments::{self, RELATION, switch, value};
use super::{Answer, Call, Failure};
use crate::hook_context::HookContext;

/// Keeps the change until the hook has succeeded. An empty value deletes the key; arguments win
/// over the file.
pub(super) fn set(context: &mut HookContext<'_>, call: &mut Call<'_>) -> Answer {
    let flags = [
        RELATION,
        value(&["file"]),
        switch(&["app"]),
        value(&["format"]),
    ];
    let arguments = arguments::parse(&flags, call.arguments)?;
    let id = super::relation::relation_id(context, &arguments)?;
    let overrides = arguments::key_values(&arguments.positional)?;
    let mut settings = match arguments.get("file") {
        Some(file) => read_map(call, file)?,
        None => BTreeMap::new(),
    };
    settings.extend(overrides);
    let application = arguments.is_set("app");
    if application && !context.is_leader() {
        return Err(Failure::failed("cannot write relation settings"));
    }
    let owner = if application {
        &context.application_name
    } else {
        &context.unit_name
    };
    let mut bag = context.bag(id, owner, application).unwrap_or_default();
    for (key, value) in settings {
        if value.is_empty() {
            bag.remove(&key);
        } else {
            bag.insert(key, value);
        }
    }
    let pending = if application {
        &mut context.pending.application_bags
    } else {
        &mut context.pending.unit_bags
    };
    pending.insert(id, bag);
    Ok(String::new())
}

/// A YAML map of texts, as `--file` takes it. Numbers and booleans are taken as they are written,
/// null as the empty text.
pub(super) fn read_map(
    call: &mut Call<'_>,
    file: &str,
) -> Result<BTreeMap<String, String>, Failure> {
    let content = call.read_file(file)?;
    let map: Option<BTreeMap<String, Value>> = serde_yaml::from_str(&content)
        .map_err(|error| Failure::failed(format!("yaml: {error}")))?;
    map.unwrap_or_default()
        .into_iter()
        .map(|(key, value)| match value {
            Value::String(text) => Ok((key, text)),
            Value::Null => Ok((key, String::new())),
            Value::Bool(_) | Value::Number(_) => Ok((key, value.to_string())),
            Value::Array(_) | Value::Object(_) => Err(Failure::failed(format!(
                "yaml: unmarshal errors: cannot unmarshal the value of \"{key}\" into string"
            ))),
        })
        .collect()
}

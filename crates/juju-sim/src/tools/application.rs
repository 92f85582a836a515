//! Tools about the application and the model: configuration, leadership, goal state, version.

use serde_json::{Map, Value, json};

use super::arguments::{self, FORMAT, OUTPUT, switch};
use super::format::{self, SMART, YAML};
use super::{Answer, Call, Failure};
use crate::clock;
use crate::hook_context::HookContext;

pub(super) fn config_get(context: &HookContext<'_>, call: &Call<'_>) -> Answer {
    let arguments = arguments::parse(&[FORMAT, OUTPUT, switch(&["all", "a"])], call.arguments)?;
    arguments.at_most(1)?;
    let application = context.application()?;
    let settings = application.settings();
    let value = match arguments.argument(0) {
        Some(key) => {
            if arguments.is_set("all") {
                return Err(Failure::usage(format!(
                    "cannot use argument --all together with key \"{key}\""
                )));
            }
            settings.get(key).cloned().unwrap_or(Value::Null)
        }
        None if arguments.is_set("all") => {
            let declared = application.charm.options.keys();
            let all = declared.map(|name| {
                (
                    name.clone(),
                    settings.get(name).cloned().unwrap_or(Value::Null),
                )
            });
            Value::Object(all.collect())
        }
        None => Value::Object(settings.into_iter().collect()),
    };
    format::print(call, &arguments, SMART, &value)
}

pub(super) fn is_leader(context: &HookContext<'_>, call: &Call<'_>) -> Answer {
    let arguments = arguments::parse(&[FORMAT, OUTPUT], call.arguments)?;
    arguments.at_most(0)?;
    format::print(call, &arguments, SMART, &Value::Bool(context.is_leader()))
}

pub(super) fn version_set(context: &mut HookContext<'_>, call: &Call<'_>) -> Answer {
    let arguments = arguments::parse(&[], call.arguments)?;
    let Some(version) = arguments.argument(0) else {
        return Err(Failure::usage("no version specified"));
    };
    arguments.at_most(1)?;
    version.clone_into(&mut context.application_mut()?.version);
    context.visible_change = true;
    Ok(String::new())
}

/// Units of this application, and of each related one; peers are not listed.
pub(super) fn goal_state(context: &HookContext<'_>, call: &Call<'_>) -> Answer {
    let arguments = arguments::parse(&[FORMAT, OUTPUT], call.arguments)?;
    arguments.at_most(0)?;
    let goal = |status: &str, since: i64| json!({"status": status, "since": clock::long(since)});
    let units: Map<String, Value> = context
        .unit_goals(&context.application_name)
        .into_iter()
        .map(|(name, status, since)| (name, goal(&status, since)))
        .collect();
    let mut relations = Map::new();
    for relation in context
        .state
        .relations
        .values()
        .filter(|relation| !relation.is_peer())
    {
        let (Some(own), Some(other)) = (
            relation.side(&context.application_name),
            relation.other(&context.application_name),
        ) else {
            continue;
        };
        let endpoint = relations
            .entry(own.endpoint.clone())
            .or_insert_with(|| json!({}));
        let Some(endpoint) = endpoint.as_object_mut() else {
            continue;
        };
        let joined = goal("joined", relation.since);
        let remote = context.state.remote_applications.get(&other.application);
        if let Some(remote) = remote.filter(|_| context.state.is_before_juju_4()) {
            endpoint.insert(remote.offer_url(), joined);
            continue;
        }
        endpoint.insert(other.application.clone(), joined);
        for (name, status, since) in context.unit_goals(&other.application) {
            endpoint.insert(name, goal(&status, since));
        }
    }
    let value = json!({"units": units, "relations": relations});
    format::print(call, &arguments, YAML, &value)
}

pub(super) fn credential_get(context: &HookContext<'_>, call: &Call<'_>) -> Answer {
    let arguments = arguments::parse(&[FORMAT, OUTPUT], call.arguments)?;
    arguments.at_most(0)?;
    if !context.application()?.trusted {
        return Err(Failure::failed(
            "cannot access cloud credentials: getting model credentials: permission denied",
        ));
    }
    let value = json!({
        "type": "kubernetes",
        "name": context.state.cloud,
        "endpoint": format!("https://{}", context.state.api_server),
        "credential": {"auth-type": "oauth2", "attrs": {"Token": context.credential.token}},
        "cacertificates": context.credential.certificates,
        "is-controller-cloud": true,
    });
    format::print(call, &arguments, SMART, &value)
}

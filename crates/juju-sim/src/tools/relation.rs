//! Reading relations.

use serde_json::{Value, json};

use super::arguments::{self, Arguments, FORMAT, OUTPUT, RELATION, switch};
use super::format::{self, SMART};
use super::{Answer, Call, Failure};
use crate::charm::valid_name;
use crate::hook_context::HookContext;
use crate::state::{Relation, split_unit};

/// The relation that `-r` names; the text before a colon does not matter.
pub(super) fn explicit_id(
    context: &HookContext<'_>,
    arguments: &Arguments,
) -> Result<Option<u32>, Failure> {
    let Some(given) = arguments.get("relation") else {
        return Ok(None);
    };
    let number = given.rsplit(':').next().unwrap_or(given);
    let id = number
        .parse::<u32>()
        .map_err(|_| arguments.invalid("relation", "invalid relation id"))?;
    if context.relation(id).is_none() {
        return Err(arguments.invalid("relation", "relation not found"));
    }
    Ok(Some(id))
}

/// The relation that `-r` names, otherwise the one whose hook runs.
pub(super) fn relation_id(
    context: &HookContext<'_>,
    arguments: &Arguments,
) -> Result<u32, Failure> {
    explicit_id(context, arguments)?
        .or_else(|| context.hook.relation().map(|hook| hook.relation))
        .ok_or_else(|| Failure::usage("no relation id specified"))
}

fn relation<'a>(context: &'a HookContext<'_>, id: u32) -> Result<&'a Relation, Failure> {
    context
        .relation(id)
        .ok_or_else(|| Failure::failed("relation not found"))
}

/// Every relation of an endpoint, the one that is breaking included. An endpoint that the charm
/// does not declare has none.
pub(super) fn ids(context: &HookContext<'_>, call: &Call<'_>) -> Answer {
    let arguments = arguments::parse(&[FORMAT, OUTPUT], call.arguments)?;
    arguments.at_most(1)?;
    let current = context.hook.relation().map(|hook| hook.endpoint.as_str());
    let Some(endpoint) = arguments.argument(0).or(current) else {
        return Err(Failure::usage("no endpoint name specified"));
    };
    let ids: Vec<String> = context
        .unit()?
        .relations
        .keys()
        .filter_map(|id| context.state.relations.get(id))
        .filter(|relation| {
            relation
                .side(&context.application_name)
                .is_some_and(|side| side.endpoint == endpoint)
        })
        .map(|relation| format!("{endpoint}:{}", relation.id))
        .collect();
    format::print(call, &arguments, SMART, &json!(ids))
}

/// The units whose `relation-joined` this unit has run.
pub(super) fn list(context: &HookContext<'_>, call: &Call<'_>) -> Answer {
    let flags = [FORMAT, OUTPUT, RELATION, switch(&["app"])];
    let arguments = arguments::parse(&flags, call.arguments)?;
    let id = relation_id(context, &arguments)?;
    arguments.at_most(0)?;
    let value = if arguments.is_set("app") {
        json!(
            relation(context, id)?
                .other(&context.application_name)
                .map(|s| &s.application)
        )
    } else {
        let known = context.unit()?.relations.get(&id);
        json!(
            known
                .map(|known| known.members.keys().collect::<Vec<_>>())
                .unwrap_or_default()
        )
    };
    format::print(call, &arguments, SMART, &value)
}

pub(super) fn get(context: &HookContext<'_>, call: &Call<'_>) -> Answer {
    let flags = [FORMAT, OUTPUT, RELATION, switch(&["app"])];
    let arguments = arguments::parse(&flags, call.arguments)?;
    let id = relation_id(context, &arguments)?;
    let (owner, application) = bag_owner(context, &arguments)?;
    arguments.at_most(2)?;
    let sides = &relation(context, id)?.sides;
    // 4.0 lets every unit read its own application's bag, leader or not.
    let owner_application = split_unit(&owner).map_or(owner.as_str(), |(name, _)| name);
    let in_relation = sides
        .iter()
        .any(|side| side.application == owner_application);
    let bag = context.bag(id, &owner, application).filter(|_| in_relation);
    let value = match (
        bag,
        arguments
            .argument(0)
            .filter(|key| !matches!(*key, "-" | "")),
    ) {
        (Some(bag), None) => json!(bag),
        (Some(bag), Some(key)) => json!(bag.get(key)),
        // An application that never wrote has an empty bag.
        (None, key) if application && in_relation => {
            if key.is_some() {
                Value::Null
            } else {
                json!({})
            }
        }
        (None, _) => return Err(Failure::failed("permission denied")),
    };
    format::print(call, &arguments, SMART, &value)
}

/// Whose bag, and whether it is an application's: as given, otherwise from the hook's event.
fn bag_owner(context: &HookContext<'_>, arguments: &Arguments) -> Result<(String, bool), Failure> {
    let application = arguments.is_set("app");
    if let Some(given) = arguments.argument(1) {
        let unit = split_unit(given);
        if application {
            return Ok((unit.map_or(given, |(name, _)| name).to_owned(), true));
        }
        if unit.is_some() {
            return Ok((given.to_owned(), false));
        }
        return Err(Failure::usage(if valid_name(given) {
            format!("expected unit name, got application name \"{given}\"")
        } else {
            format!("invalid unit name \"{given}\"")
        }));
    }
    let event = context.hook.relation();
    let remote_unit = event
        .and_then(|hook| hook.remote_unit.clone())
        .filter(|_| !application);
    match (remote_unit, event) {
        (Some(unit), _) => Ok((unit, false)),
        (None, Some(hook)) => Ok((hook.remote_application.clone(), true)),
        (None, None) => Err(Failure::usage("no unit or application specified")),
    }
}

pub(super) fn model_get(context: &HookContext<'_>, call: &Call<'_>) -> Answer {
    let arguments = arguments::parse(&[FORMAT, OUTPUT, RELATION], call.arguments)?;
    relation_id(context, &arguments)?;
    arguments.at_most(0)?;
    format::print(
        call,
        &arguments,
        SMART,
        &json!({"uuid": context.state.uuid}),
    )
}

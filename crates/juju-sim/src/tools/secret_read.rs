//! Reading secrets.

use serde_json::{Map, Value, json};

use super::arguments::{self, FORMAT, OUTPUT, switch, value};
use super::format::{self, SMART, YAML};
use super::{Answer, Call, Failure};
use crate::hook_context::HookContext;
use crate::state::secret::{Consumed, Owner, Secret, parse_uri};

/// The identifier of a URI argument.
pub(super) fn id(text: &str) -> Result<String, Failure> {
    parse_uri(text).ok_or_else(|| Failure::usage(format!("secret URI \"{text}\" not valid")))
}

/// A secret that this unit may manage: its own, or its application's if it leads.
pub(super) fn manages(context: &HookContext<'_>, secret: &Secret) -> bool {
    match &secret.owner {
        Owner::Application(_) if !context.is_leader() => false,
        _ => secret.belongs_to(&context.application_name, &context.unit_name),
    }
}

fn owned_by_label<'a>(context: &'a HookContext<'_>, label: &str) -> Option<&'a Secret> {
    context.secrets().find(|secret| {
        secret.label.as_deref() == Some(label)
            && secret.belongs_to(&context.application_name, &context.unit_name)
    })
}

pub(super) fn get(context: &mut HookContext<'_>, call: &Call<'_>) -> Answer {
    let flags = [
        FORMAT,
        OUTPUT,
        value(&["label"]),
        switch(&["peek"]),
        switch(&["refresh"]),
    ];
    let arguments = arguments::parse(&flags, call.arguments)?;
    let given = arguments.argument(0).map(id).transpose()?;
    let label = arguments.get("label");
    if given.is_none() && label.is_none() {
        return Err(Failure::usage("require either a secret URI or label"));
    }
    let (peek, refresh) = (arguments.is_set("peek"), arguments.is_set("refresh"));
    if peek && refresh {
        return Err(Failure::usage(
            "specify one of --peek or --refresh but not both",
        ));
    }
    arguments.at_most(2)?;
    let found = match (&given, label) {
        (Some(id), _) => id.clone(),
        (None, label) => by_label(context, label.unwrap_or_default())?,
    };
    let values = content(
        context,
        &found,
        label.filter(|_| given.is_some()),
        peek,
        refresh,
    )?;
    let value =
        match arguments.argument(1) {
            None => json!(values),
            Some(key) => {
                let key = key.strip_suffix("#base64").unwrap_or(key);
                let value = values.get(key);
                json!(value.ok_or_else(|| Failure::failed(format!(
                    "secret key value \"{key}\" not found"
                )))?)
            }
        };
    format::print(call, &arguments, YAML, &value)
}

fn by_label(context: &HookContext<'_>, label: &str) -> Result<String, Failure> {
    if let Some(secret) = owned_by_label(context, label) {
        return Ok(secret.id.clone());
    }
    let consumed = &context.unit()?.consumed;
    consumed
        .iter()
        .find(|(_, consumed)| consumed.label.as_deref() == Some(label))
        .map(|(id, _)| id.clone())
        .ok_or_else(|| {
            Failure::failed(format!(
                "secret URI for consumer label \"{label}\" not found"
            ))
        })
}

fn content(
    context: &mut HookContext<'_>,
    id: &str,
    label: Option<&str>,
    peek: bool,
    refresh: bool,
) -> Result<std::collections::BTreeMap<String, String>, Failure> {
    let not_found = || Failure::failed(format!("secret \"{id}\" not found"));
    let secret = context.secret(id).ok_or_else(not_found)?.clone();
    if secret.belongs_to(&context.application_name, &context.unit_name) {
        // An owner sees what it has committed; a revision of this hook only when it asks
        // for the newest, or when there is no other.
        let committed = context.state.secrets.get(id).filter(|_| !peek && !refresh);
        let secret = committed.unwrap_or(&secret);
        return secret
            .revisions
            .get(&secret.latest())
            .cloned()
            .ok_or_else(not_found);
    }
    let (unit, application) = (context.unit_name.clone(), context.application_name.clone());
    let latest = secret.latest();
    let consumed = context
        .unit_mut()?
        .consumed
        .entry(id.to_owned())
        .or_insert_with(|| {
            // Recorded also for a reader who is then refused: 4.0 tracks before it checks, and
            // reports later revisions to that reader.
            Consumed {
                label: None,
                tracked: latest,
                notified: latest,
            }
        });
    if let Some(label) = label {
        consumed.label = Some(label.to_owned());
    }
    if !secret.readable_by(&application, &unit) {
        return Err(Failure::failed(format!(
            "\"{unit}\" is not allowed to read this secret"
        )));
    }
    if refresh {
        consumed.tracked = latest;
    }
    let revision = if peek { latest } else { consumed.tracked };
    secret
        .revisions
        .get(&revision)
        .cloned()
        .ok_or_else(not_found)
}

pub(super) fn ids(context: &HookContext<'_>, call: &Call<'_>) -> Answer {
    let arguments = arguments::parse(&[FORMAT, OUTPUT], call.arguments)?;
    arguments.at_most(0)?;
    let ids: Vec<_> = context
        .secrets()
        .filter(|secret| manages(context, secret))
        .map(|s| &s.id)
        .collect();
    let value = if ids.is_empty() {
        Value::Null
    } else {
        json!(ids)
    };
    format::print(call, &arguments, SMART, &value)
}

pub(super) fn info_get(context: &HookContext<'_>, call: &Call<'_>) -> Answer {
    let arguments = arguments::parse(&[FORMAT, OUTPUT, value(&["label"])], call.arguments)?;
    arguments.at_most(1)?;
    let given = arguments.argument(0).map(id).transpose()?;
    let secret = match (&given, arguments.get("label")) {
        (Some(_), Some(_)) => {
            return Err(Failure::usage(
                "specify either a secret URI or label but not both",
            ));
        }
        (None, None) => return Err(Failure::usage("require either a secret URI or label")),
        (Some(id), None) => context.secret(id),
        (None, Some(label)) => owned_by_label(context, label),
    };
    let name = given
        .as_deref()
        .or(arguments.get("label"))
        .unwrap_or_default();
    let secret = secret
        .filter(|secret| manages(context, secret))
        .ok_or_else(|| Failure::failed(format!("secret \"{name}\" not found")))?;
    format::print(
        call,
        &arguments,
        YAML,
        &json!({ &secret.id: info(context, secret) }),
    )
}

fn info(context: &HookContext<'_>, secret: &Secret) -> Value {
    let owner = if matches!(secret.owner, Owner::Unit(_)) {
        "unit"
    } else {
        "application"
    };
    let mut info = Map::from_iter([
        ("revision".to_owned(), json!(secret.latest())),
        ("owner".to_owned(), json!(owner)),
    ]);
    for (key, value) in [
        ("label", &secret.label),
        ("description", &secret.description),
        ("rotation", &secret.rotate),
        ("expiry", &secret.expire),
    ] {
        if let Some(value) = value {
            info.insert(key.to_owned(), json!(value));
        }
    }
    if !secret.grants.is_empty() {
        let access: Vec<Value> = secret
            .grants
            .iter()
            .map(|(target, grant)| {
                let kind = if target.contains('/') {
                    "unit"
                } else {
                    "application"
                };
                let scope = grant
                    .relation
                    .and_then(|id| context.state.relations.get(&id));
                let scope = scope.map(|relation| {
                    let sides: Vec<_> = relation.sides.iter().map(ToString::to_string).collect();
                    format!("relation-{}", sides.join("#").replace(':', "."))
                });
                json!({
                    "target": format!("{kind}-{}", target.replace('/', "-")),
                    "scope": scope,
                    "role": "view",
                })
            })
            .collect();
        info.insert("access".to_owned(), json!(access));
    }
    Value::Object(info)
}

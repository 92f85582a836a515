//! Creating, changing and granting secrets. All of it counts only once the hook has succeeded.

use std::collections::BTreeMap;

use super::arguments::{self, Arguments, Flag, RELATION, value};
use super::secret_read::{id, manages};
use super::{Answer, Call, Failure};
use crate::clock;
use crate::hook_context::HookContext;
use crate::state::secret::{Grant, Owner, Secret, valid_key};

const ROTATIONS: [&str; 7] = [
    "never",
    "hourly",
    "daily",
    "weekly",
    "monthly",
    "quarterly",
    "yearly",
];

const CONTENT_FLAGS: [Flag; 6] = [
    value(&["expire"]),
    value(&["rotate"]),
    value(&["description"]),
    value(&["label"]),
    value(&["file"]),
    value(&["owner"]),
];

/// The content that `key=value`, `key#base64=`, `key#file=` arguments and `--file` give.
fn read_values(
    call: &mut Call<'_>,
    arguments: &Arguments,
    pairs: &[String],
) -> Result<BTreeMap<String, String>, Failure> {
    let mut content = BTreeMap::new();
    for (key, value) in arguments::key_values(pairs)? {
        let (name, form) = key.split_once('#').unwrap_or((&key, ""));
        if !valid_key(name) {
            return Err(Failure::usage(format!("key \"{name}\" not valid")));
        }
        let value = match form {
            "file" => call.read_file(&value).map_err(|_| {
                Failure::usage(format!(
                    "reading content for secret key \"{name}\": open {value}"
                ))
            })?,
            "base64" => decode(name, &value)?,
            _ => value,
        };
        content.insert(name.to_owned(), value);
    }
    if let Some(file) = arguments.get("file") {
        for (key, value) in super::relation_write::read_map(call, file)? {
            if !valid_key(&key) {
                return Err(Failure::usage(format!("key \"{key}\" not valid")));
            }
            content.insert(key, value);
        }
    }
    Ok(content)
}

fn decode(key: &str, text: &str) -> Result<String, Failure> {
    serde_json::from_value::<k8s_openapi::ByteString>(text.into())
        .map(|bytes| String::from_utf8_lossy(&bytes.0).into_owned())
        .map_err(|_| Failure::usage(format!("base64 value for key \"{key}\" not valid")))
}

fn check_flags(arguments: &Arguments) -> Result<(), Failure> {
    if let Some(rotate) = arguments.get("rotate")
        && !ROTATIONS.contains(&rotate)
    {
        return Err(Failure::usage(format!(
            "rotate policy \"{rotate}\" not valid"
        )));
    }
    match arguments.get("owner").unwrap_or("application") {
        "application" | "unit" => Ok(()),
        other => Err(Failure::usage(format!(
            "secret owner \"{other}\" not valid"
        ))),
    }
}

fn describe(secret: &mut Secret, arguments: &Arguments) {
    for (name, field) in [
        ("label", &mut secret.label),
        ("description", &mut secret.description),
        ("rotate", &mut secret.rotate),
        ("expire", &mut secret.expire),
    ] {
        if let Some(value) = arguments.get(name) {
            *field = Some(value.to_owned());
        }
    }
}

pub(super) fn add(context: &mut HookContext<'_>, call: &mut Call<'_>) -> Answer {
    let arguments = arguments::parse(&CONTENT_FLAGS, call.arguments)?;
    if arguments.positional.is_empty() && arguments.get("file").is_none() {
        return Err(Failure::usage("missing secret value or filename"));
    }
    check_flags(&arguments)?;
    let values = read_values(call, &arguments, &arguments.positional)?;
    if values.is_empty() {
        return Err(Failure::failed("empty secret value not valid"));
    }
    let owner = if arguments.get("owner") == Some("unit") {
        Owner::Unit(context.unit_name.clone())
    } else if context.is_leader() {
        Owner::Application(context.application_name.clone())
    } else {
        return Err(Failure::failed("this unit is not the leader"));
    };
    if let Some(label) = arguments.get("label")
        && context
            .secrets()
            .any(|s| s.owner == owner && s.label.as_deref() == Some(label))
    {
        return Err(Failure::failed(format!(
            "secret with label \"{label}\" already exists"
        )));
    }
    let mut secret = Secret {
        id: clock::secret_id(),
        owner,
        label: None,
        description: None,
        rotate: None,
        expire: None,
        revisions: BTreeMap::from([(1, values)]),
        grants: BTreeMap::new(),
    };
    describe(&mut secret, &arguments);
    let uri = format!("secret://{}/{}\n", context.state.uuid, secret.id);
    context
        .pending
        .secrets
        .insert(secret.id.clone(), Some(secret));
    Ok(uri)
}

/// The secret of the first argument, if this unit may change it.
fn managed(context: &HookContext<'_>, arguments: &Arguments) -> Result<Secret, Failure> {
    let Some(uri) = arguments.argument(0) else {
        return Err(Failure::usage("missing secret URI"));
    };
    let id = id(uri)?;
    let secret = context
        .secret(&id)
        .ok_or_else(|| Failure::failed(format!("secret \"{id}\" not found")))?;
    if manages(context, secret) {
        return Ok(secret.clone());
    }
    let owned = secret.belongs_to(&context.application_name, &context.unit_name);
    Err(Failure::failed(if owned {
        "this unit is not the leader"
    } else {
        "permission denied"
    }))
}

fn keep(context: &mut HookContext<'_>, secret: Secret) {
    context
        .pending
        .secrets
        .insert(secret.id.clone(), Some(secret));
}

pub(super) fn set(context: &mut HookContext<'_>, call: &mut Call<'_>) -> Answer {
    let arguments = arguments::parse(&CONTENT_FLAGS, call.arguments)?;
    check_flags(&arguments)?;
    let pairs = arguments.positional.get(1..).unwrap_or_default();
    let values = read_values(call, &arguments, pairs)?;
    let mut secret = managed(context, &arguments)?;
    let newest = secret.revisions.get(&secret.latest());
    if !values.is_empty() && newest != Some(&values) {
        let committed = context
            .state
            .secrets
            .get(&secret.id)
            .map_or(0, Secret::latest);
        secret.revisions.insert(committed + 1, values);
    }
    describe(&mut secret, &arguments);
    keep(context, secret);
    Ok(String::new())
}

pub(super) fn remove(context: &mut HookContext<'_>, call: &Call<'_>) -> Answer {
    let arguments = arguments::parse(&[value(&["revision"])], call.arguments)?;
    arguments.at_most(1)?;
    let mut secret = managed(context, &arguments)?;
    let Some(revision) = arguments.get("revision") else {
        context.pending.secrets.insert(secret.id, None);
        return Ok(String::new());
    };
    let number = revision
        .parse::<u64>()
        .map_err(|_| arguments.invalid("revision", "invalid syntax"))?;
    secret.revisions.remove(&number);
    if secret.revisions.is_empty() {
        context.pending.secrets.insert(secret.id, None);
        return Ok(String::new());
    }
    keep(context, secret);
    Ok(String::new())
}

pub(super) fn grant(context: &mut HookContext<'_>, call: &Call<'_>) -> Answer {
    let arguments = arguments::parse(&[RELATION, value(&["unit"])], call.arguments)?;
    arguments.at_most(1)?;
    let relation = super::relation::relation_id(context, &arguments)?;
    let mut secret = managed(context, &arguments)?;
    let remote = context
        .relation(relation)
        .and_then(|relation| relation.other(&context.application_name))
        .map(|side| side.application.clone())
        .unwrap_or_default();
    let target = arguments.get("unit").map_or(remote, str::to_owned);
    secret.grants.insert(
        target,
        Grant {
            relation: Some(relation),
        },
    );
    keep(context, secret);
    Ok(String::new())
}

pub(super) fn revoke(context: &mut HookContext<'_>, call: &Call<'_>) -> Answer {
    let flags = [RELATION, value(&["app", "application"]), value(&["unit"])];
    let arguments = arguments::parse(&flags, call.arguments)?;
    arguments.at_most(1)?;
    let relation = super::relation::explicit_id(context, &arguments)?;
    let mut secret = managed(context, &arguments)?;
    match (relation, arguments.get("unit").or(arguments.get("app"))) {
        (_, Some(target)) => {
            secret.grants.remove(target);
        }
        (Some(relation), None) => secret.grants.retain(|_, g| g.relation != Some(relation)),
        (None, None) => {
            return Err(Failure::usage("missing relation or application or unit"));
        }
    }
    keep(context, secret);
    Ok(String::new())
}

//! From the variables of a hook to its event.

use std::path::Path;

use super::{
    ActionEvent, Event, PebbleEvent, PebbleNotice, RelationChange, RelationEvent, SecretChange,
    SecretEvent, StorageChange, StorageEvent,
};
use crate::context::{ContextError, Variables, missing};
use crate::names::InvalidName;

impl Event {
    pub(in crate::context) fn from_variables(
        variables: &Variables,
        program_name: &str,
    ) -> Result<Self, ContextError> {
        let path = variables.get("JUJU_DISPATCH_PATH").unwrap_or(program_name);
        let path = Path::new(path);
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        let parent = path
            .parent()
            .and_then(Path::file_name)
            .and_then(|name| name.to_str());
        match parent {
            Some("actions") if !name.is_empty() => Ok(Self::Action(ActionEvent {
                name: name.to_owned(),
                tag: variables
                    .required("JUJU_ACTION_TAG", "an action")?
                    .to_owned(),
                uuid: variables
                    .required("JUJU_ACTION_UUID", "an action")?
                    .to_owned(),
            })),
            Some("hooks") if !name.is_empty() => Self::from_hook(variables, name),
            _ => Err(missing("JUJU_DISPATCH_PATH", "every hook")),
        }
    }

    fn from_hook(variables: &Variables, hook: &str) -> Result<Self, ContextError> {
        let event = match hook {
            "install" => Self::Install,
            "start" => Self::Start,
            "stop" => Self::Stop,
            "remove" => Self::Remove,
            "config-changed" => Self::ConfigChanged,
            "update-status" => Self::UpdateStatus,
            "upgrade-charm" => Self::UpgradeCharm,
            "leader-elected" => Self::LeaderElected,
            _ => return Self::from_hook_of_one_thing(variables, hook),
        };
        Ok(event)
    }

    /// Hooks that are named after a relation, a secret, a container or a storage.
    fn from_hook_of_one_thing(variables: &Variables, hook: &str) -> Result<Self, ContextError> {
        if let Some(event) = relation_event(variables, hook)? {
            return Ok(Self::Relation(event));
        }
        if let Some(event) = secret_event(variables, hook)? {
            return Ok(Self::Secret(event));
        }
        if let Some(event) = pebble_event(variables, hook)? {
            return Ok(Self::Pebble(event));
        }
        if let Some(event) = storage_event(variables, hook)? {
            return Ok(Self::Storage(event));
        }
        Ok(Self::Unknown(hook.to_owned()))
    }
}

fn relation_event(
    variables: &Variables,
    hook: &str,
) -> Result<Option<RelationEvent>, ContextError> {
    let Some((endpoint, change)) = hook.rsplit_once("-relation-") else {
        return Ok(None);
    };
    let remote_unit = "JUJU_REMOTE_UNIT";
    let change = match change {
        "created" => RelationChange::Created,
        "joined" => RelationChange::Joined {
            unit: variables.parse(remote_unit, hook)?,
        },
        "changed" => RelationChange::Changed {
            unit: variables.parse_optional(remote_unit)?,
        },
        "departed" => RelationChange::Departed {
            unit: variables.parse(remote_unit, hook)?,
            departing: variables.parse_optional("JUJU_DEPARTING_UNIT")?,
        },
        "broken" => RelationChange::Broken,
        _ => return Ok(None),
    };
    let endpoint = variables.get("JUJU_RELATION").unwrap_or(endpoint);
    let endpoint = endpoint.parse().map_err(|source| ContextError::Invalid {
        variable: "JUJU_RELATION",
        source,
    })?;
    Ok(Some(RelationEvent {
        endpoint,
        id: variables.parse("JUJU_RELATION_ID", hook)?,
        remote_application: variables.parse_optional("JUJU_REMOTE_APP")?,
        change,
    }))
}

fn secret_event(variables: &Variables, hook: &str) -> Result<Option<SecretEvent>, ContextError> {
    let change = match hook {
        "secret-changed" => SecretChange::Changed,
        "secret-rotate" => SecretChange::Rotate,
        "secret-expired" => SecretChange::Expired {
            revision: secret_revision(variables, hook)?,
        },
        "secret-remove" => SecretChange::Remove {
            revision: secret_revision(variables, hook)?,
        },
        _ => return Ok(None),
    };
    Ok(Some(SecretEvent {
        id: variables.parse("JUJU_SECRET_ID", hook)?,
        label: variables.get("JUJU_SECRET_LABEL").map(str::to_owned),
        change,
    }))
}

fn secret_revision(variables: &Variables, hook: &str) -> Result<u32, ContextError> {
    let variable = "JUJU_SECRET_REVISION";
    let text = variables.required(variable, hook)?;
    text.parse().map_err(|_| ContextError::Invalid {
        variable,
        source: InvalidName {
            value: text.to_owned(),
            kind: "secret revision",
            rule: "a number",
        },
    })
}

fn pebble_event(variables: &Variables, hook: &str) -> Result<Option<PebbleEvent>, ContextError> {
    let Some((workload, notice)) = hook.rsplit_once("-pebble-") else {
        return Ok(None);
    };
    let required = |variable| variables.required(variable, hook).map(str::to_owned);
    let notice = match notice {
        "ready" => PebbleNotice::Ready,
        "custom-notice" => PebbleNotice::Custom {
            id: required("JUJU_NOTICE_ID")?,
            kind: required("JUJU_NOTICE_TYPE")?,
            key: required("JUJU_NOTICE_KEY")?,
        },
        "check-failed" => PebbleNotice::CheckFailed {
            check: required("JUJU_PEBBLE_CHECK_NAME")?,
        },
        "check-recovered" => PebbleNotice::CheckRecovered {
            check: required("JUJU_PEBBLE_CHECK_NAME")?,
        },
        _ => return Ok(None),
    };
    let workload = variables
        .get("JUJU_WORKLOAD_NAME")
        .unwrap_or(workload)
        .to_owned();
    Ok(Some(PebbleEvent { workload, notice }))
}

fn storage_event(variables: &Variables, hook: &str) -> Result<Option<StorageEvent>, ContextError> {
    let Some((name, change)) = hook.rsplit_once("-storage-") else {
        return Ok(None);
    };
    let change = match change {
        "attached" => StorageChange::Attached,
        "detaching" => StorageChange::Detaching,
        _ => return Ok(None),
    };
    Ok(Some(StorageEvent {
        name: name.to_owned(),
        id: variables.required("JUJU_STORAGE_ID", hook)?.to_owned(),
        location: variables.get("JUJU_STORAGE_LOCATION").map(str::to_owned),
        kind: variables.get("JUJU_STORAGE_KIND").map(str::to_owned),
        change,
    }))
}

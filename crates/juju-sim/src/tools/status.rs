//! `status-set` and `status-get`.

use serde_json::{Map, Value, json};

use super::arguments::{self, FORMAT, OUTPUT, switch};
use super::format::{self, SMART};
use super::{Answer, Call, Failure};
use crate::hook_context::HookContext;
use crate::record::Progress;
use crate::state::Status;
use crate::status::application_status;

const SETTABLE: [&str; 4] = ["maintenance", "blocked", "waiting", "active"];

/// Written immediately, even if the hook fails later.
pub(super) fn set(context: &mut HookContext<'_>, call: &Call<'_>) -> Answer {
    let arguments = arguments::parse(&[switch(&["application"])], call.arguments)?;
    let Some(status) = arguments.argument(0) else {
        return Err(Failure::usage("invalid args, require <status> [message]"));
    };
    if !SETTABLE.contains(&status) {
        return Err(Failure::usage(format!(
            "invalid status \"{status}\", expected one of [{}]",
            SETTABLE.join(" ")
        )));
    }
    let message = arguments.positional[1..].join(" ");
    if !arguments.is_set("application") {
        context.unit_mut()?.charm_set_status = true;
        context.set_unit_status(status, &message)?;
        return Ok(String::new());
    }
    if !context.is_leader() {
        return Err(Failure::failed("this unit is not the leader"));
    }
    let application = context.application_mut()?;
    application.status = Some(Status::new(status, message.clone()));
    let name = application.name.clone();
    context.visible_change = true;
    context.notify(Progress::Status {
        of: &name,
        status,
        message: &message,
    });
    Ok(String::new())
}

pub(super) fn get(context: &HookContext<'_>, call: &Call<'_>) -> Answer {
    let flags = [
        FORMAT,
        OUTPUT,
        switch(&["application"]),
        switch(&["include-data"]),
    ];
    let arguments = arguments::parse(&flags, call.arguments)?;
    arguments.at_most(0)?;
    let data = arguments.is_set("include-data");
    if !arguments.is_set("application") {
        let workload = &context.unit()?.workload;
        let value = if data {
            detailed(workload, None)
        } else {
            Value::from(workload.status.clone())
        };
        // The plain word is for people; JSON and YAML get a map.
        let plain = arguments
            .get("format")
            .is_none_or(|format| format == "smart");
        let value = if data || plain {
            value
        } else {
            json!({"status": value})
        };
        return format::print(call, &arguments, SMART, &value);
    }
    if !context.is_leader() {
        return Err(Failure::failed(
            "finding application status: this unit is not the leader",
        ));
    }
    let application = context.application()?;
    let brief = |status: &Status| json!({"status": status.status});
    let units: Map<String, Value> = application
        .units
        .values()
        .map(|unit| {
            let value = if data {
                detailed(&unit.workload, None)
            } else {
                brief(&unit.workload)
            };
            (application.unit_name(unit.number), value)
        })
        .collect();
    let own = application_status(application);
    let value = if data {
        detailed(&own, Some(units))
    } else {
        json!({"status": own.status, "units": units})
    };
    format::print(
        call,
        &arguments,
        SMART,
        &json!({"application-status": value}),
    )
}

fn detailed(status: &Status, units: Option<Map<String, Value>>) -> Value {
    let mut value = json!({"message": status.message, "status": status.status, "status-data": {}});
    if let (Some(units), Some(map)) = (units, value.as_object_mut()) {
        map.insert("units".into(), Value::Object(units));
    }
    value
}

//! `juju-log`.

use super::arguments::{self, switch, value};
use super::{Answer, Call, Failure};
use crate::hook_context::HookContext;

const LEVELS: [&str; 6] = ["TRACE", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"];

/// Logs immediately. A level that does not exist becomes INFO, with a warning.
pub(super) fn juju_log(context: &mut HookContext<'_>, call: &Call<'_>) -> Answer {
    let flags = [
        switch(&["debug"]),
        value(&["log-level", "l"]),
        value(&["format"]),
    ];
    let arguments = arguments::parse(&flags, call.arguments)?;
    if arguments.positional.is_empty() {
        return Err(Failure::usage("no message specified"));
    }
    let asked = if arguments.is_set("debug") {
        Some("DEBUG")
    } else {
        arguments.get("log-level")
    };
    let asked = asked.unwrap_or("INFO").to_uppercase();
    let known = LEVELS.contains(&asked.as_str());
    if !known {
        let warning = format!("Specified log level of {asked} is not valid");
        context.write_log("WARNING", "juju-log", warning);
    }
    let prefix = context.hook.relation().map_or_else(String::new, |hook| {
        format!("{}:{}: ", hook.endpoint, hook.relation)
    });
    let message = format!("{prefix}{}", arguments.positional.join(" "));
    context.write_log(if known { &asked } else { "INFO" }, "juju-log", message);
    Ok(String::new())
}

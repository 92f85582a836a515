//! Ports, resources and storage.

use serde_json::json;

use super::arguments::{self, FORMAT, OUTPUT, value};
use super::format::{self, SMART};
use super::{Answer, Call, Failure};
use crate::hook_context::HookContext;

/// The port as `opened-ports` prints it.
fn port(text: &str) -> Result<String, Failure> {
    let lower = text.to_lowercase();
    if lower == "icmp" {
        return Ok(lower);
    }
    let (range, protocol) = lower.split_once('/').unwrap_or((&lower, "tcp"));
    if !matches!(protocol, "tcp" | "udp") {
        return Err(Failure::usage(format!(
            "invalid protocol \"{protocol}\", expected \"tcp\", \"udp\", or \"icmp\""
        )));
    }
    let number = |text: &str| text.parse::<u16>().ok().filter(|port| *port > 0);
    let (from, to) = range.split_once('-').unwrap_or((range, range));
    match (number(from), number(to)) {
        (Some(from), Some(to)) if from == to => Ok(format!("{from}/{protocol}")),
        (Some(from), Some(to)) if from < to => Ok(format!("{from}-{to}/{protocol}")),
        (Some(_), Some(_)) => Err(Failure::usage(format!("invalid port range {text}"))),
        _ => Err(Failure::usage(format!(
            "invalid port range {text}: expected <port>[/<protocol>] or \
             <from>-<to>[/<protocol>] or icmp"
        ))),
    }
}

fn one_port(call: &Call<'_>) -> Result<String, Failure> {
    let arguments = arguments::parse(&[value(&["endpoints"]), value(&["format"])], call.arguments)?;
    arguments.at_most(1)?;
    port(
        arguments
            .argument(0)
            .ok_or_else(|| Failure::usage("no port or range specified"))?,
    )
}

pub(super) fn open_port(context: &mut HookContext<'_>, call: &Call<'_>) -> Answer {
    let port = one_port(call)?;
    let mut ports = pending(context)?;
    ports.insert(port);
    context.pending.ports = Some(ports);
    Ok(String::new())
}

pub(super) fn close_port(context: &mut HookContext<'_>, call: &Call<'_>) -> Answer {
    let port = one_port(call)?;
    let mut ports = pending(context)?;
    ports.remove(&port);
    context.pending.ports = Some(ports);
    Ok(String::new())
}

fn pending(context: &HookContext<'_>) -> Result<std::collections::BTreeSet<String>, Failure> {
    Ok(match &context.pending.ports {
        Some(ports) => ports.clone(),
        None => context.unit()?.opened_ports.clone(),
    })
}

/// What is open now; ports that this hook opens show only after it.
pub(super) fn opened_ports(context: &HookContext<'_>, call: &Call<'_>) -> Answer {
    let arguments = arguments::parse(&[FORMAT, OUTPUT, value(&["endpoints"])], call.arguments)?;
    arguments.at_most(0)?;
    format::print(
        call,
        &arguments,
        SMART,
        &json!(context.unit()?.opened_ports),
    )
}

/// The model holds no resources, so every one is missing.
pub(super) fn resource_get(context: &HookContext<'_>, call: &Call<'_>) -> Answer {
    let arguments = arguments::parse(&[], call.arguments)?;
    let Some(name) = arguments.argument(0) else {
        return Err(Failure::usage("missing required resource name"));
    };
    Err(Failure::failed(format!(
        "could not download resource: getting UUID of resource {name} for application {}: \
         resource not found",
        context.application_name
    )))
}

pub(super) fn storage_list(call: &Call<'_>) -> Answer {
    let arguments = arguments::parse(&[FORMAT, OUTPUT], call.arguments)?;
    format::print(call, &arguments, SMART, &json!([]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_checked_and_normalised() {
        for (text, normal) in [
            ("80", "80/tcp"),
            ("53/UDP", "53/udp"),
            ("1-9/tcp", "1-9/tcp"),
            ("icmp", "icmp"),
        ] {
            assert_eq!(port(text).as_deref(), Ok(normal));
        }
        for text in ["0", "x", "9-1", "80/sctp", "70000", ""] {
            assert!(matches!(port(text), Err(Failure::Usage(_))), "{text}");
        }
    }
}

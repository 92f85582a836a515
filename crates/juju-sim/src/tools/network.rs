//! `network-get` and `unit-get`.

use serde_json::{Value, json};

use super::arguments::{self, FORMAT, OUTPUT, RELATION, switch};
use super::format::{self, SMART};
use super::{Answer, Call, Failure};
use crate::hook_context::HookContext;

/// On Kubernetes a unit binds to its pod's address and is reached at its application's Service.
pub(super) fn network_get(context: &HookContext<'_>, call: &Call<'_>) -> Answer {
    let parts = [
        switch(&["bind-address"]),
        switch(&["ingress-address"]),
        switch(&["egress-subnets"]),
        switch(&["primary-address"]),
    ];
    let flags = [&[FORMAT, OUTPUT, RELATION][..], &parts[..]].concat();
    let arguments = arguments::parse(&flags, call.arguments)?;
    super::relation::explicit_id(context, &arguments)?;
    let Some(binding) = arguments.argument(0) else {
        return Err(Failure::usage("no arguments specified"));
    };
    arguments.at_most(1)?;
    let application = context.application()?;
    let charm = &application.charm;
    let known = charm.endpoints.contains_key(binding)
        || charm.extra_bindings.iter().any(|name| name == binding)
        || binding == "juju-info";
    if !known {
        return Err(Failure::failed(format!(
            "no network config found for binding \"{binding}\""
        )));
    }
    let bind = &context.unit()?.address;
    let ingress = &application.address;
    let subnets = json!([format!("{ingress}/32")]);
    let parts: Vec<Value> = [
        ("bind-address", json!(bind)),
        ("ingress-address", json!(ingress)),
        ("egress-subnets", subnets.clone()),
        ("primary-address", json!(bind)),
    ]
    .into_iter()
    .filter(|(name, _)| arguments.is_set(name))
    .map(|(_, value)| value)
    .collect();
    if let [part] = parts.as_slice() {
        return format::print(call, &arguments, SMART, part);
    }
    let value = json!({
        "bind-addresses": [{
            "mac-address": "",
            "interface-name": format!("placeholder for \"{}\" cloud container", context.unit_name),
            "addresses": [{"hostname": bind, "value": bind, "cidr": "0.0.0.0/0"}],
        }],
        "egress-subnets": subnets,
        "ingress-addresses": [ingress],
    });
    format::print(call, &arguments, SMART, &value)
}

/// A unit on Kubernetes has neither of the two addresses in 4.0.
pub(super) fn unit_get(call: &Call<'_>) -> Answer {
    let arguments = arguments::parse(&[FORMAT, OUTPUT], call.arguments)?;
    arguments.at_most(1)?;
    match arguments.argument(0) {
        None => Err(Failure::usage("no setting specified")),
        Some("private-address") => Err(Failure::failed("private address not found")),
        Some("public-address") => Err(Failure::failed("public address not found")),
        Some(other) => Err(Failure::usage(format!("unknown setting \"{other}\""))),
    }
}

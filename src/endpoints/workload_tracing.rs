//! The endpoint `workload-tracing` (interface `tracing`): where proxies send the spans of requests.
//!
//! This side asks for receivers by their protocol, of which Envoy speaks `otlp_grpc`; the other side
//! answers with a list of them. Both are JSON, as version 1.0.0 of the Python library
//! charmlibs-interfaces-tracing reads and writes them.

use core::net::IpAddr;

use http::uri::Authority;
use juju::relation::{Bag, DatabagChanges, OwnBag, Relation};
use serde::Deserialize;

use super::service_host::ServiceHost;
use super::{Endpoint, Known, Publication, World};
use crate::intent::Intent;
use crate::intent::extensions::{CollectorHost, SpanCollector};
use crate::intent::problem::Problem;
use crate::istio::names::service_host;
use crate::k8s::names::is_subdomain;

/// The key of what is asked for, and of the answer.
const RECEIVERS: &str = "receivers";

/// The protocol that is asked for.
const PROTOCOL: &str = "otlp_grpc";

/// The endpoint.
pub(super) struct WorkloadTracing;

impl Endpoint for WorkloadTracing {
    fn name(&self) -> &'static str {
        "workload-tracing"
    }

    fn reads(&self) -> &'static [Bag] {
        &[Bag::RemoteApplication, Bag::OwnApplication]
    }

    fn request(&self, relations: &[Relation], _: &Known<'_>, intent: &mut Intent) {
        let known = &mut intent.extensions.get_or_insert_default().collector;
        for relation in relations {
            match collector(relation) {
                Ok(collector) if known.is_none() => *known = Some(collector),
                Ok(_) => {
                    let why = "spans go to another relation's collector already: remove one of the \
                               two relations";
                    intent.problems.push(Problem::of_request(relation, why));
                }
                Err(problem) => intent.problems.push(problem),
            }
        }
    }

    fn publish(&self, relation: &Relation, world: &World<'_>) -> Vec<Publication> {
        if !world.leader {
            return Vec::new();
        }
        let asked = format!("[\"{PROTOCOL}\"]");
        let wanted = DatabagChanges::from([(RECEIVERS.to_owned(), Some(asked))]);
        vec![Publication::new(relation, OwnBag::Application, &wanted)]
    }
}

/// A receiver as the other side writes it.
#[derive(Deserialize)]
struct Receiver {
    protocol: Protocol,
    url: String,
}

#[derive(Deserialize)]
struct Protocol {
    name: String,
    #[serde(rename = "type")]
    _transport: Transport,
}

/// The library takes nothing where one receiver has another transport.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Transport {
    Http,
    Grpc,
}

/// What collects spans, as a relation says.
fn collector(relation: &Relation) -> Result<SpanCollector, Problem> {
    let not_yet = || {
        let other = relation.other_side();
        let why = format!("{other} has no receiver of `{PROTOCOL}` yet, so spans go nowhere");
        Problem::not_yet(relation, &why)
    };
    let databag = relation.remote_application.as_ref();
    let text = databag
        .and_then(|it| it.get(RECEIVERS))
        .ok_or_else(not_yet)?;
    let of_request = |why: String| Problem::of_request(relation, &format!("`{RECEIVERS}` {why}"));
    // Neither message shows an address: somebody may have put a password there.
    let receivers: Vec<Receiver> = serde_json::from_str(text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let rest = "is no list of receivers with a protocol and an address";
        of_request(format!("{rest} (line {line}, column {column})"))
    })?;
    let mut receivers = receivers.into_iter();
    // Any of several will do.
    let receiver = receivers.find(|it| it.protocol.name == PROTOCOL);
    let url = receiver.ok_or_else(not_yet)?.url;
    let place = place(&url);
    place.map_err(|why| {
        of_request(format!(
            "has no address for `{PROTOCOL}` that can be used: {why}"
        ))
    })
}

/// Host and port of an address, which has no scheme where gRPC is spoken.
fn place(url: &str) -> Result<SpanCollector, &'static str> {
    if url.starts_with("https://") {
        return Err("proxies send spans in plain text only");
    }
    let url = url.strip_prefix("http://").unwrap_or(url);
    let authority: Authority = url
        .trim_end_matches('/')
        .parse()
        .map_err(|_| "it is not a host with a port")?;
    if authority.as_str().contains('@') {
        return Err("it must have no user");
    }
    let port = authority.port_u16().filter(|it| *it > 0);
    let port = port.ok_or("it has no port from 1 to 65535")?;
    Ok(SpanCollector {
        host: host(authority.host())?,
        port,
    })
}

fn host(text: &str) -> Result<CollectorHost, &'static str> {
    let address = text.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = address.parse::<IpAddr>() {
        return Ok(CollectorHost::Address(address));
    }
    let name = text.to_ascii_lowercase();
    if let Ok(ServiceHost { service, namespace }) = ServiceHost::parse(&name) {
        return Ok(CollectorHost::Service(service_host(&service, &namespace)));
    }
    if is_subdomain(&name) && name.contains('.') {
        return Ok(CollectorHost::Name(name));
    }
    Err(
        "its host is neither an address nor a whole name: a shorter one means something else in each \
         namespace",
    )
}

#[cfg(test)]
mod tests;

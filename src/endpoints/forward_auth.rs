//! The endpoint `forward-auth` (interface `forward_auth`): a service that checks every request to the
//! ingress gateway, as newer charms say it than those of `ingress-auth`.
//!
//! The other side writes an address as text, and lists as JSON; so does this side, which says which
//! applications have routes (`charmlibs.interfaces.forward_auth` 1.0.0). The other side also names
//! those that it is meant to protect. Here it is asked about the requests to all of them: what nobody
//! has named is not open to everybody.

use http::Uri;
use juju::python_json;
use juju::relation::{Bag, DatabagChanges, OwnBag, Relation};

use super::authorization::NOT_SAID;
use super::fields::{Fields, json_values};
use super::service_host::ServiceHost;
use super::{Endpoint, Publication, World};
use crate::intent::ingress::Authorizer;
use crate::intent::problem::Problem;

/// The headers of a request that the service gets to see beside host, method and path; the interface
/// does not name them. These are what the charms of ingress gateways send
/// (`canonical_service_mesh.interfaces.istio_ingress_config` 0.3.1), as oauth2-proxy needs them.
const REQUEST_HEADERS: [&str; 7] = [
    "authorization",
    "cookie",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-forwarded-uri",
    "x-forwarded-prefix",
];

/// The headers of an answer that are added to the request where the other side names none; from the
/// same source.
const RESPONSE_HEADERS: [&str; 5] = [
    "authorization",
    "path",
    "x-auth-request-user",
    "x-auth-request-email",
    "x-auth-request-access-token",
];

/// The headers of an answer that the client gets of a request that passes: a session that the service
/// has renewed. From the same source.
const CLIENT_HEADERS: [&str; 1] = ["set-cookie"];

/// The endpoint. What it asks for is settled in [`super::authorization`].
pub(super) struct ForwardAuth;

impl Endpoint for ForwardAuth {
    fn name(&self) -> &'static str {
        "forward-auth"
    }

    fn reads(&self) -> &'static [Bag] {
        &[Bag::RemoteApplication, Bag::OwnApplication]
    }

    fn publish(&self, relation: &Relation, world: &World<'_>) -> Vec<Publication> {
        let ingress = world.intent.ingress.as_ref().filter(|_| world.leader);
        let names = ingress.and_then(|it| python_json::to_string(&it.applications()).ok());
        let wanted = names
            .map(|names| DatabagChanges::from([("ingress_app_names".to_owned(), Some(names))]));
        let publication = |it| Publication::new(relation, OwnBag::Application, &it);
        wanted.map(publication).into_iter().collect()
    }
}

/// The service of a relation that checks requests.
pub(super) fn authorizer(relation: &Relation) -> Result<Authorizer, Problem> {
    let written = relation.remote_application.as_ref();
    let Some(databag) = written.filter(|it| !it.is_empty()) else {
        return Err(Problem::not_yet(relation, NOT_SAID));
    };
    let values = json_values(databag);
    let read = read(&Fields(&values));
    read.map_err(|why| Problem::of_request(relation, &why))
}

fn read(fields: &Fields<'_>) -> Result<Authorizer, String> {
    let address = fields.required_text("decisions_address")?;
    let (host, port, path_prefix) = address_of_service(address)
        .map_err(|why| format!("`decisions_address` cannot be used: {why}"))?;
    fields.required_texts("app_names")?;
    let named = fields.headers_in_lower_case("headers")?;
    let owned = |names: &[&str]| names.iter().map(|it| (*it).to_owned()).collect();
    Ok(Authorizer {
        service: host.service,
        namespace: host.namespace,
        port,
        path_prefix,
        request_headers: owned(&REQUEST_HEADERS),
        response_headers: if named.is_empty() {
            owned(&RESPONSE_HEADERS)
        } else {
            named
        },
        client_headers: owned(&CLIENT_HEADERS),
    })
}

/// Host, port and path of an address such as `http://oathkeeper.iam.svc.cluster.local:4456/decisions`.
/// What is wrong does not show the address: somebody may have put a password there.
fn address_of_service(address: &str) -> Result<(ServiceHost, u16, String), String> {
    let uri: Uri = address.parse().map_err(|_| "it is not an address")?;
    let authority = uri.authority().map_or("", |it| it.as_str());
    refusal(&uri, authority).map_or(Ok(()), Err)?;
    let (host, port) = authority.split_once(':').unwrap_or((authority, "80"));
    let port = port.parse().ok().filter(|it| *it > 0);
    let port = port.ok_or("ports are numbers from 1 to 65535")?;
    let path = uri.path().trim_end_matches('/').to_owned();
    Ok((ServiceHost::parse(host)?, port, path))
}

/// Why requests cannot be checked at an address, whatever its host is.
fn refusal(uri: &Uri, authority: &str) -> Option<&'static str> {
    match uri.scheme_str() {
        Some("http") if authority.contains('@') => Some("it must have no user"),
        Some("http") => uri.query().map(|_| "it must have no query"),
        Some("https") => Some(
            "it begins with https, and the gateway asks over http only, which the mesh encrypts \
             where both are part of it",
        ),
        _ => Some("it must begin with http://"),
    }
}

#[cfg(test)]
mod tests;

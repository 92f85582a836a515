//! The endpoint `istio-ingress-config` (interface `istio_ingress_config`): services that gateways of
//! other charms have their requests checked by.
//!
//! The other side writes where the service is as text, and lists of headers as JSON; this side answers
//! with the name that its authorization policies have to use
//! (`canonical_service_mesh.interfaces.istio_ingress_config` 0.3.1). A charm that has no such service any
//! more names one that does not exist, as it cannot always clear its databag.

use juju::relation::{Bag, Databag, DatabagChanges, OwnBag, Relation};

use super::fields::{Fields, is_header, json_values};
use super::service_host::ServiceHost;
use super::{Endpoint, Known, Publication, World};
use crate::intent::Intent;
use crate::intent::extensions::{CheckHeaders, CheckProtocol, Extensions, ExternalAuthorizer};
use crate::intent::problem::Problem;
use crate::k8s::labels::joined;
use crate::text::quoted;

const SERVICE: &str = "ext_authz_service_name";
const PORT: &str = "ext_authz_port";
const PROTOCOL: &str = "ext_authz_protocol";

/// What the names of providers begin with.
///
/// istiod takes lower-case letters, digits and hyphens, at most 63 of them, and refuses every request
/// that is to be checked by a provider of another name (`validateProviderName` in
/// `pilot/pkg/security/authz/builder/extauthz.go`, Istio 1.31): so neither the underscore nor the long
/// hash that the library's own example has.
const PREFIX: &str = "ext-authz";

/// The service that stands for none.
const CLEARED: (&str, &str) = ("fake_host", "5432");

/// The endpoint.
pub(super) struct IstioIngressConfig;

impl Endpoint for IstioIngressConfig {
    fn name(&self) -> &'static str {
        "istio-ingress-config"
    }

    fn reads(&self) -> &'static [Bag] {
        &[Bag::RemoteApplication, Bag::OwnApplication]
    }

    fn request(&self, relations: &[Relation], _: &Known<'_>, intent: &mut Intent) {
        let extensions = intent.extensions.get_or_insert_default();
        for relation in relations {
            match authorizer(relation) {
                Ok(None) => {}
                Ok(Some(authorizer)) => match collision(&authorizer, extensions) {
                    None => extensions.authorizers.push(authorizer),
                    Some(why) => intent.problems.push(Problem::of_request(relation, &why)),
                },
                Err(problem) => intent.problems.push(problem),
            }
        }
    }

    fn publish(&self, relation: &Relation, world: &World<'_>) -> Vec<Publication> {
        // What it held before stays true as long as nobody knows better.
        let (Some(extensions), Some(observed), true) =
            (&world.intent.extensions, world.observed, world.leader)
        else {
            return Vec::new();
        };
        let authorizers = &mut extensions.authorizers.iter();
        let name = authorizers
            .find(|it| it.relation == relation.id)
            .map(|it| it.name.clone());
        // A policy refuses every request while istiod does not know the name.
        if name.as_deref().is_some_and(|it| !observed.has_provider(it)) {
            return Vec::new();
        }
        let wanted = DatabagChanges::from([("ext_authz_provider_name".to_owned(), name)]);
        vec![Publication::new(relation, OwnBag::Application, &wanted)]
    }
}

/// The service of a relation that checks requests; `None` where there is none any more.
fn authorizer(relation: &Relation) -> Result<Option<ExternalAuthorizer>, Problem> {
    let written = relation.remote_application.as_ref();
    let (Some(databag), Some(application)) = (written, &relation.application) else {
        return Ok(None);
    };
    let (Some(service), Some(port)) = (databag.get(SERVICE), databag.get(PORT)) else {
        let why = "does not say yet which service checks requests";
        return Err(Problem::not_yet(relation, why));
    };
    if (service, port) == CLEARED {
        return Ok(None);
    }
    let read = || {
        let host = ServiceHost::parse(service).map_err(|why| format!("`{SERVICE}`: {why}"))?;
        Ok(ExternalAuthorizer {
            relation: relation.id.clone(),
            name: joined(PREFIX, application.as_str()),
            service: host.service,
            namespace: host.namespace,
            port: port_of(port)?,
            protocol: protocol(databag)?,
        })
    };
    let read: Result<_, String> = read();
    let read = read.map_err(|why| Problem::of_request(relation, &why));
    read.map(Some)
}

fn port_of(text: &str) -> Result<u16, String> {
    let port = text.trim().parse().ok().filter(|it| *it > 0);
    port.ok_or_else(|| {
        format!(
            "`{PORT}` is {}, and ports are numbers from 1 to 65535",
            quoted(text)
        )
    })
}

fn protocol(databag: &Databag) -> Result<CheckProtocol, String> {
    let values = json_values(databag);
    let fields = Fields(&values);
    let headers = CheckHeaders {
        seen: patterns(&fields, "include_headers_in_check")?,
        added: patterns(&fields, "headers_to_upstream_on_allow")?,
        answered: patterns(&fields, "headers_to_downstream_on_allow")?,
        refused: patterns(&fields, "headers_to_downstream_on_deny")?,
    };
    match databag.get(PROTOCOL) {
        None | Some("http") => Ok(CheckProtocol::Http(headers)),
        Some("grpc") => Ok(CheckProtocol::Grpc),
        Some(other) => Err(format!(
            "`{PROTOCOL}` is {}, and requests are checked over http or grpc",
            quoted(other)
        )),
    }
}

/// Names of headers, which may begin or end with `*`. Istio takes no `*` alone, and would then refuse
/// every request.
fn patterns(fields: &Fields<'_>, field: &str) -> Result<Option<Vec<String>>, String> {
    let Some(texts) = fields.texts(field)? else {
        return Ok(None);
    };
    match texts.iter().find(|it| !is_header(it) || **it == "*") {
        Some(text) => Err(format!(
            "`{field}` names {}, which is no name of a header, nor the beginning or end of one",
            quoted(text)
        )),
        None => Ok(Some(texts.into_iter().map(str::to_owned).collect())),
    }
}

/// What an earlier relation of the same application has already, in words.
fn collision(authorizer: &ExternalAuthorizer, earlier: &Extensions) -> Option<String> {
    let mut others = earlier.authorizers.iter();
    let other = others.find(|it| it.name == authorizer.name)?;
    Some(format!(
        "{} of the same application has named a service already, and one application can have one: \
         remove one of the two relations",
        other.relation
    ))
}

#[cfg(test)]
mod tests;

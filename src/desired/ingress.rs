//! The objects of the ingress gateway: the Gateway, what checks requests, and where they go.

mod authorization;
mod certificate;
mod order;
mod routes;
mod tokens;

use super::gateway::{Scheme, gateway};
use super::{RenderError, typed};
use crate::intent::Intent;
use crate::intent::ingress::route::Route;
use crate::intent::ingress::{Authorization, Ingress};
use crate::intent::tls::Tls;
use crate::intent::tokens::Tokens;
use crate::k8s::object::Object;

/// The objects that serve what relations ask of the ingress gateway; none where nobody knows what
/// they ask.
///
/// While no request may pass there is no Gateway: without one the gateway's pods listen for nothing.
/// Nor is there one here while nothing but the one that exists can be served.
///
/// # Errors
/// A defect of this program.
pub(super) fn objects(intent: &Intent) -> Result<Vec<Object>, RenderError> {
    let (Some(mesh), Some(ingress)) = (intent.mesh(), &intent.ingress) else {
        return Ok(Vec::new());
    };
    let Ingress {
        authorization,
        tokens,
        tls,
        ..
    } = ingress;
    let identity = &intent.identity;
    let (namespace, name) = (identity.namespace(), &mesh.gateway.name);
    let mut objects = Vec::new();
    if let Authorization::By(authorizer) = authorization {
        objects.push(typed(&authorization::filter(authorizer, identity))?);
    }
    for (application, tokens) in tokens {
        if let Tokens::CheckedBy(rules) = tokens {
            objects.push(typed(&tokens::authentication(
                application,
                rules,
                identity,
            ))?);
        }
    }
    let scheme = match tls {
        Tls::Off => Some(Scheme::Http),
        Tls::With(_) if mesh.gateway.redirect_https => Some(Scheme::HttpsAndRedirect),
        Tls::With(_) => Some(Scheme::Https),
        Tls::AsBefore => None,
    };
    if let Tls::With(certificate) = tls {
        objects.push(typed(&certificate::secret(certificate, name, namespace))?);
    }
    if let Some(scheme) = scheme.filter(|_| !ingress.is_closed()) {
        objects.push(typed(&gateway(name, namespace, scheme))?);
    }
    objects.extend(virtual_services(intent, |_| true)?);
    Ok(objects)
}

/// The `VirtualService`s of the routes that are chosen; none where nobody knows what relations ask.
///
/// # Errors
/// A defect of this program.
pub(super) fn virtual_services(
    intent: &Intent,
    is_chosen: impl Fn(&Route) -> bool,
) -> Result<Vec<Object>, RenderError> {
    let (Some(mesh), Some(ingress)) = (intent.mesh(), &intent.ingress) else {
        return Ok(Vec::new());
    };
    let chosen: Vec<&Route> = ingress.routes.iter().filter(|it| is_chosen(it)).collect();
    let services = routes::virtual_services(&chosen, &mesh.gateway.name, &intent.identity);
    services.iter().map(typed).collect()
}

#[cfg(test)]
mod tests;

//! The objects of the ingress gateway: the Gateway, what checks requests, and where they go.

mod authorization;
mod routes;

use super::{RenderError, gateway, typed};
use crate::intent::Intent;
use crate::intent::ingress::{Authorization, Ingress};
use crate::k8s::object::Object;

/// The objects that serve what relations ask of the ingress gateway; none where nobody knows what
/// they ask.
///
/// While no request may pass there is no Gateway: without one the gateway's pods listen for nothing.
///
/// # Errors
/// A defect of this program.
pub(super) fn objects(intent: &Intent) -> Result<Vec<Object>, RenderError> {
    let (Some(mesh), Some(ingress)) = (intent.mesh(), &intent.ingress) else {
        return Ok(Vec::new());
    };
    let Ingress {
        routes,
        authorization,
        ..
    } = ingress;
    let identity = &intent.identity;
    let mut objects = Vec::new();
    if let Authorization::By(authorizer) = authorization {
        objects.push(typed(&authorization::filter(authorizer, identity))?);
    }
    if !ingress.is_closed() {
        objects.push(gateway(identity, mesh)?);
    }
    for route in routes {
        let longer = routes.iter().filter(|other| other.is_part_of(route));
        let service = routes::virtual_service(route, longer, &mesh.gateway.name, identity);
        objects.push(typed(&service)?);
    }
    Ok(objects)
}

#[cfg(test)]
mod tests;

//! Where requests go.

use istio_api::networking::VirtualService;
use istio_api::networking::port::PortSelector;
use istio_api::networking::virtual_service::{
    Destination, HttpMatchRequest, HttpRewrite, HttpRoute, HttpRouteDestination, StringMatch,
    VirtualServiceSpec,
};

use crate::intent::identity::Identity;
use crate::intent::ingress::Route;

/// What Istio puts after all other routes, whatever their age
/// (`SortHTTPRoutes` in `pilot/pkg/networking/core/route` of Istio 1.31).
const CATCH_ALL: &str = "/";

/// The VirtualService of one route, named after its service.
///
/// Istio merges the routes of a gateway by age, and the first that fits is taken. So a route says
/// first where requests with a longer prefix go: then they go there, whichever came first.
pub(super) fn virtual_service<'a>(
    route: &'a Route,
    longer: impl Iterator<Item = &'a Route>,
    gateway: &str,
    identity: &Identity,
) -> VirtualService {
    let mut routes: Vec<&Route> = longer.filter(|_| route.prefix != CATCH_ALL).collect();
    routes.sort_by_key(|it| std::cmp::Reverse(it.prefix.len()));
    routes.push(route);
    let namespace = identity.namespace();
    let specification = VirtualServiceSpec {
        hosts: Some(vec!["*".to_owned()]),
        gateways: Some(vec![format!("{namespace}/{gateway}")]),
        http: Some(routes.into_iter().map(http_route).collect()),
        ..VirtualServiceSpec::default()
    };
    let mut service = VirtualService::new(&route.service, specification);
    service.metadata.namespace = Some(namespace.to_owned());
    service
}

fn http_route(route: &Route) -> HttpRoute {
    let host = format!("{}.{}.svc.cluster.local", route.service, route.namespace);
    HttpRoute {
        r#match: Some(vec![HttpMatchRequest {
            uri: Some(StringMatch::prefix(&route.prefix)),
            ..HttpMatchRequest::default()
        }]),
        rewrite: Some(HttpRewrite {
            uri: Some(route.rewrite.clone()),
            ..HttpRewrite::default()
        }),
        route: Some(vec![HttpRouteDestination {
            destination: Destination {
                host,
                port: Some(PortSelector {
                    number: Some(route.port.into()),
                }),
                ..Destination::default()
            },
            ..HttpRouteDestination::default()
        }]),
        ..HttpRoute::default()
    }
}

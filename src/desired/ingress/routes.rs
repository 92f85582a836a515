//! Where requests go.

use std::collections::BTreeMap;

use istio_api::networking::VirtualService;
use istio_api::networking::port::PortSelector;
use istio_api::networking::virtual_service::{
    Destination, HttpMatchRequest, HttpRedirect, HttpRewrite, HttpRoute, HttpRouteDestination,
    RegexRewrite, StringMatch, VirtualServiceSpec,
};

use super::order::{Line, Pattern};
use crate::intent::identity::Identity;
use crate::intent::ingress::route::{
    Answer, Backend, Host, NewPath, Redirect, Requests, Route, Text,
};
use crate::istio::names::service_host;

/// The `VirtualService`s of routes.
///
/// Istio merges what a gateway serves by the age of its `VirtualService`s, and the first route that
/// fits is taken. So each says first what other ones know better: then a request goes there,
/// whichever came first.
pub(super) fn virtual_services(
    routes: &[&Route],
    gateway: &str,
    identity: &Identity,
) -> Vec<VirtualService> {
    let routes = routes.iter().copied().enumerate();
    let lines: Vec<Line<'_>> = routes.clone().flat_map(Line::of_route).collect();
    let services = routes.map(|(index, route)| {
        let mut chosen = lines_of(index, &lines);
        chosen.sort_by_cached_key(|it| it.order());
        virtual_service(&route.name, &chosen, gateway, identity)
    });
    services.collect()
}

/// The lines of a route, and all that have to come before one of them or before one that came so.
fn lines_of<'a, 'b>(route: usize, all: &'b [Line<'a>]) -> Vec<&'b Line<'a>> {
    let (mut chosen, mut others): (Vec<_>, Vec<_>) = all.iter().partition(|it| it.route() == route);
    let mut next = 0;
    while let Some(line) = chosen.get(next).copied() {
        let (better, rest) = others.into_iter().partition(|it| knows_better(it, line));
        chosen.extend::<Vec<_>>(better);
        others = rest;
        next += 1;
    }
    chosen
}

/// Whether requests that fit both have to go where the other line says, and Istio does not see to
/// that itself.
fn knows_better(other: &Line<'_>, line: &Line<'_>) -> bool {
    !line.is_catch_all() && other.overlaps(line) && other.order() < line.order()
}

fn virtual_service(
    name: &str,
    lines: &[&Line<'_>],
    gateway: &str,
    identity: &Identity,
) -> VirtualService {
    let namespace = identity.namespace();
    let specification = VirtualServiceSpec {
        // Hosts are compared line by line: in a virtual service of its own, a host would lose all
        // that others serve for every host.
        hosts: Some(vec!["*".to_owned()]),
        gateways: Some(vec![format!("{namespace}/{gateway}")]),
        http: Some(lines.iter().map(|it| http_route(it)).collect()),
        ..VirtualServiceSpec::default()
    };
    let mut service = VirtualService::new(name, specification);
    service.metadata.namespace = Some(namespace.to_owned());
    service
}

fn http_route(line: &Line<'_>) -> HttpRoute {
    let route = HttpRoute {
        r#match: Some(vec![matching(line)]),
        ..HttpRoute::default()
    };
    match line.answer {
        Answer::Forward { to, host, .. } => HttpRoute {
            rewrite: rewrite(line, host.as_deref()),
            route: Some(to.iter().map(destination).collect()),
            ..route
        },
        Answer::Redirect(redirect) => HttpRoute {
            redirect: Some(http_redirect(redirect, &line.new_path)),
            ..route
        },
    }
}

fn matching(line: &Line<'_>) -> HttpMatchRequest {
    let Requests {
        host,
        method,
        headers,
        ..
    } = line.requests;
    let uri = match &line.path {
        Pattern::Is(path) => StringMatch::exact(path),
        Pattern::Prefix(prefix) => StringMatch::prefix(prefix),
        Pattern::Regex(expression) => regex(expression.clone()),
    };
    let header = |(name, value): (&String, &Text)| {
        let value = match value {
            Text::Is(text) => StringMatch::exact(text),
            Text::Prefix(text) => StringMatch::prefix(text),
        };
        (name.clone(), value)
    };
    let headers: BTreeMap<_, _> = headers.iter().map(header).collect();
    HttpMatchRequest {
        uri: Some(uri),
        method: method.as_ref().map(StringMatch::exact),
        authority: authority(host),
        headers: (!headers.is_empty()).then_some(headers),
        ..HttpMatchRequest::default()
    }
}

/// A host as requests name it: in letters of either case, and some with the port.
fn authority(host: &Host) -> Option<StringMatch> {
    let (before, name) = match host {
        Host::Any => return None,
        Host::Below(domain) => (".+\\.", domain),
        Host::Is(host) => ("", host),
    };
    let name = name.replace('.', "\\.");
    Some(regex(format!("(?i){before}{name}(:[0-9]+)?")))
}

fn regex(expression: String) -> StringMatch {
    StringMatch {
        regex: Some(expression),
        ..StringMatch::default()
    }
}

fn rewrite(line: &Line<'_>, host: Option<&str>) -> Option<HttpRewrite> {
    let mut rewrite = HttpRewrite {
        authority: host.map(str::to_owned),
        ..HttpRewrite::default()
    };
    match (&line.new_path, &line.path) {
        (NewPath::Same, _) => {}
        // Envoy replaces what was matched: of one path the whole, else the prefix.
        (NewPath::InPlaceOfPrefix(text), _) | (NewPath::Whole(text), Pattern::Is(_)) => {
            rewrite.uri = Some(text.clone());
        }
        (NewPath::Whole(text), _) => {
            rewrite.uri_regex_rewrite = Some(RegexRewrite {
                r#match: Some("^/.*$".to_owned()),
                // `\1` would stand for a group.
                rewrite: Some(text.replace('\\', "\\\\")),
            });
        }
    }
    (rewrite != HttpRewrite::default()).then_some(rewrite)
}

fn destination(backend: &Backend) -> HttpRouteDestination {
    let Backend {
        service,
        namespace,
        port,
        weight,
    } = backend;
    HttpRouteDestination {
        destination: Destination {
            host: service_host(service, namespace),
            port: Some(PortSelector {
                number: Some((*port).into()),
            }),
            ..Destination::default()
        },
        weight: weight.map(Into::into),
        ..HttpRouteDestination::default()
    }
}

fn http_redirect(redirect: &Redirect, path: &NewPath) -> HttpRedirect {
    let (uri, prefix_rewrite) = match path {
        NewPath::Same => (None, None),
        NewPath::InPlaceOfPrefix(text) => (None, Some(text.clone())),
        NewPath::Whole(text) => (Some(text.clone()), None),
    };
    HttpRedirect {
        uri,
        prefix_rewrite,
        authority: redirect.host.clone(),
        scheme: redirect.scheme.map(str::to_owned),
        port: redirect.port.map(Into::into),
        redirect_code: Some(redirect.status.into()),
        ..HttpRedirect::default()
    }
}

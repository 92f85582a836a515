//! What Istio makes of all routes together: a model of how it merges them, and of what Envoy then does
//! with a request, against what the rules themselves say.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};

use istio_api::networking::VirtualService;
use istio_api::networking::virtual_service::{HttpMatchRequest, HttpRoute, StringMatch};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use regex::Regex;

use crate::desired::ingress::routes::virtual_services;
use crate::intent::identity::Identity;
use crate::intent::ingress::Ingress;
use crate::intent::ingress::route::{
    Answer, Backend, Host, NewPath, Path, Requests, Route, Rule, Text,
};

const HOSTS: [&str; 4] = ["a.example", "A.Example:8080", "b.a.example", "other"];
const PATHS: [&str; 8] = ["/", "/a", "/a/", "/a/b", "/ab", "/a/b/c", "/ab/c", "/b"];

#[derive(Clone, Debug)]
struct Request {
    host: &'static str,
    path: &'static str,
    method: &'static str,
    has_header: bool,
}

fn request() -> impl Strategy<Value = Request> {
    let any = (
        select(&HOSTS[..]),
        select(&PATHS[..]),
        select(&["GET", "PUT"][..]),
        any::<bool>(),
    );
    any.prop_map(|(host, path, method, has_header)| Request {
        host,
        path,
        method,
        has_header,
    })
}

fn requests() -> impl Strategy<Value = Requests> {
    let host = prop_oneof![
        3 => Just(Host::Any),
        1 => Just(Host::Is("a.example".to_owned())),
        1 => Just(Host::Below("a.example".to_owned())),
        1 => Just(Host::Below("example".to_owned())),
    ];
    let text = || select(&PATHS[..]).prop_map(str::to_owned);
    let below = text().prop_map(|it| match it.trim_end_matches('/') {
        "" => Path::Below("/".to_owned()),
        path => Path::Below(path.to_owned()),
    });
    let path = prop_oneof![
        3 => text().prop_map(Path::Prefix),
        3 => below,
        1 => text().prop_map(Path::Is),
        1 => select(&["/a.*", "/.*b", "/[ab]/?"][..]).prop_map(|it| Path::Regex(it.to_owned())),
    ];
    let method = prop_oneof![3 => Just(None), 1 => Just(Some("GET".to_owned()))];
    let header = prop_oneof![3 => Just(false), 1 => Just(true)];
    (host, path, method, header).prop_map(|(host, path, method, has_header)| Requests {
        host,
        path,
        method,
        headers: has_header
            .then(|| ("x-test".to_owned(), Text::Is("1".to_owned())))
            .into_iter()
            .collect(),
    })
}

/// Routes of several relations; each rule has a service of its own.
fn routes() -> impl Strategy<Value = Vec<Route>> {
    let of_relation = prop::collection::vec(requests(), 1..4);
    prop::collection::vec(of_relation, 1..6).prop_map(|all| {
        let routes = all.into_iter().enumerate().map(|(number, requests)| {
            let rules = requests
                .into_iter()
                .enumerate()
                .map(|(index, requests)| Rule {
                    requests,
                    answer: Answer::Forward {
                        to: vec![Backend::alone(
                            format!("s{number}-{index}"),
                            "m".to_owned(),
                            80,
                        )],
                        path: NewPath::Same,
                        host: None,
                    },
                });
            Route {
                relation: format!("ingress:{number}").parse().unwrap(),
                application: None,
                name: format!("route-{number}"),
                rules: rules.collect(),
            }
        });
        routes.collect()
    })
}

/// The routes of a virtual host, as `buildGatewayHTTPRouteConfig` and what it calls make them: those of
/// each `VirtualService`, by age, up to the first that takes all; those that take all last.
fn merged(by_age: &[VirtualService]) -> Vec<HttpRoute> {
    let takes_all = |route: &HttpRoute| {
        let HttpMatchRequest {
            uri,
            method,
            authority,
            headers,
            ..
        } = &route.r#match.as_ref().unwrap()[0];
        let is_bare = method.is_none() && authority.is_none() && headers.is_none();
        is_bare && *uri == Some(StringMatch::prefix("/"))
    };
    let mut routes = Vec::new();
    let mut last = Vec::new();
    for service in by_age {
        for route in service.spec.http.iter().flatten() {
            if takes_all(route) {
                last.push(route.clone());
                break;
            }
            routes.push(route.clone());
        }
    }
    routes.extend(last);
    routes
}

/// Whether an expression matches the whole text. Most of the time would go into reading expressions.
fn is_match(expression: &str, text: &str) -> bool {
    thread_local! {
        static READ: RefCell<HashMap<String, Regex>> = RefCell::default();
    }
    READ.with_borrow_mut(|read| {
        let regex = read
            .entry(expression.to_owned())
            .or_insert_with_key(|it| Regex::new(&format!("^(?:{it})$")).unwrap());
        regex.is_match(text)
    })
}

fn fits(text: &str, wanted: Option<&StringMatch>) -> bool {
    let Some(StringMatch {
        exact,
        prefix,
        regex,
    }) = wanted
    else {
        return true;
    };
    exact.as_ref().is_none_or(|it| it == text)
        && prefix.as_ref().is_none_or(|it| text.starts_with(it))
        && regex.as_ref().is_none_or(|it| is_match(it, text))
}

/// The service that gets a request.
fn served_by(routes: &[HttpRoute], request: &Request) -> Option<String> {
    let sent: BTreeMap<&str, &str> = request
        .has_header
        .then_some(("x-test", "1"))
        .into_iter()
        .collect();
    let route = routes.iter().find(|route| {
        let it = &route.r#match.as_ref().unwrap()[0];
        let mut headers = it.headers.iter().flatten();
        fits(request.path, it.uri.as_ref())
            && fits(request.method, it.method.as_ref())
            && fits(request.host, it.authority.as_ref())
            && headers.all(|(name, value)| {
                sent.get(name.as_str())
                    .is_some_and(|it| fits(it, Some(value)))
            })
    })?;
    let host = &route.route.as_ref().unwrap()[0].destination.host;
    Some(host.split('.').next().unwrap().to_owned())
}

/// How well requests describe this one, the best greatest; `None` when they do not.
fn fit(requests: &Requests, request: &Request) -> Option<impl Ord + use<>> {
    let name = request.host.split(':').next().unwrap().to_lowercase();
    let host = match &requests.host {
        Host::Any => Some((0, 0)),
        Host::Below(domain) => name
            .ends_with(&format!(".{domain}"))
            .then_some((1, domain.len())),
        Host::Is(host) => (name == *host).then_some((2, 0)),
    }?;
    let path = match &requests.path {
        Path::Is(path) => (request.path == path).then_some((2, path.len())),
        Path::Below(path) if path == request.path && path != "/" => Some((2, path.len())),
        Path::Below(path) => {
            let inside = format!("{}/", path.trim_end_matches('/'));
            request
                .path
                .starts_with(&inside)
                .then_some((1, inside.len()))
        }
        Path::Prefix(text) => request.path.starts_with(text).then_some((1, text.len())),
        Path::Regex(it) => is_match(it, request.path).then_some((0, it.len())),
    }?;
    let method = requests.method.as_deref();
    if method.is_some_and(|it| it != request.method)
        || (!requests.headers.is_empty() && !request.has_header)
    {
        return None;
    }
    let takes_all =
        host == (0, 0) && path == (1, 1) && method.is_none() && requests.headers.is_empty();
    Some((
        !takes_all,
        host,
        path,
        method.is_some(),
        requests.headers.len(),
    ))
}

/// The service of the rule that fits best, of the oldest among equals.
fn expected(routes: &[Route], request: &Request) -> Option<String> {
    let rules = routes.iter().flat_map(|it| &it.rules);
    let fitting = rules.filter_map(|rule| Some((fit(&rule.requests, request)?, rule)));
    // The first of the greatest.
    let (_, rule) = fitting.reduce(|best, next| if next.0 > best.0 { next } else { best })?;
    let Answer::Forward { to, .. } = &rule.answer else {
        return None;
    };
    Some(to[0].service.clone())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn every_request_goes_where_the_best_rule_says_whichever_object_is_older(
        routes in routes(),
        ages in prop::collection::vec(any::<Index>(), 6),
        requests in prop::collection::vec(request(), 20),
    ) {
        let mut ingress = Ingress { routes, ..Ingress::default() };
        ingress.settle();
        let identity = Identity::new("pilot", "mesh");
        let mut services = virtual_services(&ingress.routes.iter().collect::<Vec<_>>(), "istio-gateway", &identity);
        let mut by_age = Vec::new();
        for age in ages.iter().cycle().take(services.len()) {
            by_age.push(services.remove(age.index(services.len())));
        }
        let merged = merged(&by_age);
        for request in &requests {
            prop_assert_eq!(served_by(&merged, request), expected(&ingress.routes, request), "{:?}", request);
        }
    }
}

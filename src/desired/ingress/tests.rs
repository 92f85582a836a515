mod random;

use serde_json::{Value, json};

use super::*;
use crate::intent::ingress::Authorizer;
use crate::intent::ingress::route::{Answer, Backend, NewPath, Path, Requests, Route, Rule};
use crate::simulated::Simulated;

fn route(service: &str, prefix: &str) -> Route {
    Route {
        relation: "ingress:1".parse().unwrap(),
        application: None,
        name: service.to_owned(),
        rules: vec![Rule {
            requests: Requests::with_path(Path::Prefix(prefix.to_owned())),
            answer: Answer::Forward {
                to: vec![Backend::alone(service.to_owned(), "shop".to_owned(), 8080)],
                path: NewPath::InPlaceOfPrefix(prefix.to_owned()),
                host: None,
            },
        }],
    }
}

/// The objects of what is asked, in the namespace `mesh`.
fn objects_of(ingress: Ingress) -> Vec<Value> {
    let mut intent = Simulated::new(&[]).intent;
    intent.ingress = Some(ingress);
    let objects = objects(&intent).unwrap();
    objects.into_iter().map(Object::into_value).collect()
}

#[test]
fn a_route_is_a_virtual_service_of_the_shared_gateway() {
    let ingress = Ingress {
        routes: vec![route("katib-ui", "/katib/")],
        ..Ingress::default()
    };
    let expected = json!({
        "apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
        "metadata": {"name": "katib-ui", "namespace": "mesh"},
        "spec": {
            "gateways": ["mesh/istio-gateway"], "hosts": ["*"],
            "http": [{
                "match": [{"uri": {"prefix": "/katib/"}}], "rewrite": {"uri": "/katib/"},
                "route": [{"destination": {
                    "host": "katib-ui.shop.svc.cluster.local", "port": {"number": 8080},
                }}],
            }],
        },
    });
    let objects = objects_of(ingress);
    assert_eq!(objects.len(), 2);
    assert_eq!(objects[0]["kind"], "Gateway");
    assert_eq!(objects[1], expected);
}

#[test]
fn a_longer_prefix_comes_first_in_every_route_that_it_is_part_of() {
    let ingress = Ingress {
        routes: vec![
            route("all", "/"),
            route("app", "/app"),
            route("deep", "/app/sub/deep"),
            route("sub", "/app/sub"),
            route("other", "/other"),
        ],
        ..Ingress::default()
    };
    let prefixes = objects_of(ingress).into_iter().skip(1).map(|object| {
        let routes = object["spec"]["http"].as_array().unwrap().iter();
        let prefixes = routes.map(|it| it["match"][0]["uri"]["prefix"].as_str().unwrap());
        prefixes.collect::<Vec<_>>().join(" ")
    });
    assert_eq!(
        prefixes.collect::<Vec<_>>(),
        [
            // Istio itself puts it last.
            "/",
            "/app/sub/deep /app/sub /app",
            "/app/sub/deep",
            "/app/sub/deep /app/sub",
            "/other",
        ]
    );
}

#[test]
fn requests_are_checked_on_both_ports_before_anything_else() {
    let authorizer = Authorizer {
        service: "oidc".to_owned(),
        namespace: "mesh".to_owned(),
        port: 8080,
        path_prefix: String::new(),
        request_headers: vec!["cookie".to_owned()],
        response_headers: Vec::new(),
        client_headers: Vec::new(),
    };
    let ingress = Ingress {
        authorization: Authorization::By(authorizer),
        ..Ingress::default()
    };
    let patch = |port: u16| {
        json!({
            "applyTo": "HTTP_FILTER",
            "match": {
                "context": "GATEWAY",
                "listener": {
                    "portNumber": port,
                    "filterChain": {"filter": {
                        "name": "envoy.filters.network.http_connection_manager",
                    }},
                },
            },
            "patch": {
                "operation": "INSERT_BEFORE",
                "value": {
                    "name": "envoy.filters.http.ext_authz",
                    "typed_config": {
                        "@type": "type.googleapis.com/\
                                  envoy.extensions.filters.http.ext_authz.v3.ExtAuthz",
                        "http_service": {
                            "server_uri": {
                                "uri": "http://oidc.mesh.svc.cluster.local:8080",
                                "cluster": "outbound|8080||oidc.mesh.svc.cluster.local",
                                "timeout": "10s",
                            },
                            "authorization_request": {
                                "allowed_headers": {"patterns": [{"exact": "cookie"}]},
                            },
                        },
                    },
                },
            },
        })
    };
    let expected = json!({
        "apiVersion": "networking.istio.io/v1alpha3", "kind": "EnvoyFilter",
        "metadata": {"name": "pilot-authn-filter", "namespace": "mesh"},
        "spec": {
            "workloadSelector": {"labels": {"istio": "ingressgateway"}},
            "configPatches": [patch(8080), patch(8443)],
        },
    });
    let objects = objects_of(ingress);
    assert_eq!(objects[0], expected);
    assert_eq!(objects[1]["kind"], "Gateway");
}

#[test]
fn a_service_may_be_asked_below_a_path_and_say_something_to_clients() {
    let header = |name: &str| vec![name.to_owned()];
    let authorizer = Authorizer {
        service: "oathkeeper".to_owned(),
        namespace: "iam".to_owned(),
        port: 4456,
        path_prefix: "/decisions".to_owned(),
        request_headers: header("cookie"),
        response_headers: header("x-user"),
        client_headers: header("set-cookie"),
    };
    let ingress = Ingress {
        authorization: Authorization::By(authorizer),
        ..Ingress::default()
    };
    let filter = &objects_of(ingress)[0];
    let expected = json!({
        "server_uri": {
            "uri": "http://oathkeeper.iam.svc.cluster.local:4456",
            "cluster": "outbound|4456||oathkeeper.iam.svc.cluster.local",
            "timeout": "10s",
        },
        "path_prefix": "/decisions",
        "authorization_request": {"allowed_headers": {"patterns": [{"exact": "cookie"}]}},
        "authorization_response": {
            "allowed_upstream_headers": {"patterns": [{"exact": "x-user"}]},
            "allowed_client_headers_on_success": {"patterns": [{"exact": "set-cookie"}]},
        },
    });
    let config = "/spec/configPatches/1/patch/value/typed_config/http_service";
    assert_eq!(filter.pointer(config), Some(&expected));
}

#[test]
fn while_it_is_unknown_who_checks_requests_there_is_no_gateway() {
    let ingress = Ingress {
        routes: vec![route("app", "/app")],
        authorization: Authorization::Unknown,
        ..Ingress::default()
    };
    let objects = objects_of(ingress);
    let kinds: Vec<_> = objects
        .iter()
        .map(|it| it["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["VirtualService"]);
}

#[test]
fn nothing_is_made_for_relations_that_nobody_sees() {
    let mut intent = Simulated::new(&[]).intent;
    intent.ingress = None;
    assert_eq!(objects(&intent).unwrap(), []);
}

mod merge;
mod rules;
mod tokens;

use expect_test::{Expect, expect};
use serde_json::{Value, json};

use super::super::document;
use super::*;

/// A document with one route of HTTP that has these fields, and what every route has.
fn http(fields: &Value) -> Value {
    let mut route = json!({
        "name": "a-route",
        "listener": {"port": 80, "protocol": "HTTP"},
        "backends": [{"service": "app", "port": 8080}],
    });
    merge(&mut route, fields);
    json!({"model": "shop", "http_routes": [route]})
}

/// The same of gRPC.
fn grpc(fields: &Value) -> Value {
    let mut document = http(fields);
    let routes = document["http_routes"].take();
    json!({"model": "shop", "grpc_routes": routes})
}

fn merge(into: &mut Value, fields: &Value) {
    for (key, value) in fields.as_object().unwrap() {
        into[key] = value.clone();
    }
}

/// The rules of documents, a line each, or what is wrong.
#[track_caller]
fn check(documents: &[Value], expected: &Expect) {
    let lines = documents.iter().flat_map(|document| {
        let read = document::read(&document.to_string());
        match read.and_then(|it| rules(&it, "shop-ui")) {
            Ok(rules) => rules.iter().map(line).collect(),
            Err(why) => vec![format!("error: {why}\n")],
        }
    });
    expected.assert_eq(&lines.collect::<String>());
}

fn line(rule: &Rule) -> String {
    let Requests {
        host,
        path,
        method,
        headers,
    } = &rule.requests;
    let method = method.as_deref().unwrap_or("any");
    format!(
        "{host:?} {path:?} {method} {headers:?}\n  {:?}\n",
        rule.answer
    )
}

fn with_filters(filters: &Value) -> Value {
    let path = json!([{"path": {"value": "/a"}}]);
    http(&json!({"matches": path, "filters": filters}))
}

fn with_redirect(redirect: &Value) -> Value {
    let path = json!([{"path": {"value": "/a"}}]);
    let filters = json!([{"requestRedirect": redirect, "type": "RequestRedirect"}]);
    http(&json!({"matches": path, "filters": filters, "backends": []}))
}

fn with_path(kind: &str, value: &str) -> Value {
    http(&json!({"matches": [{"path": {"type": kind, "value": value}}]}))
}

#[test]
fn requests_are_those_of_each_match_for_each_host() {
    let hosts = json!(["A.example", "*.b.example", "*"]);
    let matches = json!([
        {"path": {"type": "PathPrefix", "value": "/api/"}, "method": "GET"},
        {"path": null, "headers": {"X-Tenant": "blue"}},
    ]);
    check(
        &[
            http(&json!({})),
            http(&json!({"matches": [], "hostnames": []})),
            http(&json!({"matches": matches, "hostnames": hosts})),
            with_path("Exact", "/a/"),
            with_path("PathPrefix", "//"),
            with_path("RegularExpression", "/v[12]/.*"),
            with_path("RegularExpression", ".*"),
        ],
        &expect![[r#"
            Any Below("/") any {}
              Forward { to: [Backend { service: "app", namespace: "shop", port: 8080, weight: None }], path: Same, host: None }
            Any Below("/") any {}
              Forward { to: [Backend { service: "app", namespace: "shop", port: 8080, weight: None }], path: Same, host: None }
            Is("a.example") Below("/api") GET {}
              Forward { to: [Backend { service: "app", namespace: "shop", port: 8080, weight: None }], path: Same, host: None }
            Below("b.example") Below("/api") GET {}
              Forward { to: [Backend { service: "app", namespace: "shop", port: 8080, weight: None }], path: Same, host: None }
            Any Below("/api") GET {}
              Forward { to: [Backend { service: "app", namespace: "shop", port: 8080, weight: None }], path: Same, host: None }
            Is("a.example") Below("/") any {"x-tenant": Is("blue")}
              Forward { to: [Backend { service: "app", namespace: "shop", port: 8080, weight: None }], path: Same, host: None }
            Below("b.example") Below("/") any {"x-tenant": Is("blue")}
              Forward { to: [Backend { service: "app", namespace: "shop", port: 8080, weight: None }], path: Same, host: None }
            Any Below("/") any {"x-tenant": Is("blue")}
              Forward { to: [Backend { service: "app", namespace: "shop", port: 8080, weight: None }], path: Same, host: None }
            Any Is("/a/") any {}
              Forward { to: [Backend { service: "app", namespace: "shop", port: 8080, weight: None }], path: Same, host: None }
            Any Below("/") any {}
              Forward { to: [Backend { service: "app", namespace: "shop", port: 8080, weight: None }], path: Same, host: None }
            Any Regex("/v[12]/.*") any {}
              Forward { to: [Backend { service: "app", namespace: "shop", port: 8080, weight: None }], path: Same, host: None }
            Any Below("/") any {}
              Forward { to: [Backend { service: "app", namespace: "shop", port: 8080, weight: None }], path: Same, host: None }
        "#]],
    );
}

#[test]
fn calls_of_grpc_are_paths() {
    let method = |method: Value| grpc(&json!({"matches": [{"method": method}]}));
    check(
        &[
            grpc(&json!({})),
            method(json!({"service": "shop.v1.Cart", "method": null})),
            method(json!({"service": "shop.v1.Cart", "method": "Add"})),
            method(json!({"service": "shop/Cart"})),
            method(json!({"service": "shop..Cart"})),
            method(json!({"service": "Cart", "method": "a/b"})),
        ],
        &expect![[r#"
            Any Below("/") any {"content-type": Prefix("application/grpc")}
              Forward { to: [Backend { service: "app", namespace: "shop", port: 8080, weight: None }], path: Same, host: None }
            Any Prefix("/shop.v1.Cart/") any {}
              Forward { to: [Backend { service: "app", namespace: "shop", port: 8080, weight: None }], path: Same, host: None }
            Any Is("/shop.v1.Cart/Add") any {}
              Forward { to: [Backend { service: "app", namespace: "shop", port: 8080, weight: None }], path: Same, host: None }
            error: has the route 'a-route', which names the service 'shop/Cart', which is none of gRPC
            error: has the route 'a-route', which names the service 'shop..Cart', which is none of gRPC
            error: has the route 'a-route', which names the method 'a/b', which is none of gRPC
        "#]],
    );
}

#[test]
fn several_backends_share_by_weight() {
    let backends = json!([
        {"service": "one", "port": 80, "weight": 9},
        {"service": "two", "port": 81, "weight": null},
    ]);
    let alone = json!([{"service": "one", "port": 80, "weight": 9}]);
    check(
        &[
            http(&json!({"backends": backends})),
            http(&json!({"backends": alone})),
            http(&json!({"backends": []})),
            http(&json!({"backends": [{"service": "One", "port": 80}]})),
        ],
        &expect![[r#"
            Any Below("/") any {}
              Forward { to: [Backend { service: "one", namespace: "shop", port: 80, weight: Some(9) }, Backend { service: "two", namespace: "shop", port: 81, weight: Some(1) }], path: Same, host: None }
            Any Below("/") any {}
              Forward { to: [Backend { service: "one", namespace: "shop", port: 80, weight: None }], path: Same, host: None }
            error: has the route 'a-route', which has no backends: its requests would go nowhere
            error: has the route 'a-route', which has the `service` 'One', which is no name of Kubernetes: lower-case letters, digits and '-', at most 63 characters
        "#]],
    );
}

#[test]
fn filters_rewrite_or_redirect() {
    let prefix = |value: &str| json!({"type": "ReplacePrefixMatch", "replacePrefixMatch": value});
    let whole = json!({"type": "ReplaceFullPath", "replaceFullPath": "/whole"});
    let rewrite = |path: Value| json!([{"urlRewrite": {"path": path, "hostname": "in.example"}}]);
    let exact = json!({"matches": [{"path": {"type": "Exact", "value": "/a"}}]});
    let mut of_exact = with_filters(&rewrite(prefix("/")));
    merge(&mut of_exact["http_routes"][0], &exact);
    let everything = json!({
        "scheme": "https", "hostname": "out.example", "port": 8443, "statusCode": 302,
        "path": prefix("/b"),
    });
    check(
        &[
            with_filters(&rewrite(prefix(""))),
            with_filters(&rewrite(whole.clone())),
            with_filters(&json!([{"urlRewrite": {}}])),
            with_redirect(&everything),
            with_redirect(&json!({"scheme": "http", "statusCode": 301})),
            of_exact,
            with_filters(&json!([{"type": "RequestMirror"}])),
            with_filters(&json!([{"urlRewrite": {}}, {"urlRewrite": {}}])),
            with_filters(&json!([{"requestRedirect": {"port": 81}}])),
            with_redirect(&json!({"statusCode": 301})),
            with_redirect(&json!({"port": 81, "statusCode": 304})),
            with_redirect(&json!({"hostname": "*.example"})),
            with_filters(&rewrite(
                json!({"type": "ReplaceFullPath", "value": "whole"}),
            )),
        ],
        &expect![[r#"
            Any Below("/a") any {}
              Forward { to: [Backend { service: "app", namespace: "shop", port: 8080, weight: None }], path: InPlaceOfPrefix("/"), host: Some("in.example") }
            Any Below("/a") any {}
              Forward { to: [Backend { service: "app", namespace: "shop", port: 8080, weight: None }], path: Whole("/whole"), host: Some("in.example") }
            Any Below("/a") any {}
              Forward { to: [Backend { service: "app", namespace: "shop", port: 8080, weight: None }], path: Same, host: None }
            Any Below("/a") any {}
              Redirect(Redirect { scheme: Some("https"), host: Some("out.example"), port: Some(8443), path: InPlaceOfPrefix("/b"), status: 302 })
            Any Below("/a") any {}
              Redirect(Redirect { scheme: Some("http"), host: None, port: None, path: Same, status: 301 })
            error: has the route 'a-route', which replaces the prefix of a path that is not a PathPrefix
            error: has the route 'a-route', which has a filter that is not supported: only URLRewrite and RequestRedirect are
            error: has the route 'a-route', which has several filters: only one can be
            error: has the route 'a-route', which redirects and has backends: only one of the two can be
            error: has the route 'a-route', which redirects to where the request was sent
            error: has the route 'a-route', which redirects with the status 304: only 301, 302, 303, 307 and 308 can be
            error: has the route 'a-route', which names the host '*.example', which is no domain name
            error: has the route 'a-route', which has the path 'whole', which does not begin with a slash
        "#]],
    );
}

#[test]
fn what_istiod_or_envoy_would_not_take_is_refused() {
    let header = |name: &str, value: &str| http(&json!({"matches": [{"headers": {name: value}}]}));
    check(
        &[
            with_path("PathPrefix", "a"),
            with_path("Exact", "/a\n"),
            with_path("RegularExpression", "/(a"),
            with_path("RegularExpression", "/[a&&b]"),
            header("", "secret"),
            header("a:b", "secret"),
            header("x-a", ""),
            header("x-a", "secret\n"),
            http(&json!({"hostnames": ["a_b.example"]})),
            http(&json!({"hostnames": ["a.*.example"]})),
            json!({"model": "Shop"}),
        ],
        &expect![[r#"
            error: has the route 'a-route', which has the path 'a', which does not begin with a slash
            error: has the route 'a-route', which has the path '/a\n', which does not begin with a slash
            error: has the route 'a-route', which has the path '/(a', which is no regular expression
            error: has the route 'a-route', which has the path '/[a&&b]', which has more than letters, `.`, classes in brackets, \d, \s, \w, groups, `|`, `^`, `$` and repetitions
            error: has the route 'a-route', which names the header '', which is none
            error: has the route 'a-route', which names the header 'a:b', which is none
            error: has the route 'a-route', which has no value for the header x-a that a header can have
            error: has the route 'a-route', which has no value for the header x-a that a header can have
            error: has the route 'a-route', which names the host 'a_b.example', which is no domain name
            error: has the route 'a-route', which names the host 'a.*.example', which is no domain name
            error: has the `model` 'Shop', which is no name of Kubernetes: lower-case letters, digits and '-', at most 63 characters
        "#]],
    );
}

#[test]
fn other_ports_than_the_gateways_are_refused_wherever_they_are_named() {
    let listener = |port: u16, protocol: &str| json!({"port": port, "protocol": protocol});
    let mut unused = http(&json!({}));
    unused["listeners"] = json!([listener(80, "HTTP"), listener(9096, "GRPC")]);
    let mut both = http(&json!({}));
    both["grpc_routes"] = grpc(&json!({"listener": listener(443, "GRPC")}))["grpc_routes"].clone();
    let mut both_named = http(&json!({"listener": listener(443, "HTTP")}));
    both_named["listeners"] = json!([listener(80, "HTTP"), listener(443, "HTTP")]);
    check(
        &[
            http(&json!({"listener": listener(8080, "HTTP")})),
            unused,
            both,
            both_named,
        ],
        &expect![[r#"
            error: asks for the listener http-8080, and the ingress gateway serves no ports but 80 and 443: shop-ui must use one of these, or another gateway
            error: asks for the listener grpc-9096, and the ingress gateway serves no ports but 80 and 443: shop-ui must use one of these, or another gateway
            error: has routes for port 80 and for port 443, and the ingress gateway serves one of the two at a time: shop-ui must use the one that `tls_enabled` says; plain HTTP is redirected by the option redirect-https
            Any Below("/") any {}
              Forward { to: [Backend { service: "app", namespace: "shop", port: 8080, weight: None }], path: Same, host: None }
        "#]],
    );
}

//! The endpoint `forward-auth`: services that check requests for newer charms.

use anyhow::Result;
use charm_world::{Neighbour, World};
use expect_test::expect;
use serde_json::json;

use super::ingress_auth::is_open;
use super::{WELL, judged, writes};
use crate::ingress::objects;
use crate::support::deployed;

/// How the service that checks requests is asked.
fn asked(world: &World) -> Result<String> {
    let filter = world.get("envoyfilter pilot-authn-filter")?;
    let patch = &filter["spec"]["configPatches"][0]["patch"];
    Ok(patch["value"]["typed_config"]["http_service"].to_string())
}

#[test]
fn a_proxy_is_asked_once_it_says_where_and_hears_which_applications_have_routes() -> Result<()> {
    let mut world = deployed()?;
    let data = json!({
        "decisions_address": "http://oauth2-proxy.iam.svc.cluster.local:4180",
        "app_names": ["dex-auth"], "headers": ["X-Auth-Request-User"],
    });
    let mut proxy = Neighbour::new("oauth2-proxy", "forward-auth")?;
    proxy.relate(&mut world)?;
    world.settle()?;
    assert!(!is_open(&world)?, "from the first moment on");
    proxy.says(data);
    // The application that it protects has no route yet.
    expect![[r#"read {"ingress_app_names":[],"verdict":"dex-auth is not related via ingress"}"#]]
        .assert_eq(&proxy.converse(&mut world)?.to_string());
    assert_eq!(world.shown()?, WELL);
    let route = json!({"service": "dex-auth", "namespace": "mesh", "port": 5556, "prefix": "/dex"});
    let mut dex = Neighbour::related(&mut world, "dex-auth", "ingress", route)?;
    dex.converse(&mut world)?;
    expect![[r#"read {"ingress_app_names":["dex-auth"],"verdict":"set"}"#]]
        .assert_eq(&proxy.converse(&mut world)?.to_string());
    expect![[r#"
        EnvoyFilter pilot-authn-filter outbound|4180||oauth2-proxy.iam.svc.cluster.local outbound|4180||oauth2-proxy.iam.svc.cluster.local
        Gateway istio-gateway 8080
        VirtualService dex-auth /dex dex-auth.mesh.svc.cluster.local"#]].assert_eq(&objects(&world)?);
    expect![[r#"{"authorization_request":{"allowed_headers":{"patterns":[{"exact":"authorization"},{"exact":"cookie"},{"exact":"x-forwarded-for"},{"exact":"x-forwarded-host"},{"exact":"x-forwarded-proto"},{"exact":"x-forwarded-uri"},{"exact":"x-forwarded-prefix"}]}},"authorization_response":{"allowed_client_headers_on_success":{"patterns":[{"exact":"set-cookie"}]},"allowed_upstream_headers":{"patterns":[{"exact":"x-auth-request-user"}]}},"server_uri":{"cluster":"outbound|4180||oauth2-proxy.iam.svc.cluster.local","timeout":"10s","uri":"http://oauth2-proxy.iam.svc.cluster.local:4180"}}"#]].assert_eq(&asked(&world)?);
    // In the charm's own place, the library reads the same.
    expect![[r#"read {"app_names":["dex-auth"],"decisions_address":"http://oauth2-proxy.iam.svc.cluster.local:4180","headers":["X-Auth-Request-User"]}"#]].assert_eq(&proxy.verdict_in_place_of_charm(&world)?.to_string());
    let before = writes(&world)?;
    proxy.converse(&mut world)?;
    assert_eq!(writes(&world)?, before);

    // oathkeeper is asked below a path, and says nothing of headers.
    proxy.says(json!({
        "decisions_address": "http://oathkeeper.iam.svc.cluster.local:4456/decisions",
        "app_names": [], "headers": [],
    }));
    proxy.converse(&mut world)?;
    expect![[r#"{"authorization_request":{"allowed_headers":{"patterns":[{"exact":"authorization"},{"exact":"cookie"},{"exact":"x-forwarded-for"},{"exact":"x-forwarded-host"},{"exact":"x-forwarded-proto"},{"exact":"x-forwarded-uri"},{"exact":"x-forwarded-prefix"}]}},"authorization_response":{"allowed_client_headers_on_success":{"patterns":[{"exact":"set-cookie"}]},"allowed_upstream_headers":{"patterns":[{"exact":"authorization"},{"exact":"path"},{"exact":"x-auth-request-user"},{"exact":"x-auth-request-email"},{"exact":"x-auth-request-access-token"}]}},"path_prefix":"/decisions","server_uri":{"cluster":"outbound|4456||oathkeeper.iam.svc.cluster.local","timeout":"10s","uri":"http://oathkeeper.iam.svc.cluster.local:4456"}}"#]].assert_eq(&asked(&world)?);
    proxy.part(&mut world)?;
    world.settle()?;
    expect![[r#"
        Gateway istio-gateway 8080
        VirtualService dex-auth /dex dex-auth.mesh.svc.cluster.local"#]]
    .assert_eq(&objects(&world)?);
    Ok(())
}

/// Databags of an application that checks requests, the sound ones last. The library takes more
/// addresses than can be asked.
const CHECKS: [[(&str, &str); 3]; 8] = {
    let (address, names) = ("decisions_address", "app_names");
    let service = "http://a.b.svc.cluster.local:80";
    [
        [(address, ""), (names, "[]"), ("headers", "")],
        [(address, service), (names, ""), ("headers", "[]")],
        [(address, service), (names, "a"), ("headers", "[]")],
        [(address, service), (names, "[]"), ("headers", "{}")],
        [(address, "12"), (names, "[]"), ("headers", "[]")],
        [
            (address, "https://auth.example.com"),
            (names, "[]"),
            ("headers", "[]"),
        ],
        [(address, service), (names, "[]"), ("headers", "")],
        [
            (address, "\"http://a.b.svc/c/\""),
            (names, "[\"a\", \"b\"]"),
            ("headers", "[\"x-a\"]"),
        ],
    ]
};

#[test]
fn while_the_library_would_refuse_what_is_written_the_gateway_is_closed() -> Result<()> {
    let mut world = deployed()?;
    let mut proxy = Neighbour::new("oauth2-proxy", "forward-auth")?;
    let relation = proxy.relate(&mut world)?;
    let story = judged(&mut world, &proxy, relation, &CHECKS)?;
    expect![[r#"
        [("decisions_address", ""), ("app_names", "[]"), ("headers", "")]
          hook failed with DataValidationError: ({'app_names': []}, {'$schema': 'http://json-schema.org/draft-07/schema', '$id': 'https://canonical.github.io/charm-relation-interfaces/docs/json_schemas/forward_auth/v0/provider.json', 'type': 'object', 'properties': {'decisions_address': {'type': 'string', 'default': None}, 'app_names': {'type': 'array', 'default': None, 'items': {'type': 'string'}}, 'headers': {'type': 'array', 'default': None, 'items': {'type': 'string'}}}, 'required': ['decisions_address', 'app_names']})
          blocked: forward-auth:1 with oauth2-proxy: `decisions_address` is not set, and the interface asks for it; the ingress gateway is closed until then
        [("decisions_address", "http://a.b.svc.cluster.local:80"), ("app_names", ""), ("headers", "[]")]
          hook failed with DataValidationError: ({'decisions_address': 'http://a.b.svc.cluster.local:80', 'headers': []}, {'$schema': 'http://json-schema.org/draft-07/schema', '$id': 'https://canonical.github.io/charm-relation-interfaces/docs/json_schemas/forward_auth/v0/provider.json', 'type': 'object', 'properties': {'decisions_address': {'type': 'string', 'default': None}, 'app_names': {'type': 'array', 'default': None, 'items': {'type': 'string'}}, 'headers': {'type': 'array', 'default': None, 'items': {'type': 'string'}}}, 'required': ['decisions_address', 'app_names']})
          blocked: forward-auth:1 with oauth2-proxy: `app_names` is not set, and the interface asks for it; the ingress gateway is closed until then
        [("decisions_address", "http://a.b.svc.cluster.local:80"), ("app_names", "a"), ("headers", "[]")]
          hook failed with DataValidationError: ({'app_names': 'a', 'decisions_address': 'http://a.b.svc.cluster.local:80', 'headers': []}, {'$schema': 'http://json-schema.org/draft-07/schema', '$id': 'https://canonical.github.io/charm-relation-interfaces/docs/json_schemas/forward_auth/v0/provider.json', 'type': 'object', 'properties': {'decisions_address': {'type': 'string', 'default': None}, 'app_names': {'type': 'array', 'default': None, 'items': {'type': 'string'}}, 'headers': {'type': 'array', 'default': None, 'items': {'type': 'string'}}}, 'required': ['decisions_address', 'app_names']})
          blocked: forward-auth:1 with oauth2-proxy: `app_names` is not a list of texts; the ingress gateway is closed until then
        [("decisions_address", "http://a.b.svc.cluster.local:80"), ("app_names", "[]"), ("headers", "{}")]
          hook failed with DataValidationError: ({'app_names': [], 'decisions_address': 'http://a.b.svc.cluster.local:80', 'headers': {}}, {'$schema': 'http://json-schema.org/draft-07/schema', '$id': 'https://canonical.github.io/charm-relation-interfaces/docs/json_schemas/forward_auth/v0/provider.json', 'type': 'object', 'properties': {'decisions_address': {'type': 'string', 'default': None}, 'app_names': {'type': 'array', 'default': None, 'items': {'type': 'string'}}, 'headers': {'type': 'array', 'default': None, 'items': {'type': 'string'}}}, 'required': ['decisions_address', 'app_names']})
          blocked: forward-auth:1 with oauth2-proxy: `headers` is not a list of texts; the ingress gateway is closed until then
        [("decisions_address", "12"), ("app_names", "[]"), ("headers", "[]")]
          hook failed with DataValidationError: ({'app_names': [], 'decisions_address': 12, 'headers': []}, {'$schema': 'http://json-schema.org/draft-07/schema', '$id': 'https://canonical.github.io/charm-relation-interfaces/docs/json_schemas/forward_auth/v0/provider.json', 'type': 'object', 'properties': {'decisions_address': {'type': 'string', 'default': None}, 'app_names': {'type': 'array', 'default': None, 'items': {'type': 'string'}}, 'headers': {'type': 'array', 'default': None, 'items': {'type': 'string'}}}, 'required': ['decisions_address', 'app_names']})
          blocked: forward-auth:1 with oauth2-proxy: `decisions_address` is not a text; the ingress gateway is closed until then
        [("decisions_address", "https://auth.example.com"), ("app_names", "[]"), ("headers", "[]")]
          read {"app_names":[],"decisions_address":"https://auth.example.com","headers":[]}
          blocked: forward-auth:1 with oauth2-proxy: `decisions_address` cannot be used: it begins with https, and the gateway asks over http only, which the mesh encrypts where both are part of it; the ingress gateway is closed until then
        [("decisions_address", "http://a.b.svc.cluster.local:80"), ("app_names", "[]"), ("headers", "")]
          read {"app_names":[],"decisions_address":"http://a.b.svc.cluster.local:80","headers":[]}
          active: CNI off
        [("decisions_address", "\"http://a.b.svc/c/\""), ("app_names", "[\"a\", \"b\"]"), ("headers", "[\"x-a\"]")]
          read {"app_names":["a","b"],"decisions_address":"http://a.b.svc/c/","headers":["x-a"]}
          active: CNI off
    "#]].assert_eq(&story);
    assert!(is_open(&world)?);
    Ok(())
}

//! The endpoint `istio-request-auth`: applications that have the tokens of their requests checked.

use anyhow::Result;
use charm_world::{Neighbour, Verdict, World};
use expect_test::expect;
use serde_json::json;

use super::{WELL, judged, writes};
use crate::ingress::objects;
use crate::support::deployed;

/// What checks tokens, a line each.
fn checks(world: &World) -> Result<String> {
    let list = world.get("requestauthentications")?;
    let checks = list["items"].as_array().unwrap().iter();
    let lines = checks.map(|it| format!("{}: {}", it["metadata"]["name"], it["spec"]));
    Ok(lines.collect::<Vec<_>>().join("\n"))
}

#[test]
fn an_application_is_reached_only_while_its_rules_are_there() -> Result<()> {
    let mut world = deployed()?;
    let route = json!({
        "service": "grafana", "namespace": "mesh", "port": 3000, "prefix": "/grafana",
    });
    let mut ingress = Neighbour::related(&mut world, "grafana", "ingress", route)?;
    ingress.converse(&mut world)?;
    expect![[r#"
        Gateway istio-gateway 8080
        VirtualService grafana /grafana grafana.mesh.svc.cluster.local"#]]
    .assert_eq(&objects(&world)?);
    let mut grafana = Neighbour::new("grafana", "istio-request-auth")?;
    grafana.relate(&mut world)?;
    world.settle()?;
    expect!["waiting: istio-request-auth:2 with grafana: does not say yet which tokens are valid; no request to its routes passes until then"].assert_eq(&world.shown()?);
    expect!["Gateway istio-gateway 8080"].assert_eq(&objects(&world)?);
    grafana.says(json!([
        {
            "issuer": "https://dex.example/dex", "jwks_uri": "https://dex.example/dex/keys",
            "audiences": ["grafana"], "forward_original_token": true,
            "claim_to_headers": [{"header": "x-user", "claim": "email"}],
            "from_headers": [{"name": "Authorization", "prefix": "Bearer "}, {"name": "x-token"}],
        },
        {"issuer": "https://other.example"},
    ]));
    assert_eq!(grafana.converse(&mut world)?, Verdict::Read(None));
    assert_eq!(world.shown()?, WELL);
    expect![[r#""request-auth-grafana-pilot": {"jwtRules":[{"audiences":["grafana"],"forwardOriginalToken":true,"fromHeaders":[{"name":"Authorization","prefix":"Bearer "},{"name":"x-token"}],"issuer":"https://dex.example/dex","jwksUri":"https://dex.example/dex/keys","outputClaimToHeaders":[{"claim":"email","header":"x-user"}]},{"issuer":"https://other.example"}],"selector":{"matchLabels":{"istio":"ingressgateway"}}}"#]].assert_eq(&checks(&world)?);
    expect![[r#"
        Gateway istio-gateway 8080
        VirtualService grafana /grafana grafana.mesh.svc.cluster.local"#]]
    .assert_eq(&objects(&world)?);
    // In the charm's own place, the library reads the same.
    expect![[r#"read {"grafana":[{"audiences":["grafana"],"claim_to_headers":[{"claim":"email","header":"x-user"}],"forward_original_token":true,"from_headers":[{"name":"Authorization","prefix":"Bearer "},{"name":"x-token"}],"issuer":"https://dex.example/dex","jwks_uri":"https://dex.example/dex/keys"},{"issuer":"https://other.example"}]}"#]].assert_eq(&grafana.verdict_in_place_of_charm(&world)?.to_string());
    let before = writes(&world)?;
    grafana.converse(&mut world)?;
    assert_eq!(writes(&world)?, before);

    grafana.says(json!([]));
    grafana.converse(&mut world)?;
    expect!["waiting: istio-request-auth:2 with grafana: does not say yet which tokens are valid; no request to its routes passes until then"].assert_eq(&world.shown()?);
    expect![[r#""#]].assert_eq(&checks(&world)?);
    expect!["Gateway istio-gateway 8080"].assert_eq(&objects(&world)?);
    grafana.part(&mut world)?;
    world.settle()?;
    assert_eq!(world.shown()?, WELL);
    expect![[r#"
        Gateway istio-gateway 8080
        VirtualService grafana /grafana grafana.mesh.svc.cluster.local"#]]
    .assert_eq(&objects(&world)?);
    Ok(())
}

/// Rules of an application, the sound ones last.
const RULES: [[(&str, &str); 1]; 8] = [
    [("jwt_rules", "[{}]")],
    [("jwt_rules", "[{\"issuer\": 1}]")],
    [("jwt_rules", "https://a")],
    [("jwt_rules", "[{\"issuer\": \"\"}]")],
    [("jwt_rules", "null")],
    [("jwt_rules", "[{\"issuer\": \"a\", \"jwks_uri\": \"a\"}]")],
    [("jwt_rules", "[{\"issuer\": \"https://a\", \"more\": 1}]")],
    [(
        "jwt_rules",
        "[{\"issuer\": \"a\", \"jwks_uri\": \"http://a.b.svc/keys\", \"audiences\": []}]",
    )],
];

#[test]
fn what_the_library_refuses_is_no_rule() -> Result<()> {
    let mut world = deployed()?;
    let mut grafana = Neighbour::new("grafana", "istio-request-auth")?;
    let relation = grafana.relate(&mut world)?;
    let story = judged(&mut world, &grafana, relation, &RULES)?;
    expect![[r#"
        [("jwt_rules", "[{}]")]
          read {"grafana":null}
          blocked: istio-request-auth:1 with grafana: `jwt_rules` cannot be read: missing field `issuer` at line 1 column 3; no request to its routes passes until then
        [("jwt_rules", "[{\"issuer\": 1}]")]
          read {"grafana":null}
          blocked: istio-request-auth:1 with grafana: `jwt_rules` cannot be read: invalid type: integer `1`, expected a string at line 1 column 13; no request to its routes passes until then
        [("jwt_rules", "https://a")]
          read {"grafana":null}
          blocked: istio-request-auth:1 with grafana: `jwt_rules` cannot be read: expected value at line 1 column 1; no request to its routes passes until then
        [("jwt_rules", "[{\"issuer\": \"\"}]")]
          read {"grafana":[{"issuer":""}]}
          blocked: istio-request-auth:1 with grafana: rule 1 of `jwt_rules` has an empty `issuer`; no request to its routes passes until then
        [("jwt_rules", "null")]
          read {"grafana":null}
          waiting: istio-request-auth:1 with grafana: does not say yet which tokens are valid; no request to its routes passes until then
        [("jwt_rules", "[{\"issuer\": \"a\", \"jwks_uri\": \"a\"}]")]
          read {"grafana":[{"issuer":"a","jwks_uri":"a"}]}
          blocked: istio-request-auth:1 with grafana: rule 1 of `jwt_rules` has a `jwks_uri` that is no address with http or https; no request to its routes passes until then
        [("jwt_rules", "[{\"issuer\": \"https://a\", \"more\": 1}]")]
          read {"grafana":[{"issuer":"https://a"}]}
          active: CNI off
        [("jwt_rules", "[{\"issuer\": \"a\", \"jwks_uri\": \"http://a.b.svc/keys\", \"audiences\": []}]")]
          read {"grafana":[{"audiences":[],"issuer":"a","jwks_uri":"http://a.b.svc/keys"}]}
          active: CNI off
    "#]].assert_eq(&story);
    expect![[r#""request-auth-grafana-pilot": {"jwtRules":[{"issuer":"a","jwksUri":"http://a.b.svc/keys"}],"selector":{"matchLabels":{"istio":"ingressgateway"}}}"#]].assert_eq(&checks(&world)?);
    Ok(())
}

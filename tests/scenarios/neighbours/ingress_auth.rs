//! The endpoint `ingress-auth`: services that check requests to the ingress gateway.

use anyhow::Result;
use charm_world::{Neighbour, Verdict, World};
use expect_test::expect;
use serde_json::json;

use super::WELL;
use crate::ingress::objects;
use crate::support::{APPLICATION, deployed};

/// Whether requests pass the ingress gateway.
pub(super) fn is_open(world: &World) -> Result<bool> {
    Ok(objects(world)?.contains("Gateway istio-gateway"))
}

#[test]
fn the_gateway_is_closed_until_oidc_gatekeeper_has_said_who_checks() -> Result<()> {
    let mut world = deployed()?;
    assert!(is_open(&world)?);
    let data = json!({
        "service": "oidc-gatekeeper", "port": 8080,
        "allowed-request-headers": ["cookie", "X-Auth-Token"],
        "allowed-response-headers": ["kubeflow-userid"],
    });
    let mut oidc = Neighbour::related(&mut world, "oidc-gatekeeper", "ingress-auth", data)?;
    expect!["raised UnversionedRelation: List of <ops.model.Relation ingress-auth:1> versions not found for apps: pilot"].assert_eq(&oidc.turn(&mut world)?.to_string());
    world.settle()?;
    expect!["waiting: ingress-auth:1 with oidc-gatekeeper: does not say yet which service checks requests; the ingress gateway is closed until then"].assert_eq(&world.shown()?);
    assert!(!is_open(&world)?);
    assert_eq!(oidc.converse(&mut world)?, Verdict::Read(None));
    assert_eq!(world.shown()?, WELL);
    expect![[r#"
        EnvoyFilter pilot-authn-filter outbound|8080||oidc-gatekeeper.mesh.svc.cluster.local outbound|8080||oidc-gatekeeper.mesh.svc.cluster.local
        Gateway istio-gateway 8080"#]].assert_eq(&objects(&world)?);
    let filter = world.get("envoyfilter pilot-authn-filter")?;
    let service =
        &filter["spec"]["configPatches"][0]["patch"]["value"]["typed_config"]["http_service"];
    expect![[r#"{"authorization_request":{"allowed_headers":{"patterns":[{"exact":"cookie"},{"exact":"X-Auth-Token"}]}},"authorization_response":{"allowed_upstream_headers":{"patterns":[{"exact":"kubeflow-userid"}]}},"server_uri":{"cluster":"outbound|8080||oidc-gatekeeper.mesh.svc.cluster.local","timeout":"10s","uri":"http://oidc-gatekeeper.mesh.svc.cluster.local:8080"}}"#]].assert_eq(&service.to_string());
    // In the charm's own place, the library reads the same.
    expect![[r#"read {"allowed-request-headers":["cookie","X-Auth-Token"],"allowed-response-headers":["kubeflow-userid"],"port":8080,"service":"oidc-gatekeeper"}"#]].assert_eq(&oidc.verdict_in_place_of_charm(&world)?.to_string());

    // A port that cannot be: the library takes it, and nobody would check.
    oidc.says(json!({"service": "oidc-gatekeeper", "port": 0}));
    oidc.converse(&mut world)?;
    assert!(!is_open(&world)?);
    // Without headers, as the Python charm could not take it.
    oidc.says(json!({"service": "oidc-gatekeeper", "port": 80}));
    oidc.converse(&mut world)?;
    assert_eq!((world.shown()?.as_str(), is_open(&world)?), (WELL, true));
    // A refresh to a version that is not supported here.
    oidc.supports(&["v9"]);
    expect!["raised IncompatibleVersionsError: No compatible ingress-auth versions found for apps: pilot"].assert_eq(&oidc.converse(&mut world)?.to_string());
    expect!["blocked: ingress-auth:1 with oidc-gatekeeper: `_supported_versions` lists no version that is supported here; oidc-gatekeeper must support v1: refresh one of the two charms; the ingress gateway is closed until then"].assert_eq(&world.shown()?);
    assert!(!is_open(&world)?);
    oidc.part(&mut world)?;
    world.settle()?;
    assert_eq!(world.shown()?, WELL);
    expect!["Gateway istio-gateway 8080"].assert_eq(&objects(&world)?);
    Ok(())
}

#[test]
fn of_two_that_check_the_first_does_until_it_goes() -> Result<()> {
    let mut world = deployed()?;
    let data = json!({"service": "first", "port": 80});
    let mut first = Neighbour::related(&mut world, "first", "ingress-auth", data)?;
    first.converse(&mut world)?;
    let data = json!({"service": "second", "port": 80});
    let mut second = Neighbour::related(&mut world, "second", "ingress-auth", data)?;
    assert_eq!(second.converse(&mut world)?, Verdict::Read(None));
    expect!["blocked: ingress-auth:2 with second: only one application can check requests, and ingress-auth:1 with first does: remove one of the two relations"].assert_eq(&world.shown()?);
    expect![[r#"
        EnvoyFilter pilot-authn-filter outbound|80||first.mesh.svc.cluster.local outbound|80||first.mesh.svc.cluster.local
        Gateway istio-gateway 8080"#]].assert_eq(&objects(&world)?);
    first.part(&mut world)?;
    world.settle()?;
    assert_eq!(world.shown()?, WELL);
    expect![[r#"
        EnvoyFilter pilot-authn-filter outbound|80||second.mesh.svc.cluster.local outbound|80||second.mesh.svc.cluster.local
        Gateway istio-gateway 8080"#]].assert_eq(&objects(&world)?);
    let relation = world.model.relation_id("second", APPLICATION)?;
    let versions = &world.model.databag(relation, APPLICATION)["_supported_versions"];
    assert_eq!(versions, "- v1\n");
    Ok(())
}

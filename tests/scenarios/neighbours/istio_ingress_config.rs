//! The endpoint `istio-ingress-config`: gateways of other charms that have a service check requests.

use anyhow::Result;
use charm_world::{Neighbour, Verdict, World};
use expect_test::expect;
use serde_json::{Value, json};

use super::{WELL, judged, writes};
use crate::support::deployed;

/// The services that the mesh knows to check requests, a line each.
pub(super) fn providers(world: &World) -> Result<String> {
    let config = world.get("configmaps/istio")?;
    let mesh: Value = serde_yaml::from_str(config["data"]["mesh"].as_str().unwrap())?;
    let providers = mesh["extensionProviders"].as_array().into_iter().flatten();
    let lines: Vec<_> = providers.map(Value::to_string).collect();
    Ok(lines.join("\n"))
}

#[test]
fn a_gateway_learns_how_the_mesh_calls_the_service_that_checks_its_requests() -> Result<()> {
    let mut world = deployed()?;
    let mut ingress = Neighbour::new("ingress", "istio-ingress-config")?;
    ingress.relate(&mut world)?;
    assert_eq!(ingress.converse(&mut world)?, Verdict::Read(None));
    expect!["waiting: istio-ingress-config:1 with ingress: does not say yet which service checks requests"].assert_eq(&world.shown()?);
    ingress.says(json!({
        "ext_authz_service_name": "oauth2-proxy.iam.svc.cluster.local",
        "ext_authz_port": "4180",
        "include_headers_in_check": ["authorization", "cookie"],
        "headers_to_upstream_on_allow": ["x-auth-request-user"],
        "headers_to_downstream_on_allow": ["set-cookie"],
        "headers_to_downstream_on_deny": ["content-type", "set-cookie"],
    }));
    let mut egress = Neighbour::related(
        &mut world,
        "egress",
        "istio-ingress-config",
        json!({
            "ext_authz_service_name": "opa.policies.svc.cluster.local",
            "ext_authz_port": "9191",
            "ext_authz_protocol": "grpc",
        }),
    )?;
    expect![[r#"read "ext-authz-ingress""#]].assert_eq(&ingress.converse(&mut world)?.to_string());
    expect![[r#"read "ext-authz-egress""#]].assert_eq(&egress.converse(&mut world)?.to_string());
    assert_eq!(world.shown()?, WELL);
    expect![[r#"
        {"envoyExtAuthzHttp":{"headersToDownstreamOnAllow":["set-cookie"],"headersToDownstreamOnDeny":["content-type","set-cookie"],"headersToUpstreamOnAllow":["x-auth-request-user"],"includeRequestHeadersInCheck":["authorization","cookie"],"port":4180,"service":"oauth2-proxy.iam.svc.cluster.local","timeout":"10s"},"name":"ext-authz-ingress"}
        {"envoyExtAuthzGrpc":{"port":9191,"service":"opa.policies.svc.cluster.local","timeout":"10s"},"name":"ext-authz-egress"}"#]]
    .assert_eq(&providers(&world)?);
    // In the charm's own place, the library reads the same.
    expect![[r#"read {"ext_authz_port":"4180","ext_authz_protocol":"http","ext_authz_service_name":"oauth2-proxy.iam.svc.cluster.local","headers_to_downstream_on_allow":["set-cookie"],"headers_to_downstream_on_deny":["content-type","set-cookie"],"headers_to_upstream_on_allow":["x-auth-request-user"],"include_headers_in_check":["authorization","cookie"]}"#]].assert_eq(&ingress.verdict_in_place_of_charm(&world)?.to_string());
    expect![[r#"read {"ext_authz_port":"9191","ext_authz_protocol":"grpc","ext_authz_service_name":"opa.policies.svc.cluster.local"}"#]].assert_eq(&egress.verdict_in_place_of_charm(&world)?.to_string());
    let before = writes(&world)?;
    world.update_status()?;
    ingress.converse(&mut world)?;
    assert_eq!(writes(&world)?, before);

    ingress.says("clear".into());
    assert_eq!(ingress.converse(&mut world)?, Verdict::Read(None));
    assert_eq!(world.shown()?, WELL);
    expect![[r#"
        {"envoyExtAuthzGrpc":{"port":9191,"service":"opa.policies.svc.cluster.local","timeout":"10s"},"name":"ext-authz-egress"}"#]]
    .assert_eq(&providers(&world)?);
    egress.part(&mut world)?;
    world.settle()?;
    assert_eq!(providers(&world)?, "");
    assert_eq!(world.shown()?, WELL);
    Ok(())
}

/// What gateways may have written.
const SERVICES: [[(&str, &str); 3]; 7] = [
    of("opa.policies.svc", "", ""),
    of("opa.policies.svc", "http", ""),
    of("opa.policies.svc", "-1", ""),
    of("https://opa.example", "443", ""),
    of("opa.policies.svc", "80", "tcp"),
    of("opa.policies.svc", "80", "http"),
    of("fake_host", "5432", "http"),
];

const fn of<'a>(service: &'a str, port: &'a str, protocol: &'a str) -> [(&'a str, &'a str); 3] {
    [
        ("ext_authz_service_name", service),
        ("ext_authz_port", port),
        ("ext_authz_protocol", protocol),
    ]
}

#[test]
fn what_no_mesh_can_use_is_one_gateways_problem() -> Result<()> {
    let mut world = deployed()?;
    let mut ingress = Neighbour::new("ingress", "istio-ingress-config")?;
    let relation = ingress.relate(&mut world)?;
    let opa = json!({
        "ext_authz_service_name": "opa.policies.svc.cluster.local", "ext_authz_port": "9191",
    });
    let mut egress = Neighbour::related(&mut world, "egress", "istio-ingress-config", opa)?;
    let name = egress.converse(&mut world)?;
    let story = judged(&mut world, &ingress, relation, &SERVICES)?;
    expect![[r#"
        [("ext_authz_service_name", "opa.policies.svc"), ("ext_authz_port", ""), ("ext_authz_protocol", "")]
          read {"ext_authz_protocol":"http","ext_authz_service_name":"opa.policies.svc"}
          waiting: istio-ingress-config:1 with ingress: does not say yet which service checks requests
        [("ext_authz_service_name", "opa.policies.svc"), ("ext_authz_port", "http"), ("ext_authz_protocol", "")]
          raised Unreadable: {'ext_authz_port': 'http', 'ext_authz_service_name': 'opa.policies.svc'}
          blocked: istio-ingress-config:1 with ingress: `ext_authz_port` is 'http', and ports are numbers from 1 to 65535
        [("ext_authz_service_name", "opa.policies.svc"), ("ext_authz_port", "-1"), ("ext_authz_protocol", "")]
          read {"ext_authz_port":"-1","ext_authz_protocol":"http","ext_authz_service_name":"opa.policies.svc"}
          blocked: istio-ingress-config:1 with ingress: `ext_authz_port` is '-1', and ports are numbers from 1 to 65535
        [("ext_authz_service_name", "https://opa.example"), ("ext_authz_port", "443"), ("ext_authz_protocol", "")]
          read {"ext_authz_port":"443","ext_authz_protocol":"http","ext_authz_service_name":"https://opa.example"}
          blocked: istio-ingress-config:1 with ingress: `ext_authz_service_name`: 'https://opa.example' is no Service of this cluster by its whole name, <service>.<namespace>.svc.cluster.local, and proxies know no other hosts
        [("ext_authz_service_name", "opa.policies.svc"), ("ext_authz_port", "80"), ("ext_authz_protocol", "tcp")]
          raised Unreadable: {'ext_authz_port': '80', 'ext_authz_protocol': 'tcp', 'ext_authz_service_name': 'opa.policies.svc'}
          blocked: istio-ingress-config:1 with ingress: `ext_authz_protocol` is 'tcp', and requests are checked over http or grpc
        [("ext_authz_service_name", "opa.policies.svc"), ("ext_authz_port", "80"), ("ext_authz_protocol", "http")]
          read {"ext_authz_port":"80","ext_authz_protocol":"http","ext_authz_service_name":"opa.policies.svc"}
          active: CNI off
        [("ext_authz_service_name", "fake_host"), ("ext_authz_port", "5432"), ("ext_authz_protocol", "http")]
          read nothing
          active: CNI off
    "#]].assert_eq(&story);
    assert_eq!(egress.converse(&mut world)?, name);
    expect![[r#"
        {"envoyExtAuthzHttp":{"port":9191,"service":"opa.policies.svc.cluster.local","timeout":"10s"},"name":"ext-authz-egress"}"#]]
    .assert_eq(&providers(&world)?);
    Ok(())
}

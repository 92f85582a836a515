//! What comes in through the ingress gateway: routes, who checks requests, and when it is open.

use anyhow::Result;
use charm_world::World;
use expect_test::expect;
use serde_json::Value;

use super::support::{APPLICATION, databag, deployed};

/// A relation with an application that supports version 1 of the interface, and has said nothing yet.
pub(crate) fn relate(world: &mut World, application: &str, endpoint: &str) -> Result<u32> {
    let interface = match endpoint {
        "istio-pilot" => "k8s-service",
        "forward-auth" => "forward_auth",
        "gateway-info" => "istio-gateway-info",
        other => other,
    };
    let model = &mut world.model;
    model.add_remote_application(application, endpoint, interface, 1)?;
    let relation = model.integrate(application, &format!("{APPLICATION}:{endpoint}"))?;
    world.settle()?;
    Ok(relation)
}

/// The other side writes its versions and its data.
pub(crate) fn say(
    world: &mut World,
    relation: u32,
    application: &str,
    data: &str,
) -> Result<String> {
    let bag = [("_supported_versions", "- v1\n"), ("data", data)];
    world.model.write_remote(relation, application, &bag)?;
    world.settle()?;
    world.shown()
}

/// Istio's objects in the model, a line each: a Gateway's servers, a route's prefixes.
pub(crate) fn objects(world: &World) -> Result<String> {
    let kinds = "gateways.networking.istio.io,virtualservices,envoyfilters";
    let list = world.get(kinds)?;
    let mut lines: Vec<String> = list["items"].as_array().unwrap().iter().map(line).collect();
    lines.sort();
    Ok(lines.join("\n"))
}

fn line(object: &Value) -> String {
    let (kind, name) = (&object["kind"], &object["metadata"]["name"]);
    let texts = |values: &Value, pointer: &str| {
        let values = values.as_array().into_iter().flatten();
        let texts = values.map(|it| it.pointer(pointer).unwrap_or(&Value::Null).to_string());
        texts.collect::<Vec<_>>().join(" ")
    };
    let spec = &object["spec"];
    let details = [
        texts(&spec["servers"], "/port/number"),
        texts(&spec["http"], "/match/0/uri/prefix"),
        texts(&spec["http"], "/route/0/destination/host"),
        texts(
            &spec["configPatches"],
            "/patch/value/typed_config/http_service/server_uri/cluster",
        ),
    ];
    let details = details.iter().filter(|it| !it.is_empty());
    let details: Vec<_> = details.map(String::as_str).collect();
    format!("{kind} {name} {}", details.join(" ")).replace('"', "")
}

#[test]
fn routes_come_with_their_relations_and_one_that_is_wrong_holds_no_other() -> Result<()> {
    let mut world = deployed()?;
    expect!["Gateway istio-gateway 8080"].assert_eq(&objects(&world)?);
    let dex = relate(&mut world, "dex-auth", "ingress")?;
    expect!["waiting: ingress:1 with dex-auth: `_supported_versions` is not set yet; dex-auth must list v1 or v2 there, as charms made for this interface do"].assert_eq(&world.shown()?);
    expect![[r#"_supported_versions = "- v1\n- v2\n""#]].assert_eq(&databag(
        &world,
        dex,
        APPLICATION,
    ));
    let data = "port: 5556\nprefix: /dex\nrewrite: /dex\nservice: dex-auth\n";
    expect!["active: CNI off"].assert_eq(&say(&mut world, dex, "dex-auth", data)?);
    let wrong = relate(&mut world, "wrong", "ingress")?;
    let data = "port: '80'\nprefix: /wrong\nservice: wrong\n";
    expect!["blocked: ingress:2 with wrong: `data` has a `port` that is text and not a whole number; wrong must write it as the interface says"].assert_eq(&say(&mut world, wrong, "wrong", data)?);
    let deep = relate(&mut world, "deep", "ingress")?;
    let data = "port: 80\nprefix: \"/dex/it's/\\\"deep\\\"\"\nservice: deep\n";
    say(&mut world, deep, "deep", data)?;
    expect![[r#"
        Gateway istio-gateway 8080
        VirtualService deep /dex/it's/\deep\ deep.mesh.svc.cluster.local
        VirtualService dex-auth /dex/it's/\deep\ /dex deep.mesh.svc.cluster.local dex-auth.mesh.svc.cluster.local"#]].assert_eq(&objects(&world)?);
    // What is wrong is put right, but somebody else has it already.
    let data = "port: 80\nprefix: /dex\nservice: wrong\n";
    expect!["blocked: ingress:2 with wrong: wrong asks for the prefix /dex, which dex-auth has already and keeps: configure another one of the two, or remove a relation"].assert_eq(&say(&mut world, wrong, "wrong", data)?);
    world.model.remove_relation("wrong", APPLICATION)?;
    world.model.remove_relation("deep", APPLICATION)?;
    world.settle()?;
    expect![[r#"
        Gateway istio-gateway 8080
        VirtualService dex-auth /dex dex-auth.mesh.svc.cluster.local"#]]
    .assert_eq(&objects(&world)?);
    // Nothing is written twice.
    let before = world.writes()?;
    expect!["active: CNI off"].assert_eq(&world.update_status()?);
    assert_eq!(world.writes()?, before);
    let dispatch = world.model.dispatches().last().unwrap();
    assert_eq!(dispatch.calls_of("relation-set").count(), 0);
    // Another gateway for all of them.
    world.configure(&[("default-gateway", "kubeflow-gateway")])?;
    expect![[r#"
        Gateway kubeflow-gateway 8080
        VirtualService dex-auth /dex dex-auth.mesh.svc.cluster.local"#]]
    .assert_eq(&objects(&world)?);
    world.remove()?;
    assert!(world.objects()?.is_empty(), "{:?}", world.objects());
    Ok(())
}

#[test]
fn no_request_passes_before_it_is_known_who_checks_them() -> Result<()> {
    let mut world = deployed()?;
    let info = relate(&mut world, "tensorboard-controller", "gateway-info")?;
    expect![[r#"
        gateway_name = "istio-gateway"
        gateway_namespace = "mesh"
        gateway_up = "false""#]]
    .assert_eq(&databag(&world, info, APPLICATION));
    world.apply(&serde_json::json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {"name": "istio-ingressgateway-workload", "namespace": "mesh"},
        "spec": {"ports": [{"port": 80}]},
    }))?;
    world.update_status()?;
    expect![[r#"
        gateway_name = "istio-gateway"
        gateway_namespace = "mesh"
        gateway_up = "true""#]]
    .assert_eq(&databag(&world, info, APPLICATION));
    // From the first moment of the relation on.
    let oidc = relate(&mut world, "oidc-gatekeeper", "ingress-auth")?;
    expect!["waiting: ingress-auth:2 with oidc-gatekeeper: `_supported_versions` is not set yet; oidc-gatekeeper must list v1 there, as charms made for this interface do; the ingress gateway is closed until then"].assert_eq(&world.shown()?);
    expect![[r#""#]].assert_eq(&objects(&world)?);
    expect![[r#"
        gateway_name = "istio-gateway"
        gateway_namespace = "mesh"
        gateway_up = "false""#]]
    .assert_eq(&databag(&world, info, APPLICATION));
    let data = "port: 8080\nservice: oidc-gatekeeper\n";
    expect!["active: CNI off"].assert_eq(&say(&mut world, oidc, "oidc-gatekeeper", data)?);
    expect![[r#"
        EnvoyFilter pilot-authn-filter outbound|8080||oidc-gatekeeper.mesh.svc.cluster.local outbound|8080||oidc-gatekeeper.mesh.svc.cluster.local
        Gateway istio-gateway 8080"#]].assert_eq(&objects(&world)?);
    // A second one changes nothing while there are two, nor when it goes.
    let second = relate(&mut world, "second", "ingress-auth")?;
    let data = "port: 80\nservice: second\n";
    expect!["blocked: ingress-auth:3 with second: only one application can check requests, and ingress-auth:2 with oidc-gatekeeper does: remove one of the two relations"].assert_eq(&say(&mut world, second, "second", data)?);
    expect![[r#"
        EnvoyFilter pilot-authn-filter outbound|8080||oidc-gatekeeper.mesh.svc.cluster.local outbound|8080||oidc-gatekeeper.mesh.svc.cluster.local
        Gateway istio-gateway 8080"#]].assert_eq(&objects(&world)?);
    world.model.remove_relation("second", APPLICATION)?;
    world.settle()?;
    expect![[r#"
        EnvoyFilter pilot-authn-filter outbound|8080||oidc-gatekeeper.mesh.svc.cluster.local outbound|8080||oidc-gatekeeper.mesh.svc.cluster.local
        Gateway istio-gateway 8080"#]].assert_eq(&objects(&world)?);
    // What it says can no longer be used.
    let data = "port: 0\nservice: oidc-gatekeeper\n";
    expect!["blocked: ingress-auth:2 with oidc-gatekeeper: `port` is 0, and ports are numbers from 1 to 65535; the ingress gateway is closed until then"].assert_eq(&say(&mut world, oidc, "oidc-gatekeeper", data)?);
    expect![[r#""#]].assert_eq(&objects(&world)?);
    world
        .model
        .remove_relation("oidc-gatekeeper", APPLICATION)?;
    world.settle()?;
    expect!["active: CNI off"].assert_eq(&world.shown()?);
    expect!["Gateway istio-gateway 8080"].assert_eq(&objects(&world)?);
    Ok(())
}

/// The other side of `forward-auth` writes where it answers, for applications that it protects.
fn answer_at(world: &mut World, relation: u32, application: &str, address: &str) -> Result<String> {
    let bag = [
        ("decisions_address", address),
        ("app_names", "[\"dex-auth\"]"),
        ("headers", "[\"kubeflow-userid\"]"),
    ];
    world.model.write_remote(relation, application, &bag)?;
    world.settle()?;
    world.shown()
}

#[test]
fn whoever_checks_requests_for_newer_charms_takes_over_when_the_older_relation_goes() -> Result<()>
{
    let mut world = deployed()?;
    let dex = relate(&mut world, "dex-auth", "ingress")?;
    let data = "port: 5556\nprefix: /dex\nservice: dex-auth\n";
    say(&mut world, dex, "dex-auth", data)?;
    let proxy = relate(&mut world, "oauth2-proxy", "forward-auth")?;
    expect!["waiting: forward-auth:2 with oauth2-proxy: does not say yet which service checks requests; the ingress gateway is closed until then"].assert_eq(&world.shown()?);
    expect!["VirtualService dex-auth /dex dex-auth.mesh.svc.cluster.local"]
        .assert_eq(&objects(&world)?);
    expect![[r#"ingress_app_names = "[\"dex-auth\"]""#]].assert_eq(&databag(
        &world,
        proxy,
        APPLICATION,
    ));
    let outside = "https://auth.example.com";
    expect!["blocked: forward-auth:2 with oauth2-proxy: `decisions_address` cannot be used: it begins with https, and the gateway asks over http only, which the mesh encrypts where both are part of it; the ingress gateway is closed until then"].assert_eq(&answer_at(&mut world, proxy, "oauth2-proxy", outside)?);
    expect!["VirtualService dex-auth /dex dex-auth.mesh.svc.cluster.local"]
        .assert_eq(&objects(&world)?);
    let inside = "http://oauth2-proxy.iam.svc.cluster.local:4180";
    expect!["active: CNI off"].assert_eq(&answer_at(&mut world, proxy, "oauth2-proxy", inside)?);
    expect![[r#"
        EnvoyFilter pilot-authn-filter outbound|4180||oauth2-proxy.iam.svc.cluster.local outbound|4180||oauth2-proxy.iam.svc.cluster.local
        Gateway istio-gateway 8080
        VirtualService dex-auth /dex dex-auth.mesh.svc.cluster.local"#]].assert_eq(&objects(&world)?);
    // Nothing is written twice.
    let before = world.writes()?;
    world.update_status()?;
    assert_eq!(world.writes()?, before);
    let dispatch = world.model.dispatches().last().unwrap();
    assert_eq!(dispatch.calls_of("relation-set").count(), 0);
    // A second one at the other endpoint has to wait until the first goes.
    let oidc = relate(&mut world, "oidc-gatekeeper", "ingress-auth")?;
    let data = "port: 8080\nservice: oidc-gatekeeper\n";
    expect!["blocked: ingress-auth:3 with oidc-gatekeeper: only one application can check requests, and forward-auth:2 with oauth2-proxy does: remove one of the two relations"].assert_eq(&say(&mut world, oidc, "oidc-gatekeeper", data)?);
    expect![[r#"
        EnvoyFilter pilot-authn-filter outbound|4180||oauth2-proxy.iam.svc.cluster.local outbound|4180||oauth2-proxy.iam.svc.cluster.local
        Gateway istio-gateway 8080
        VirtualService dex-auth /dex dex-auth.mesh.svc.cluster.local"#]].assert_eq(&objects(&world)?);
    let before = gateway_uid(&world)?;
    world.model.remove_relation("oauth2-proxy", APPLICATION)?;
    world.settle()?;
    expect!["active: CNI off"].assert_eq(&world.shown()?);
    expect![[r#"
        EnvoyFilter pilot-authn-filter outbound|8080||oidc-gatekeeper.mesh.svc.cluster.local outbound|8080||oidc-gatekeeper.mesh.svc.cluster.local
        Gateway istio-gateway 8080
        VirtualService dex-auth /dex dex-auth.mesh.svc.cluster.local"#]].assert_eq(&objects(&world)?);
    assert_eq!(gateway_uid(&world)?, before, "it was closed");
    Ok(())
}

fn gateway_uid(world: &World) -> Result<Value> {
    let gateway = world.get("gateways.networking.istio.io istio-gateway")?;
    Ok(gateway["metadata"]["uid"].clone())
}

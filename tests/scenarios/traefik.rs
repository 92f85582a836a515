//! Charms that use the library of the charm traefik-k8s at the endpoint `ingress`, beside those of
//! Kubeflow. The library is not on the Python package index, so the databags hold what it writes.

use anyhow::Result;
use charm_world::World;
use expect_test::expect;
use serde_json::{Value, json};

use super::support::{APPLICATION, databag, deployed};

/// A related application that has said this.
fn relate(world: &mut World, application: &str, says: &[(&str, &str)]) -> Result<u32> {
    let model = &mut world.model;
    model.add_remote_application(application, "ingress", "ingress", 1)?;
    let relation = model.integrate(application, &format!("{APPLICATION}:ingress"))?;
    model.write_remote(relation, application, says)?;
    world.settle()?;
    Ok(relation)
}

/// What such a charm says of itself.
fn grafana() -> [(&'static str, &'static str); 4] {
    [
        ("model", "\"cos\""),
        ("name", "\"grafana\""),
        ("port", "3000"),
        ("strip-prefix", "true"),
    ]
}

/// The Service of the gateway, whose load balancer has no address yet.
pub(crate) fn add_gateway_service(world: &World) -> Result<()> {
    world.apply(&json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {"name": "istio-ingressgateway-workload", "namespace": "mesh"},
        "spec": {"type": "LoadBalancer", "ports": [{"port": 80}]},
    }))
}

/// Its load balancer gets an address.
pub(crate) fn assign_address(world: &World, address: &str) -> Result<()> {
    let status = json!({"status": {"loadBalancer": {"ingress": [{"ip": address}]}}});
    world.patch(
        "service istio-ingressgateway-workload --subresource status",
        &status,
    )
}

/// The routes of the model, a line each, after the name of their object.
pub(crate) fn routes(world: &World) -> Result<String> {
    let list = world.get("virtualservices")?;
    let mut lines = Vec::new();
    for service in list["items"].as_array().unwrap() {
        lines.push(service["metadata"]["name"].as_str().unwrap().to_owned());
        for route in service["spec"]["http"].as_array().unwrap() {
            let mut parts = vec![route["match"][0].to_string()];
            let of_route = ["rewrite", "redirect"].map(|key| &route[key]);
            let set = of_route.into_iter().filter(|it| !it.is_null());
            parts.extend(set.map(Value::to_string));
            let backends = route["route"].as_array().into_iter().flatten();
            parts.extend(backends.map(|it| {
                let destination = &it["destination"];
                let (host, port) = (&destination["host"], &destination["port"]["number"]);
                format!("{host}:{port}").replace('"', "")
            }));
            lines.push(format!("  {}", parts.join(" ")));
        }
    }
    Ok(lines.join("\n"))
}

#[test]
fn such_an_application_gets_a_path_and_hears_its_url_as_soon_as_there_is_one() -> Result<()> {
    let mut world = deployed()?;
    let grafana = relate(&mut world, "grafana", &grafana())?;
    expect!["waiting: ingress:1 with grafana: Service istio-ingressgateway-workload has no address yet; grafana is told once it has one"].assert_eq(&world.shown()?);
    expect![[r#""#]].assert_eq(&databag(&world, grafana, APPLICATION));
    expect![[r#"
        grafana.cos.ingress-1
          {"uri":{"exact":"/cos-grafana"}} {"uri":"/"} grafana.cos.svc.cluster.local:3000
          {"uri":{"prefix":"/cos-grafana/"}} {"uri":"/"} grafana.cos.svc.cluster.local:3000"#]]
    .assert_eq(&routes(&world)?);
    add_gateway_service(&world)?;
    expect!["waiting: ingress:1 with grafana: Service istio-ingressgateway-workload has no address yet; grafana is told once it has one"].assert_eq(&world.update_status()?);
    assign_address(&world, "192.0.2.7")?;
    expect!["active: CNI off"].assert_eq(&world.update_status()?);
    expect![[r#"ingress = "{\"url\": \"http://192.0.2.7/cos-grafana\"}""#]].assert_eq(&databag(
        &world,
        grafana,
        APPLICATION,
    ));
    // Nothing is written twice.
    let before = world.writes()?;
    expect!["active: CNI off"].assert_eq(&world.update_status()?);
    assert_eq!(world.writes()?, before);
    let dispatch = world.model.dispatches().last().unwrap();
    assert_eq!(dispatch.calls_of("relation-set").count(), 0);
    // Its own units say where they are, which changes nothing.
    let unit = [("host", "\"grafana-0\""), ("ip", "\"10.1.0.7\"")];
    world.model.write_remote(grafana, "grafana/0", &unit)?;
    world.settle()?;
    assert_eq!(world.writes()?, before);
    world.model.remove_relation("grafana", APPLICATION)?;
    world.settle()?;
    expect![[r#""#]].assert_eq(&routes(&world)?);
    expect!["active: CNI off"].assert_eq(&world.shown()?);
    Ok(())
}

/// What a relation is told.
fn said_to(world: &World, relation: u32) -> String {
    databag(world, relation, APPLICATION)
}

/// What a charm of Kubeflow writes.
fn of_kubeflow(data: &str) -> [(&'static str, &str); 2] {
    [("_supported_versions", "- v1\n"), ("data", data)]
}

#[test]
fn both_kinds_are_served_side_by_side_and_neither_disturbs_the_other() -> Result<()> {
    let mut world = deployed()?;
    add_gateway_service(&world)?;
    assign_address(&world, "192.0.2.7")?;
    let dex = "port: 5556\nprefix: /cos\nrewrite: /\nservice: dex-auth\n";
    let dex = relate(&mut world, "dex-auth", &of_kubeflow(dex))?;
    let silent = relate(&mut world, "silent", &[])?;
    // Until it is known of which kind it is, it gets what it got before there was another kind.
    expect![[r#"_supported_versions = "- v1\n- v2\n""#]].assert_eq(&said_to(&world, silent));
    expect!["waiting: ingress:2 with silent: `_supported_versions` is not set yet; silent must list v1 or v2 there, as charms made for this interface do"].assert_eq(&world.shown()?);
    world.model.write_remote(silent, "silent", &grafana())?;
    world.settle()?;
    expect![[r#"ingress = "{\"url\": \"http://192.0.2.7/cos-grafana\"}""#]]
        .assert_eq(&said_to(&world, silent));
    expect![[r#"_supported_versions = "- v1\n- v2\n""#]].assert_eq(&said_to(&world, dex));
    expect![[r#"
        dex-auth
          {"uri":{"exact":"/cos-grafana"}} {"uri":"/"} grafana.cos.svc.cluster.local:3000
          {"uri":{"prefix":"/cos-grafana/"}} {"uri":"/"} grafana.cos.svc.cluster.local:3000
          {"uri":{"prefix":"/cos"}} {"uri":"/"} dex-auth.mesh.svc.cluster.local:5556
        grafana.cos.ingress-2
          {"uri":{"exact":"/cos-grafana"}} {"uri":"/"} grafana.cos.svc.cluster.local:3000
          {"uri":{"prefix":"/cos-grafana/"}} {"uri":"/"} grafana.cos.svc.cluster.local:3000"#]]
    .assert_eq(&routes(&world)?);
    expect!["active: CNI off"].assert_eq(&world.shown()?);
    // A younger one that asks for the same, and one that cannot be served.
    let other = "port: 80\nprefix: /cos-grafana\nservice: other\n";
    relate(&mut world, "other", &of_kubeflow(other))?;
    expect!["blocked: ingress:3 with other: other asks for the prefix /cos-grafana, which silent has already and keeps: configure another one of the two, or remove a relation"].assert_eq(&world.shown()?);
    let served = routes(&world)?;
    let secure = [
        grafana()[0],
        ("name", "\"loki\""),
        grafana()[2],
        ("scheme", "\"https\""),
    ];
    let secure = relate(&mut world, "loki", &secure)?;
    expect![[r#""#]].assert_eq(&said_to(&world, secure));
    assert_eq!(routes(&world)?, served);
    // What is no longer asked for as it can be served is taken back, from this relation alone.
    world
        .model
        .write_remote(silent, "silent", &[("port", "\"x\"")])?;
    world.settle()?;
    expect![[r#""#]].assert_eq(&said_to(&world, silent));
    expect![[r#"
        dex-auth
          {"uri":{"prefix":"/cos-grafana"}} {"uri":"/cos-grafana"} other.mesh.svc.cluster.local:80
          {"uri":{"prefix":"/cos"}} {"uri":"/"} dex-auth.mesh.svc.cluster.local:5556
        other
          {"uri":{"prefix":"/cos-grafana"}} {"uri":"/cos-grafana"} other.mesh.svc.cluster.local:80"#]].assert_eq(&routes(&world)?);
    world.remove()?;
    assert!(world.objects()?.is_empty(), "{:?}", world.objects());
    Ok(())
}

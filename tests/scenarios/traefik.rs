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
    expect![[r#""#]].assert_eq(&world.shown()?);
    expect![[r#""#]].assert_eq(&databag(&world, grafana, APPLICATION));
    expect![[r#""#]].assert_eq(&routes(&world)?);
    add_gateway_service(&world)?;
    expect![[r#""#]].assert_eq(&world.update_status()?);
    assign_address(&world, "192.0.2.7")?;
    expect![[r#""#]].assert_eq(&world.update_status()?);
    expect![[r#""#]].assert_eq(&databag(&world, grafana, APPLICATION));
    // Nothing is written twice.
    let before = world.writes()?;
    expect![[r#""#]].assert_eq(&world.update_status()?);
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
    expect![[r#""#]].assert_eq(&world.shown()?);
    Ok(())
}

#[test]
fn both_kinds_are_served_side_by_side_and_neither_disturbs_the_other() -> Result<()> {
    let mut world = deployed()?;
    add_gateway_service(&world)?;
    assign_address(&world, "192.0.2.7")?;
    let dex = [
        ("_supported_versions", "- v1\n"),
        (
            "data",
            "port: 5556\nprefix: /cos\nrewrite: /\nservice: dex-auth\n",
        ),
    ];
    let dex = relate(&mut world, "dex-auth", &dex)?;
    let silent = relate(&mut world, "silent", &[])?;
    // Until it is known of which kind it is, it gets what it got before there was another kind.
    expect![[r#""#]].assert_eq(&databag(&world, silent, APPLICATION));
    expect![[r#""#]].assert_eq(&world.shown()?);
    world.model.write_remote(silent, "silent", &grafana())?;
    world.settle()?;
    expect![[r#""#]].assert_eq(&databag(&world, silent, APPLICATION));
    expect![[r#""#]].assert_eq(&databag(&world, dex, APPLICATION));
    expect![[r#""#]].assert_eq(&routes(&world)?);
    expect![[r#""#]].assert_eq(&world.shown()?);
    // A younger one that asks for the same, and one that cannot be served.
    let data = "port: 80\nprefix: /cos-grafana\nservice: other\n";
    let other = [("_supported_versions", "- v1\n"), ("data", data)];
    relate(&mut world, "other", &other)?;
    expect![[r#""#]].assert_eq(&world.shown()?);
    let secure = [
        grafana()[0],
        ("name", "\"loki\""),
        grafana()[2],
        ("scheme", "\"https\""),
    ];
    let secure = relate(&mut world, "loki", &secure)?;
    expect![[r#""#]].assert_eq(&databag(&world, secure, APPLICATION));
    expect![[r#""#]].assert_eq(&routes(&world)?);
    // What is no longer asked for as it can be served is taken back, from this relation alone.
    world
        .model
        .write_remote(silent, "silent", &[("port", "\"x\"")])?;
    world.settle()?;
    expect![[r#""#]].assert_eq(&databag(&world, silent, APPLICATION));
    expect![[r#""#]].assert_eq(&routes(&world)?);
    world.remove()?;
    assert!(world.objects()?.is_empty(), "{:?}", world.objects());
    Ok(())
}

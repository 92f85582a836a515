//! The endpoint `workload-tracing`: charms that collect spans.

use anyhow::Result;
use charm_world::{Neighbour, World};
use expect_test::expect;
use serde_json::{Value, json};

use super::istio_ingress_config::providers;
use super::{WELL, judged, writes};
use crate::support::deployed;

/// What has proxies send spans, a line each.
fn tracing(world: &World) -> Result<String> {
    let list = world.get("telemetries,serviceentries")?;
    let objects = list["items"].as_array().unwrap().iter();
    let line = |it: &Value| format!("{}: {}\n", it["kind"], it["spec"]);
    Ok(providers(world)? + "\n" + &objects.map(line).collect::<Vec<_>>().concat())
}

#[test]
fn spans_go_where_the_collector_says() -> Result<()> {
    let mut world = deployed()?;
    let mut tempo = Neighbour::new("tempo", "workload-tracing")?;
    tempo.relate(&mut world)?;
    // The library reads what is asked for.
    expect![[r#"read ["otlp_grpc"]"#]].assert_eq(&tempo.converse(&mut world)?.to_string());
    expect!["waiting: workload-tracing:1 with tempo: tempo has no receiver of `otlp_grpc` yet, so spans go nowhere"].assert_eq(&world.shown()?);
    tempo.says(json!({
        "otlp_grpc": "tempo.cos.svc.cluster.local:4317", "otlp_http": "http://tempo.example:4318",
    }));
    tempo.converse(&mut world)?;
    assert_eq!(world.shown()?, WELL);
    expect![[r#"
        {"name":"workload-tracing","opentelemetry":{"port":4317,"service":"tempo.cos.svc.cluster.local"}}
        "Telemetry": {"tracing":[{"providers":[{"name":"workload-tracing"}]}]}
    "#]].assert_eq(&tracing(&world)?);
    let before = writes(&world)?;
    world.update_status()?;
    tempo.converse(&mut world)?;
    assert_eq!(writes(&world)?, before);

    // Behind an ingress of its own it has an address only.
    tempo.says(json!({"otlp_grpc": "10.64.140.43:4317"}));
    tempo.converse(&mut world)?;
    assert_eq!(world.shown()?, WELL);
    expect![[r#"
        {"name":"workload-tracing","opentelemetry":{"port":4317,"service":"spans.pilot.mesh.internal"}}
        "Telemetry": {"tracing":[{"providers":[{"name":"workload-tracing"}]}]}
        "ServiceEntry": {"endpoints":[{"address":"10.64.140.43"}],"hosts":["spans.pilot.mesh.internal"],"location":"MESH_EXTERNAL","ports":[{"name":"grpc-otlp","number":4317,"protocol":"GRPC"}],"resolution":"STATIC"}
    "#]].assert_eq(&tracing(&world)?);
    tempo.part(&mut world)?;
    world.settle()?;
    assert_eq!(world.shown()?, WELL);
    assert_eq!(tracing(&world)?, "\n");
    Ok(())
}

/// What collectors may have written, such as those of older versions.
const RECEIVERS: [[(&str, &str); 1]; 4] = [
    [(
        "receivers",
        "[{\"protocol\": \"otlp_grpc\", \"port\": 4317}]",
    )],
    [("receivers", "tempo.cos.svc:4317")],
    [(
        "receivers",
        "[{\"protocol\": {\"name\": \"otlp_grpc\", \"type\": \"grpc\"}, \"url\": \"tempo:4317\"}]",
    )],
    [(
        "receivers",
        "[{\"protocol\": {\"name\": \"otlp_grpc\", \"type\": \"grpc\"}, \"url\": \"t.example:4317\"}]",
    )],
];

#[test]
fn what_no_proxy_can_use_goes_nowhere() -> Result<()> {
    let mut world = deployed()?;
    let mut tempo = Neighbour::new("tempo", "workload-tracing")?;
    let relation = tempo.relate(&mut world)?;
    let story = judged(&mut world, &tempo, relation, &RECEIVERS)?;
    expect![[r#"
        [("receivers", "[{\"protocol\": \"otlp_grpc\", \"port\": 4317}]")]
          read nothing
          blocked: workload-tracing:1 with tempo: `receivers` is no list of receivers with a protocol and an address (line 1, column 25)
        [("receivers", "tempo.cos.svc:4317")]
          read nothing
          blocked: workload-tracing:1 with tempo: `receivers` is no list of receivers with a protocol and an address (line 1, column 2)
        [("receivers", "[{\"protocol\": {\"name\": \"otlp_grpc\", \"type\": \"grpc\"}, \"url\": \"tempo:4317\"}]")]
          read {}
          blocked: workload-tracing:1 with tempo: `receivers` has no address for `otlp_grpc` that can be used: its host is neither an address nor a whole name: a shorter one means something else in each namespace
        [("receivers", "[{\"protocol\": {\"name\": \"otlp_grpc\", \"type\": \"grpc\"}, \"url\": \"t.example:4317\"}]")]
          read {}
          active: CNI off
    "#]].assert_eq(&story);
    expect![[r#"
        {"name":"workload-tracing","opentelemetry":{"port":4317,"service":"t.example"}}
        "Telemetry": {"tracing":[{"providers":[{"name":"workload-tracing"}]}]}
        "ServiceEntry": {"hosts":["t.example"],"location":"MESH_EXTERNAL","ports":[{"name":"grpc-otlp","number":4317,"protocol":"GRPC"}],"resolution":"DNS"}
    "#]].assert_eq(&tracing(&world)?);
    Ok(())
}

//! Whether spans get to where the relation `workload-tracing` says.

use anyhow::{Context, Result};
use charm_world::{World, eventually};

use super::super::cases::turn_metrics_off;
use super::super::site::MODEL;
use super::WELL;
use super::client::Request;
use super::objects::COLLECTOR;
use super::relations::{must_show, relate};

/// What has Envoy trace a request; of others it traces 1 %
/// (<https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/headers#x-client-trace-id>).
const TRACED: &str = "x-client-trace-id: 1";

/// What the collector tells of spans that the gateway has sent.
const TOLD: &str =
    "/opentelemetry.proto.collector.trace.v1.TraceService/Export of istio-ingressgateway";

/// Relates a collector until it has a span of a request.
pub(super) fn trace(world: &mut World, request: Request) -> Result<String> {
    // Istiod takes one Telemetry for the whole mesh, and that has to be the charm's.
    turn_metrics_off(world, MODEL, Some(("istio", "ingressgateway")))?;
    let relation = relate(world, "tempo", "workload-tracing", "tracing")?;
    let url = format!("{COLLECTOR}.{MODEL}.svc.cluster.local:4317");
    let receivers =
        format!(r#"[{{"protocol": {{"name": "otlp_grpc", "type": "grpc"}}, "url": "{url}"}}]"#);
    let bag = [("receivers", receivers.as_str())];
    world.model.write_remote(relation, "tempo", &bag)?;
    world.settle()?;
    must_show(world, WELL)?;
    let request = request.header(TRACED);
    let told = eventually("the collector has a span", || {
        request.must_be(200)?;
        let log = world.kubectl(&format!("logs {COLLECTOR}"))?;
        let line = log.lines().find(|line| line.starts_with(TOLD));
        line.map(str::to_owned).context(log)
    })?;
    let application = world.application().to_owned();
    world.model.remove_relation("tempo", &application)?;
    world.settle()?;
    must_show(world, WELL)?;
    turn_metrics_off(world, MODEL, None)?;
    Ok(told)
}

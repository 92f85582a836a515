//! What others have in the cluster: the gateway, an application behind it, and who checks requests.

use serde_json::{Value, json};
use test_cluster::NodeImages;

use super::super::site::MODEL;

/// The Deployment and the Service of the gateway.
pub(super) const GATEWAY: &str = "istio-ingressgateway-workload";
/// The application behind the gateway: its pod and its Service.
pub(super) const APP: &str = "app";
/// Who checks requests.
pub(super) const AUTHORIZER: &str = "authorizer";

/// What collects spans: an Envoy, as a pod with a Service of this name.
pub(super) const COLLECTOR: &str = "collector";

const GATEWAY_OBJECTS: &str = include_str!("gateway.yaml");
const APPLICATION_SCRIPT: &str = include_str!("application.sh");
const AUTHORIZER_SCRIPT: &str = include_str!("authorizer.sh");
const COLLECTOR_CONFIGURATION: &str = include_str!("collector.yaml");

/// The gateway, for a control plane at `host` and `port`, and everything behind it.
pub(super) fn all(host: &str, port: &str) -> String {
    let gateway = GATEWAY_OBJECTS
        .replace("MODEL", MODEL)
        .replace("TAG", super::super::ISTIO)
        .replace("PILOT_HOST", host)
        .replace("PILOT_PORT", port);
    let others = [
        server(APP, APPLICATION_SCRIPT),
        service(APP),
        server(AUTHORIZER, AUTHORIZER_SCRIPT),
        service(AUTHORIZER),
        collector(),
        service_at(COLLECTOR, "grpc-otlp", 4317),
    ];
    let others = others.map(|object| format!("---\n{object}\n"));
    format!("{gateway}{}", others.concat())
}

/// A pod that runs a shell script for each connection.
fn server(name: &str, script: &str) -> Value {
    let listen = ["/bin/busybox", "nc", "-ll", "-p", "8080", "-e"];
    let command: Vec<&str> = listen
        .into_iter()
        .chain(["/bin/busybox", "sh", "-c", script])
        .collect();
    pod(name, NodeImages::APPLICATION, &command)
}

fn collector() -> Value {
    let image = format!("docker.io/istio/proxyv2:{}", super::super::ISTIO);
    let command = [
        "/usr/local/bin/envoy",
        "--log-level",
        "error",
        "--concurrency",
        "1",
        "--file-flush-interval-msec",
        "50",
        "--config-yaml",
        COLLECTOR_CONFIGURATION,
    ];
    pod(COLLECTOR, &image, &command)
}

fn pod(name: &str, image: &str, command: &[&str]) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "namespace": MODEL, "labels": {"app": name}},
        "spec": {
            // Not all of them end when they are asked to.
            "terminationGracePeriodSeconds": 0,
            "containers": [{"name": name, "image": image, "command": command}],
        },
    })
}

/// The Service of a server.
pub(super) fn service(name: &str) -> Value {
    service_at(name, "http", 8080)
}

/// The Service of a pod that listens on port 8080.
fn service_at(name: &str, protocol: &str, port: u16) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {"name": name, "namespace": MODEL},
        "spec": {
            "selector": {"app": name},
            "ports": [{"name": protocol, "port": port, "targetPort": 8080}],
        },
    })
}

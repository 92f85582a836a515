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

const GATEWAY_OBJECTS: &str = include_str!("gateway.yaml");
const APPLICATION_SCRIPT: &str = include_str!("application.sh");
const AUTHORIZER_SCRIPT: &str = include_str!("authorizer.sh");

/// The gateway, for a control plane at `host` and `port`, and everything behind it.
pub(super) fn all(host: &str, port: &str) -> String {
    let gateway = GATEWAY_OBJECTS
        .replace("MODEL", MODEL)
        .replace("TAG", super::super::ISTIO)
        .replace("PILOT_HOST", host)
        .replace("PILOT_PORT", port);
    let others = [
        pod(APP, APPLICATION_SCRIPT),
        service(APP),
        pod(AUTHORIZER, AUTHORIZER_SCRIPT),
        service(AUTHORIZER),
    ];
    let others = others.map(|object| format!("---\n{object}\n"));
    format!("{gateway}{}", others.concat())
}

/// A pod that runs a shell script for each connection.
fn pod(name: &str, script: &str) -> Value {
    let listen = ["/bin/busybox", "nc", "-ll", "-p", "8080", "-e"];
    let command: Vec<&str> = listen
        .into_iter()
        .chain(["/bin/busybox", "sh", "-c", script])
        .collect();
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "namespace": MODEL, "labels": {"app": name}},
        "spec": {
            // As process 1 it does not end when it is asked to.
            "terminationGracePeriodSeconds": 0,
            "containers": [{"name": name, "image": NodeImages::APPLICATION, "command": command}],
        },
    })
}

/// The Service of such a pod.
pub(super) fn service(name: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {"name": name, "namespace": MODEL},
        "spec": {"selector": {"app": name}, "ports": [{"name": "http", "port": 8080}]},
    })
}

//! What the charm promises, case by case.

use std::path::Path;

use anyhow::{Result, bail, ensure};
use serde_json::{Value, json};

use super::report::Report;
use super::stream;
use super::world::{MODEL, World, eventually, init_container};

/// A namespace with injection.
const SHOP: &str = "shop";
/// A namespace with injection and the strictest Pod Security level.
const STRICT: &str = "strict";
/// A namespace without injection.
const OUTSIDE: &str = "outside";

/// Runs all cases; the charm is switched off at the end.
pub(super) fn run(world: &mut World, report: &mut Report) {
    report.case("the charm deploys the control plane", || deploy(world));
    report.case("CNI off: pods get istio-init and become Ready", || {
        off(world)
    });
    report.case(
        "CNI off: Pod Security restricted refuses injected pods",
        || restricted_refuses(world),
    );
    report.case(
        "a path that the node does not have blocks, naming the node",
        || wrong_path(world),
    );
    report.case("the path put right switches the CNI on", || {
        right_path(world)
    });
    report.case(
        "CNI on: pods get istio-validation without any capability",
        || on(world),
    );
    report.case("CNI on: two injected pods speak mutual TLS", || {
        mutual_tls(world)
    });
    report.case(
        "CNI on: Pod Security restricted accepts injected pods",
        || restricted_accepts(world),
    );
    report.case("CNI off again: the node agent is gone", || off_again(world));
    stream::run(world, report);
}

/// Tells the proxies of a control plane to do without Istio's own statistics filter, which a plain
/// Envoy does not have.
pub(super) fn turn_metrics_off(world: &World, namespace: &str) -> Result<()> {
    let telemetry = json!({
        "apiVersion": "telemetry.istio.io/v1",
        "kind": "Telemetry",
        "metadata": {"name": "without-metrics", "namespace": namespace},
        "spec": {"metrics": [{
            "providers": [{"name": "prometheus"}],
            "overrides": [{"match": {"metric": "ALL_METRICS"}, "disabled": true}],
        }]},
    });
    eventually("istiod takes a Telemetry", || {
        world.cluster.apply(&telemetry).map(drop)
    })
}

fn deploy(world: &mut World) -> Result<String> {
    let shown = world.deploy()?;
    let detail = world.expect(&shown, "active", "CNI off")?;
    turn_metrics_off(world, MODEL)?;
    let injected = json!({"istio-injection": "enabled"});
    world.namespace(SHOP, &injected)?;
    world.namespace(
        STRICT,
        &json!({"istio-injection": "enabled", "pod-security.kubernetes.io/enforce": "restricted"}),
    )?;
    world.namespace(OUTSIDE, &json!({}))?;
    Ok(detail)
}

fn off(world: &World) -> Result<String> {
    let pod = world.create_ready(SHOP, "off")?;
    ensure!(
        init_container(&pod, "istio-validation").is_none(),
        "{}",
        pod["spec"]
    );
    let Some(init) = init_container(&pod, "istio-init") else {
        bail!("there is no istio-init: {}", pod["spec"]);
    };
    let added = &init["securityContext"]["capabilities"]["add"];
    ensure!(
        *added == json!(["NET_ADMIN", "NET_RAW"]),
        "istio-init adds {added}"
    );
    world.must_redirect(SHOP, "off")?;
    Ok(String::new())
}

fn restricted_refuses(world: &World) -> Result<String> {
    match world.create(STRICT, "refused") {
        Ok(()) => bail!("the pod was accepted"),
        Err(error) => {
            let text = format!("{error:#}");
            ensure!(text.contains("violates PodSecurity"), "{text}");
            ensure!(text.contains("NET_ADMIN"), "{text}");
            Ok(String::new())
        }
    }
}

fn wrong_path(world: &mut World) -> Result<String> {
    let configuration = world.node.plugin_configuration().display().to_string();
    let shown = world.configure(&[
        ("cni-bin-dir", "/no/such/folder"),
        ("cni-conf-dir", &configuration),
    ])?;
    let detail = world.expect(&shown, "blocked", "/no/such/folder")?;
    ensure!(detail.contains("node1"), "{detail}");
    ensure!(
        !Path::new("/no/such/folder").exists(),
        "the folder was made"
    );
    let pod = world.create_ready(SHOP, "meanwhile")?;
    ensure!(
        init_container(&pod, "istio-init").is_some(),
        "{}",
        pod["spec"]
    );
    Ok(detail)
}

fn right_path(world: &mut World) -> Result<String> {
    let plugins = world.node.plugins();
    world.switch_on(&plugins)
}

fn on(world: &World) -> Result<String> {
    let pod = world.create_ready(SHOP, "on")?;
    ensure!(
        init_container(&pod, "istio-init").is_none(),
        "{}",
        pod["spec"]
    );
    ensure!(
        init_container(&pod, "istio-validation").is_some(),
        "{}",
        pod["spec"]
    );
    for kind in ["initContainers", "containers"] {
        for container in pod["spec"][kind].as_array().into_iter().flatten() {
            let capabilities = &container["securityContext"]["capabilities"];
            ensure!(
                capabilities["drop"] == json!(["ALL"]) && capabilities["add"] == Value::Null,
                "{} has {capabilities}",
                container["name"]
            );
        }
    }
    world.must_redirect(SHOP, "on")?;
    Ok(String::new())
}

fn mutual_tls(world: &World) -> Result<String> {
    world
        .cluster
        .apply(&json!({"apiVersion": "v1", "kind": "List", "items": [
            {
                "apiVersion": "security.istio.io/v1", "kind": "PeerAuthentication",
                "metadata": {"name": "strict", "namespace": SHOP},
                "spec": {"mtls": {"mode": "STRICT"}},
            },
            {
                "apiVersion": "v1", "kind": "Service",
                "metadata": {"name": "server", "namespace": SHOP},
                "spec": {"selector": {"app": "server"}, "ports": [{"name": "http", "port": 8080}]},
            },
        ]}))?;
    let pods = [(SHOP, "server"), (SHOP, "client"), (OUTSIDE, "stranger")];
    for (namespace, name) in pods {
        world.create(namespace, name)?;
    }
    for (namespace, name) in pods {
        world.wait_ready(namespace, name)?;
    }
    let url = &format!("http://server.{SHOP}:8080/");
    let answer = eventually("the client has an answer", || {
        world.fetch(SHOP, "client", url)
    })?;
    ensure!(answer == "hello\n", "the answer was {answer:?}");
    // Without a sidecar it cannot prove who it is.
    let refused = eventually("a pod outside of the mesh is refused", || {
        match world.fetch(OUTSIDE, "stranger", url) {
            Ok(answer) => bail!("it has the answer {answer:?}"),
            Err(error) => Ok(format!("{error:#}")),
        }
    })?;
    ensure!(refused.contains("reset by peer"), "{refused}");
    Ok(String::new())
}

fn restricted_accepts(world: &World) -> Result<String> {
    world.create_ready(STRICT, "accepted")?;
    world.must_redirect(STRICT, "accepted")?;
    Ok(String::new())
}

fn off_again(world: &mut World) -> Result<String> {
    for namespace in [SHOP, STRICT, OUTSIDE] {
        world.delete_pods(namespace)?;
    }
    let detail = world.switch_off()?;
    let left = world.cluster.kubectl(&[
        "get",
        "daemonsets,pods,configmaps,serviceaccounts,clusterroles,clusterrolebindings",
        "--namespace",
        MODEL,
        "--selector=k8s-app=istio-cni-node",
        "--output=name",
    ])?;
    ensure!(left.is_empty(), "left: {left}");
    let configuration = world.node.plugin_configuration().join("10-pods.conflist");
    let text = std::fs::read_to_string(configuration)?;
    ensure!(
        !text.contains("istio-cni"),
        "the plugin is still configured: {text}"
    );
    let pod = world.create_ready(SHOP, "off-again")?;
    ensure!(
        init_container(&pod, "istio-init").is_some(),
        "{}",
        pod["spec"]
    );
    world.clear(SHOP)?;
    Ok(detail)
}

//! What the charm promises, case by case.

use std::path::Path;

use anyhow::{Result, bail, ensure};
use charm_world::{World, eventually};
use serde_json::{Value, json};

use super::report::Report;
use super::site::{MODEL, Site, init_container};
use super::stream;

/// A namespace with injection.
const SHOP: &str = "shop";
/// A namespace with injection and the strictest Pod Security level.
const STRICT: &str = "strict";
/// A namespace without injection.
const OUTSIDE: &str = "outside";

/// Runs all cases; the charm is switched off at the end.
pub(super) fn run(site: &mut Site, report: &mut Report) {
    report.case("the charm deploys the control plane", || deploy(site));
    report.case("CNI off: pods get istio-init and become Ready", || {
        off(site)
    });
    report.case(
        "CNI off: Pod Security restricted refuses injected pods",
        || restricted_refuses(site),
    );
    report.case(
        "a path that the node does not have blocks, naming the node",
        || wrong_path(site),
    );
    report.case("the path put right switches the CNI on", || {
        right_path(site)
    });
    report.case(
        "CNI on: pods get istio-validation without any capability",
        || on(site),
    );
    report.case("CNI on: two injected pods speak mutual TLS", || {
        mutual_tls(site)
    });
    report.case(
        "CNI on: Pod Security restricted accepts injected pods",
        || restricted_accepts(site),
    );
    report.case("CNI off again: the node agent is gone", || off_again(site));
    stream::run(site, report);
}

/// Tells the proxies of a control plane to do without Istio's own statistics filter, which a plain
/// Envoy does not have: all in the mesh with this root namespace, or those in it with a label.
pub(super) fn turn_metrics_off(
    world: &World,
    namespace: &str,
    label: Option<(&str, &str)>,
) -> Result<()> {
    let mut telemetry = json!({
        "apiVersion": "telemetry.istio.io/v1",
        "kind": "Telemetry",
        "metadata": {"name": "without-metrics", "namespace": namespace},
        "spec": {"metrics": [{
            "providers": [{"name": "prometheus"}],
            "overrides": [{"match": {"metric": "ALL_METRICS"}, "disabled": true}],
        }]},
    });
    if let Some((label, value)) = label {
        telemetry["spec"]["selector"] = json!({"matchLabels": {label: value}});
    }
    eventually("istiod takes a Telemetry", || world.apply(&telemetry))
}

fn deploy(site: &mut Site) -> Result<String> {
    let detail = site.deploy("active: CNI off")?;
    turn_metrics_off(&site.world, MODEL, None)?;
    let injected = json!({"istio-injection": "enabled"});
    site.namespace(SHOP, &injected)?;
    site.namespace(
        STRICT,
        &json!({"istio-injection": "enabled", "pod-security.kubernetes.io/enforce": "restricted"}),
    )?;
    site.namespace(OUTSIDE, &json!({}))?;
    Ok(detail)
}

fn off(site: &Site) -> Result<String> {
    let pod = site.create_ready(SHOP, "off")?;
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
    site.must_redirect(SHOP, "off")?;
    Ok(String::new())
}

fn restricted_refuses(site: &Site) -> Result<String> {
    match site.create(STRICT, "refused") {
        Ok(()) => bail!("the pod was accepted"),
        Err(error) => {
            let text = format!("{error:#}");
            ensure!(text.contains("violates PodSecurity"), "{text}");
            ensure!(text.contains("NET_ADMIN"), "{text}");
            Ok(String::new())
        }
    }
}

fn wrong_path(site: &mut Site) -> Result<String> {
    let missing = Path::new("/no/such/folder");
    let detail = site.configure(
        [missing, &site.node.plugin_configuration()],
        "blocked: cni-bin-dir /no/such/folder does not exist on node1; injection stays at \
         istio-init",
    )?;
    ensure!(!missing.exists(), "the folder was made");
    let pod = site.create_ready(SHOP, "meanwhile")?;
    ensure!(
        init_container(&pod, "istio-init").is_some(),
        "{}",
        pod["spec"]
    );
    Ok(detail)
}

fn right_path(site: &mut Site) -> Result<String> {
    let plugins = site.node.plugins();
    site.switch_on(&plugins)
}

fn on(site: &Site) -> Result<String> {
    let pod = site.create_ready(SHOP, "on")?;
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
    site.must_redirect(SHOP, "on")?;
    Ok(String::new())
}

fn mutual_tls(site: &Site) -> Result<String> {
    site.world.apply(&json!({
        "apiVersion": "security.istio.io/v1", "kind": "PeerAuthentication",
        "metadata": {"name": "strict", "namespace": SHOP},
        "spec": {"mtls": {"mode": "STRICT"}},
    }))?;
    site.world.apply(&json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {"name": "server", "namespace": SHOP},
        "spec": {"selector": {"app": "server"}, "ports": [{"name": "http", "port": 8080}]},
    }))?;
    let pods = [(SHOP, "server"), (SHOP, "client"), (OUTSIDE, "stranger")];
    for (namespace, name) in pods {
        site.create(namespace, name)?;
    }
    for (namespace, name) in pods {
        site.wait_ready(namespace, name)?;
    }
    let url = &format!("http://server.{SHOP}:8080/");
    let answer = eventually("the client has an answer", || {
        site.fetch(SHOP, "client", url)
    })?;
    ensure!(answer == "hello\n", "the answer was {answer:?}");
    // Without a sidecar it cannot prove who it is.
    let refused = eventually("a pod outside of the mesh is refused", || {
        match site.fetch(OUTSIDE, "stranger", url) {
            Ok(answer) => bail!("it has the answer {answer:?}"),
            Err(error) => Ok(format!("{error:#}")),
        }
    })?;
    ensure!(refused.contains("reset by peer"), "{refused}");
    Ok(String::new())
}

fn restricted_accepts(site: &Site) -> Result<String> {
    site.create_ready(STRICT, "accepted")?;
    site.must_redirect(STRICT, "accepted")?;
    Ok(String::new())
}

fn off_again(site: &mut Site) -> Result<String> {
    for namespace in [SHOP, STRICT, OUTSIDE] {
        site.delete_pods(namespace)?;
    }
    let detail = site.switch_off()?;
    let left = site.world.kubectl(
        "get daemonsets,pods,configmaps,serviceaccounts,clusterroles,clusterrolebindings \
         --selector=k8s-app=istio-cni-node --output=name",
    )?;
    ensure!(left.is_empty(), "left: {left}");
    let configuration = site.node.plugin_configuration().join("10-pods.conflist");
    let text = std::fs::read_to_string(configuration)?;
    ensure!(
        !text.contains("istio-cni"),
        "the plugin is still configured: {text}"
    );
    let pod = site.create_ready(SHOP, "off-again")?;
    ensure!(
        init_container(&pod, "istio-init").is_some(),
        "{}",
        pod["spec"]
    );
    site.clear(SHOP)?;
    Ok(detail)
}

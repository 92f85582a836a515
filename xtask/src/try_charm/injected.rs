//! What a new pod gets from the injection configuration that is in the cluster.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::{Value, json};
use test_cluster::TestCluster;

use crate::workspace::show as print;

/// Shows the init containers that istioctl adds to a pod, with what they may do.
///
/// istioctl runs the same code as istiod's webhook, which no simulated pod can serve.
pub(super) fn show(cluster: &TestCluster, namespace: &str) -> Result<()> {
    print(
        "\n$ istioctl kube-inject --filename pod.yaml    # with the configuration in the cluster",
    )?;
    let pod = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "app", "namespace": "default"},
        "spec": {"containers": [{"name": "app", "image": "example.test/app:1"}]},
    });
    let pod = inject(cluster, namespace, &pod)?;
    let containers = pod["spec"]["initContainers"].as_array();
    for container in containers.map(Vec::as_slice).unwrap_or_default() {
        let security = &container["securityContext"];
        print(&format!(
            "init container {}: adds {}, drops {}, runs as user {}",
            container["name"].as_str().unwrap_or_default(),
            list(&security["capabilities"]["add"]),
            list(&security["capabilities"]["drop"]),
            security["runAsUser"],
        ))?;
    }
    Ok(())
}

fn list(capabilities: &Value) -> String {
    let names: Vec<&str> = capabilities
        .as_array()
        .map(|names| names.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    if names.is_empty() {
        "no capability".to_owned()
    } else {
        names.join(" and ")
    }
}

/// A pod with what the injection configuration of a control plane's namespace adds to it.
///
/// # Errors
/// When there is no such configuration, or istioctl fails.
pub(crate) fn inject(cluster: &TestCluster, namespace: &str, pod: &Value) -> Result<Value> {
    let folder = cluster.folder().join("injection");
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("pod.yaml"), pod.to_string())?;
    let injector = cluster.get(&format!("configmap istio-sidecar-injector -n {namespace}"))?;
    let mesh = cluster.get(&format!("configmap istio -n {namespace}"))?;
    let file = |name: &str, content: &Value| -> Result<String> {
        let path = folder.join(name);
        let text = content
            .as_str()
            .with_context(|| format!("the cluster has no {name}"))?;
        fs::write(&path, text)?;
        Ok(path.display().to_string())
    };
    let injected = cluster.istioctl(&[
        "kube-inject",
        "--filename",
        &display(&folder.join("pod.yaml")),
        "--injectConfigFile",
        &file("config", &injector["data"]["config"])?,
        "--valuesFile",
        &file("values", &injector["data"]["values"])?,
        "--meshConfigFile",
        &file("mesh", &mesh["data"]["mesh"])?,
    ])?;
    // It prints a stream of documents.
    let pod = serde_yaml::Deserializer::from_str(&injected).next();
    let pod = pod.context("istioctl printed nothing")?;
    Value::deserialize(pod).context("istioctl printed something that is not YAML")
}

fn display(path: &Path) -> String {
    path.display().to_string()
}

//! A cluster with a real node, and the charm on it.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail, ensure};
use juju_sim::{Deployment, Model, ModelOptions};
use serde_json::{Value, json};
use test_cluster::{NodeImages, Options, RealNode, TestCluster};

/// The model's name, and so the namespace of the control plane.
pub(super) const MODEL: &str = "mesh";
/// The application's name.
pub(super) const APPLICATION: &str = "istio-pilot";
/// How long a pod may take to become Ready, or to end.
const PATIENCE: Duration = Duration::from_secs(60);

/// The cluster, the node and the model.
pub(super) struct World {
    pub(super) model: Model,
    pub(super) node: &'static RealNode<'static>,
    pub(super) cluster: &'static TestCluster,
    charm: PathBuf,
}

impl World {
    /// Starts the cluster with its node, from what was prepared in `folder`; the model is empty.
    pub(super) fn start(folder: &Path) -> Result<Self> {
        let options = Options {
            real_node: true,
            ..Options::default()
        };
        // Both end with the enclosure, which ends with this process.
        let cluster: &'static TestCluster = Box::leak(Box::new(TestCluster::start(&options)?));
        let node = RealNode::start(cluster, &folder.join(super::IMAGES))?;
        let node: &'static RealNode<'static> = Box::leak(Box::new(node));
        let options = ModelOptions::named(MODEL)
            .on_cluster(cluster.kubeconfig())
            .program(folder.join(super::JUJU))
            .hook_retries(0);
        Ok(Self {
            model: Model::new(options)?,
            node,
            cluster,
            charm: folder.join(super::CHARM),
        })
    }

    /// `juju deploy --trust`, and what follows from it.
    pub(super) fn deploy(&mut self) -> Result<(String, String)> {
        let deployment = Deployment::of(&self.charm).named(APPLICATION).trusted();
        self.model.deploy(deployment)?;
        self.settle()
    }

    /// `juju config`, and what follows from it.
    pub(super) fn configure(&mut self, values: &[(&str, &str)]) -> Result<(String, String)> {
        self.model.set_config(APPLICATION, values)?;
        self.settle()
    }

    /// Switches the node agent on, with one of the folders that the runtime knows.
    pub(super) fn switch_on(&mut self, plugins: &Path) -> Result<String> {
        let configuration = self.node.plugin_configuration();
        let shown = self.configure(&[
            ("cni-bin-dir", &plugins.display().to_string()),
            ("cni-conf-dir", &configuration.display().to_string()),
        ])?;
        self.expect(&shown, "active", "CNI on (1/1 nodes)")
    }

    /// Switches the node agent off.
    pub(super) fn switch_off(&mut self) -> Result<String> {
        let shown = self.configure(&[("cni-bin-dir", ""), ("cni-conf-dir", "")])?;
        self.expect(&shown, "active", "CNI off")
    }

    /// Runs all hooks that are due; none may fail. The answer is what `juju status` shows.
    pub(super) fn settle(&mut self) -> Result<(String, String)> {
        let settled = self.model.settle()?;
        if !settled.in_error.is_empty() {
            let last = self.model.dispatches().last();
            bail!("a hook failed: {:?}", last.map(|it| &it.stderr));
        }
        let status = self.model.status();
        let unit = status.units.first().context("there is no unit")?;
        Ok((unit.workload.status.clone(), unit.message.clone()))
    }

    /// Fails unless the unit shows a status, with a text in its message.
    pub(super) fn expect(
        &self,
        shown: &(String, String),
        status: &str,
        text: &str,
    ) -> Result<String> {
        let (name, message) = shown;
        if name == status && message.contains(text) {
            return Ok(format!("juju status: {name}, {message}"));
        }
        let log: Vec<String> = self
            .model
            .debug_log()
            .iter()
            .map(ToString::to_string)
            .collect();
        let tail = log[log.len().saturating_sub(10)..].join("\n");
        bail!("juju status: {name}, {message}; expected {status}, {text}\n{tail}");
    }

    /// Makes a namespace with labels.
    pub(super) fn namespace(&self, name: &str, labels: &Value) -> Result<()> {
        self.cluster.apply(&json!({
            "apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": name, "labels": labels},
        }))?;
        // A pod is refused until its namespace has its default service account.
        let account = ["get", "serviceaccount", "default", "--namespace", name];
        eventually("the namespace is ready", || {
            self.cluster.kubectl(&account).map(drop)
        })
    }

    /// Creates a pod of the test application.
    pub(super) fn create(&self, namespace: &str, name: &str) -> Result<()> {
        create(self.cluster, namespace, name)
    }

    /// Creates a pod and waits until it is Ready.
    pub(super) fn create_ready(&self, namespace: &str, name: &str) -> Result<Value> {
        self.create(namespace, name)?;
        self.wait_ready(namespace, name)
    }

    /// Waits until a pod is Ready.
    pub(super) fn wait_ready(&self, namespace: &str, name: &str) -> Result<Value> {
        eventually(&format!("pod {name} is Ready"), || {
            let pod = self.cluster.get(&["pod", name, "--namespace", namespace])?;
            if is_ready(&pod) {
                return Ok(pod);
            }
            bail!("{}", pod["status"]);
        })
    }

    /// Deletes all pods of a namespace and waits until they are gone.
    pub(super) fn clear(&self, namespace: &str) -> Result<()> {
        let all = ["delete", "pods", "--all", "--namespace", namespace];
        self.cluster.kubectl(&all).map(drop)
    }

    /// Deletes all pods of a namespace, and does not wait until they are gone.
    pub(super) fn delete_pods(&self, namespace: &str) -> Result<()> {
        let all = [
            "delete",
            "pods",
            "--all",
            "--namespace",
            namespace,
            "--wait=false",
        ];
        self.cluster.kubectl(&all).map(drop)
    }

    /// Fails unless a pod's network namespace redirects its traffic to the proxy.
    pub(super) fn must_redirect(&self, namespace: &str, pod: &str) -> Result<()> {
        must_redirect(self.node, namespace, pod)
    }

    /// Runs wget in a pod's own container.
    pub(super) fn fetch(&self, namespace: &str, pod: &str, url: &str) -> Result<String> {
        let exec = [
            "exec",
            "--namespace",
            namespace,
            pod,
            "--container=app",
            "--",
        ];
        // Its own time limit makes Debian's busybox crash.
        let wget = ["timeout", "5", "wget", "-q", "-O-", url];
        self.cluster.kubectl(&[&exec[..], &wget[..]].concat())
    }
}

/// Tries until it works.
pub(super) fn eventually<T>(what: &str, mut attempt: impl FnMut() -> Result<T>) -> Result<T> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match attempt() {
            Ok(value) => return Ok(value),
            Err(error) if Instant::now() > deadline => {
                return Err(anyhow!(
                    "waited {} s until {what}: {error:#}",
                    PATIENCE.as_secs()
                ));
            }
            Err(_) => thread::sleep(Duration::from_millis(200)),
        }
    }
}

/// Creates a pod of the test application.
pub(super) fn create(cluster: &TestCluster, namespace: &str, name: &str) -> Result<()> {
    let pod = application(namespace, name).to_string();
    cluster
        .kubectl_with_input(&["create", "--filename=-"], &pod)
        .map(drop)
}

/// Deletes a pod, and does not wait until it is gone.
pub(super) fn delete(cluster: &TestCluster, namespace: &str, name: &str) -> Result<()> {
    let arguments = [
        "delete",
        "pod",
        name,
        "--namespace",
        namespace,
        "--wait=false",
    ];
    cluster.kubectl(&arguments).map(drop)
}

/// Fails unless a pod's network namespace redirects its traffic to the proxy.
pub(super) fn must_redirect(node: &RealNode<'_>, namespace: &str, pod: &str) -> Result<()> {
    let rules = node.translation_rules(namespace, pod)?;
    for chain in [
        "-A PREROUTING -p tcp -j ISTIO_INBOUND",
        "-A OUTPUT -j ISTIO_OUTPUT",
    ] {
        ensure!(
            rules.contains(chain),
            "pod {pod} has no rule {chain}: {rules}"
        );
    }
    Ok(())
}

/// Whether a pod is Ready.
pub(super) fn is_ready(pod: &Value) -> bool {
    let conditions = pod["status"]["conditions"].as_array();
    conditions
        .into_iter()
        .flatten()
        .any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
}

/// An init container of a pod.
pub(super) fn init_container<'a>(pod: &'a Value, name: &str) -> Option<&'a Value> {
    let containers = pod["spec"]["initContainers"].as_array();
    containers?
        .iter()
        .find(|container| container["name"] == name)
}

/// A web server that asks for as little as Pod Security's level `restricted` wants.
fn application(namespace: &str, name: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": {"app": name},
            // Many of them have to fit on a small machine.
            "annotations": {
                "sidecar.istio.io/proxyCPU": "1m",
                "sidecar.istio.io/proxyMemory": "16Mi",
            },
        },
        "spec": {
            "terminationGracePeriodSeconds": 1,
            "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [{
                "name": "app",
                "image": NodeImages::APPLICATION,
                "securityContext": {
                    "allowPrivilegeEscalation": false,
                    "capabilities": {"drop": ["ALL"]},
                    "runAsNonRoot": true,
                    "runAsUser": 65534,
                },
            }],
        },
    })
}

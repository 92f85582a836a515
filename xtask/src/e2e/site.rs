//! A cluster with a real node, and the charm on it.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Result, bail, ensure};
use charm_world::{Charm, World, eventually};
use juju_sim::ModelOptions;
use serde_json::{Value, json};
use test_cluster::{NodeImages, Options, RealNode, TestCluster};

/// The model's name, and so the namespace of the control plane.
pub(super) const MODEL: &str = "mesh";
/// The application's name.
const APPLICATION: &str = "istio-pilot";

/// The charm on a cluster with a real node.
pub(super) struct Site {
    pub(super) world: World,
    pub(super) node: &'static RealNode<'static>,
}

impl Site {
    /// Starts the cluster with its node, from what was prepared in `folder`; the model is empty.
    pub(super) fn start(folder: &Path) -> Result<Self> {
        let options = Options {
            real_node: true,
            ..Options::default()
        };
        let cluster = TestCluster::start(&options)?;
        let model = ModelOptions::named(MODEL).program(folder.join(super::JUJU));
        let charm = Charm::packed(folder.join(super::CHARM));
        let world = World::new(model, cluster, APPLICATION, charm)?;
        // Both end with the enclosure, which ends with this process.
        let cluster: &'static TestCluster = Box::leak(Box::new(Arc::clone(&world.cluster)));
        let node = RealNode::start(cluster, &folder.join(super::IMAGES))?;
        let node: &'static RealNode<'static> = Box::leak(Box::new(node));
        Ok(Self { world, node })
    }

    /// `juju deploy --trust`. Fails unless it ends with this status.
    pub(super) fn deploy(&mut self, expected: &str) -> Result<String> {
        let shown = self.world.deploy()?;
        self.check(&shown, expected)
    }

    /// `juju config`. Fails unless it ends with this status.
    pub(super) fn configure(&mut self, paths: [&Path; 2], expected: &str) -> Result<String> {
        let [plugins, configuration] = paths.map(|path| path.display().to_string());
        let shown = self
            .world
            .configure(&[("cni-bin-dir", &plugins), ("cni-conf-dir", &configuration)])?;
        self.check(&shown, expected)
    }

    /// Switches the node agent on, with one of the folders that the runtime knows.
    pub(super) fn switch_on(&mut self, plugins: &Path) -> Result<String> {
        let configuration = self.node.plugin_configuration();
        self.configure([plugins, &configuration], "active: CNI on (1/1 nodes)")
    }

    /// Switches the node agent off.
    pub(super) fn switch_off(&mut self) -> Result<String> {
        self.configure([Path::new(""); 2], "active: CNI off")
    }

    fn check(&self, shown: &str, expected: &str) -> Result<String> {
        ensure!(
            shown == expected,
            "juju status: {shown}; expected {expected}\n{}",
            self.world.log()
        );
        Ok(format!("juju status: {shown}"))
    }

    /// Makes a namespace with labels.
    pub(super) fn namespace(&self, name: &str, labels: &Value) -> Result<()> {
        self.world.apply(&json!({
            "apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": name, "labels": labels},
        }))?;
        // A pod is refused until its namespace has its default service account.
        eventually("the namespace is ready", || {
            self.world.get(&format!("serviceaccount default -n {name}"))
        })
        .map(drop)
    }

    /// Creates a pod of the test application.
    pub(super) fn create(&self, namespace: &str, name: &str) -> Result<()> {
        create(&self.world.cluster, namespace, name)
    }

    /// Creates a pod and waits until it is Ready.
    pub(super) fn create_ready(&self, namespace: &str, name: &str) -> Result<Value> {
        self.create(namespace, name)?;
        self.wait_ready(namespace, name)
    }

    /// Waits until a pod is Ready.
    pub(super) fn wait_ready(&self, namespace: &str, name: &str) -> Result<Value> {
        eventually(&format!("pod {name} is Ready"), || {
            let pod = self.world.get(&format!("pod {name} -n {namespace}"))?;
            if is_ready(&pod) {
                return Ok(pod);
            }
            bail!("{}", pod["status"]);
        })
    }

    /// Deletes all pods of a namespace and waits until they are gone.
    pub(super) fn clear(&self, namespace: &str) -> Result<()> {
        let all = format!("delete pods --all -n {namespace}");
        self.world.kubectl(&all).map(drop)
    }

    /// Deletes all pods of a namespace, and does not wait until they are gone.
    pub(super) fn delete_pods(&self, namespace: &str) -> Result<()> {
        let all = format!("delete pods --all -n {namespace} --wait=false");
        self.world.kubectl(&all).map(drop)
    }

    /// Fails unless a pod's network namespace redirects its traffic to the proxy.
    pub(super) fn must_redirect(&self, namespace: &str, pod: &str) -> Result<()> {
        must_redirect(self.node, namespace, pod)
    }

    /// Runs wget in a pod's own container.
    pub(super) fn fetch(&self, namespace: &str, pod: &str, url: &str) -> Result<String> {
        // Its own time limit makes Debian's busybox crash.
        let wget = format!("timeout 5 wget -q -O- {url}");
        self.world.kubectl(&format!(
            "exec -n {namespace} {pod} --container=app -- {wget}"
        ))
    }
}

/// Creates a pod of the test application.
pub(super) fn create(cluster: &TestCluster, namespace: &str, name: &str) -> Result<()> {
    let pod = application(namespace, name);
    cluster
        .kubectl_with_input("create --filename=-", &pod)
        .map(drop)
}

/// Deletes a pod, and does not wait until it is gone.
pub(super) fn delete(cluster: &TestCluster, namespace: &str, name: &str) -> Result<()> {
    let line = format!("delete pod {name} -n {namespace} --wait=false");
    cluster.kubectl(&line).map(drop)
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
fn application(namespace: &str, name: &str) -> String {
    format!(
        r#"
        apiVersion: v1
        kind: Pod
        metadata:
          name: "{name}"
          namespace: "{namespace}"
          labels: {{app: "{name}"}}
          annotations:
            # Many of them have to fit on a small machine.
            sidecar.istio.io/proxyCPU: 1m
            sidecar.istio.io/proxyMemory: 16Mi
        spec:
          terminationGracePeriodSeconds: 1
          securityContext:
            seccompProfile: {{type: RuntimeDefault}}
          containers:
          - name: app
            image: {}
            securityContext:
              allowPrivilegeEscalation: false
              capabilities: {{drop: [ALL]}}
              runAsNonRoot: true
              runAsUser: 65534
        "#,
        NodeImages::APPLICATION
    )
}

//! A large cluster, and what runs on it.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value, json};
use test_cluster::{Options, TestCluster};

use super::super::MODEL;
use crate::try_charm::injected::inject;
use crate::workspace::say;

/// How much there is of everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size {
    pub(super) nodes: u16,
    pub(super) workloads: usize,
    pub(super) pods: usize,
    pub(super) virtual_services: usize,
}

impl Size {
    /// So many percent of the whole, and at least a little.
    pub(crate) fn percent(percent: u16) -> Self {
        let part = |whole: usize| (whole * usize::from(percent) / 100).max(NAMESPACES);
        Self {
            nodes: (5 * percent).max(1),
            workloads: part(500),
            pods: 10 * part(500),
            virtual_services: part(2000),
        }
    }
}

/// Over how many namespaces everything is spread.
const NAMESPACES: usize = 10;
/// How many objects one command creates. kubectl slows down when it sends more.
const AT_ONCE: usize = 250;
/// How many environment variables an application has. With them its pods have the size of real ones.
const VARIABLES: usize = 24;
/// How many images a node has; the default of kubelet.
const IMAGES: usize = 50;
/// How long all pods may take to run.
const PATIENCE: Duration = Duration::from_secs(1800);

/// Records only what the charm asks, and what finds the end of the record: the simulated kubelets
/// ask too much.
const AUDIT_POLICY: &str = "\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Metadata
  userGroups: ['system:serviceaccounts']
- level: Metadata
  nonResourceURLs: ['/version*']
- level: None
";

/// Starts a cluster with all of its nodes.
///
/// # Errors
/// As [`TestCluster::start`].
pub(super) fn start(size: Size) -> Result<TestCluster> {
    // The program reads it when it starts.
    let mut policy = tempfile::NamedTempFile::new()?;
    std::io::Write::write_all(&mut policy, AUDIT_POLICY.as_bytes())?;
    TestCluster::start(&Options {
        nodes: size.nodes,
        audit: true,
        api_server_flags: vec![format!("--audit-policy-file={}", policy.path().display())],
        ..Options::default()
    })
}

/// The cluster when the charm is deployed.
pub(super) struct Site {
    size: Size,
    cluster: Arc<TestCluster>,
}

impl Site {
    pub(super) fn new(size: Size, cluster: Arc<TestCluster>) -> Self {
        Self { size, cluster }
    }

    pub(super) fn workloads(&self) -> usize {
        self.size.workloads
    }

    /// Gives the nodes as many images as real ones have.
    pub(super) fn add_images(&self) -> Result<()> {
        say("giving the nodes images");
        let images: Vec<Value> = (0..IMAGES).map(image).collect();
        let nodes = (1..=self.size.nodes).map(|number| {
            json!({
                "apiVersion": "v1", "kind": "Node", "metadata": {"name": format!("node{number}")},
                "status": {"images": images},
            })
        });
        self.send("apply --server-side --subresource=status -f -", nodes)
    }

    /// Creates namespaces, and `VirtualService`s in them.
    pub(super) fn add_virtual_services(&self) -> Result<()> {
        let number = self.size.virtual_services;
        say(&format!("creating {number} VirtualServices"));
        let namespaces = (0..NAMESPACES).map(|index| {
            let name = namespace(index);
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        });
        self.create(namespaces)?;
        self.create((0..number).map(virtual_service))
    }

    /// Creates Deployments of pods as istiod would inject them, without replicas.
    pub(super) fn add_workloads(&self) -> Result<()> {
        let number = self.size.workloads;
        say(&format!("creating {number} workloads"));
        let injected = inject(&self.cluster, MODEL, &application())?;
        self.create((0..number).map(|index| deployment(index, &injected)))
    }

    /// Has so many pods run, and waits until they do.
    pub(super) fn scale_to(&self, pods: usize) -> Result<()> {
        say(&format!("waiting for {pods} pods"));
        let replicas = pods / self.size.workloads;
        for namespace in (0..NAMESPACES).map(namespace) {
            let scale = format!("scale deployment --all --replicas={replicas} -n {namespace}");
            self.cluster.kubectl(&scale)?;
        }
        let deadline = Instant::now() + PATIENCE;
        let mut said = Instant::now();
        loop {
            let ready = self.ready()?;
            if ready == pods {
                return Ok(());
            }
            ensure!(Instant::now() < deadline, "only {ready} pods are ready");
            if said.elapsed() > Duration::from_secs(15) {
                say(&format!("  {ready} are ready"));
                said = Instant::now();
            }
            thread::sleep(Duration::from_secs(2));
        }
    }

    /// How many pods are ready, as their Deployments say.
    fn ready(&self) -> Result<usize> {
        let mut sum = 0;
        for namespace in (0..NAMESPACES).map(namespace) {
            let list = self.cluster.kubectl(&format!(
                "get deployments -n {namespace} -o jsonpath='{{.items[*].status.readyReplicas}}'"
            ))?;
            for number in list.split_whitespace() {
                sum += number.parse::<usize>()?;
            }
        }
        Ok(sum)
    }

    /// How large a pod is in a list, in bytes.
    pub(super) fn bytes_of_pod(&self) -> Result<usize> {
        let namespace = namespace(0);
        let path = format!("/api/v1/namespaces/{namespace}/pods?limit=1");
        let list: Value =
            serde_json::from_str(&self.cluster.kubectl(&format!("get --raw {path}"))?)?;
        let pod = list.pointer("/items/0").context("there is no pod")?;
        Ok(pod.to_string().len())
    }

    fn create(&self, objects: impl Iterator<Item = Value>) -> Result<()> {
        self.send("create --validate=false -f -", objects)
    }

    /// Has kubectl do something with objects.
    fn send(&self, line: &str, objects: impl Iterator<Item = Value>) -> Result<()> {
        let objects: Vec<Value> = objects.collect();
        for part in objects.chunks(AT_ONCE) {
            let list = json!({"apiVersion": "v1", "kind": "List", "items": part});
            self.cluster.kubectl_with_input(line, &list.to_string())?;
        }
        Ok(())
    }
}

fn namespace(index: usize) -> String {
    format!("team-{}", index % NAMESPACES)
}

fn image(index: usize) -> Value {
    let name = format!("registry.example.test/platform/component-{index}");
    let digest = "0123456789abcdef".repeat(4);
    json!({
        "names": [format!("{name}@sha256:{digest}"), format!("{name}:v1.{index}.0")],
        "sizeBytes": 100_000_000 + index,
    })
}

fn virtual_service(index: usize) -> Value {
    let host = format!("service-{index}");
    let route = |path: &str| {
        json!({
            "match": [{"uri": {"prefix": path}}],
            "rewrite": {"uri": "/"},
            "route": [{"destination": {"host": host, "port": {"number": 8080}}}],
            "timeout": "10s",
        })
    };
    let routes = ["/api/v1", "/api/v2", "/docs", "/"].map(route);
    json!({
        "apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
        "metadata": {"name": host, "namespace": namespace(index)},
        "spec": {
            "hosts": [format!("{host}.example.test")],
            "gateways": ["istio-system/istio-gateway"],
            "http": routes,
        },
    })
}

/// A pod before anything is injected.
fn application() -> Value {
    let variable = |index: usize| {
        let value = format!("https://service-{index}.example.test:8443/api/v1/resources");
        json!({"name": format!("BACKEND_{index}_URL"), "value": value})
    };
    let variables: Vec<Value> = (0..VARIABLES).map(variable).collect();
    let probe = json!({"httpGet": {"path": "/healthz", "port": 8080}, "periodSeconds": 10});
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "app",
            "namespace": namespace(0),
            "labels": {"app": "app", "app.kubernetes.io/part-of": "shop"},
            "annotations": {
                "prometheus.io/scrape": "true", "prometheus.io/port": "8080",
                "checksum/config": "0123456789abcdef".repeat(4),
            },
        },
        "spec": {"containers": [{
            "name": "app", "image": "registry.example.test/shop/app:1.0.0", "env": variables,
            "ports": [{"containerPort": 8080, "name": "http"}],
            "livenessProbe": probe, "readinessProbe": probe,
            "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}},
        }]},
    })
}

/// A workload whose template is an injected pod.
fn deployment(index: usize, injected: &Value) -> Value {
    let name = format!("workload-{index}");
    let mut labels = Map::new();
    if let Some(injected) = injected["metadata"]["labels"].as_object() {
        labels.extend(injected.clone());
    }
    for key in ["app", "service.istio.io/canonical-name"] {
        labels.insert(key.to_owned(), json!(name));
    }
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace(index)},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {
                    "labels": labels, "annotations": injected["metadata"]["annotations"],
                },
                "spec": injected["spec"],
            },
        },
    })
}

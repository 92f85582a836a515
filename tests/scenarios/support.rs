//! A model with the charm in it, on a cluster of its own.

use std::collections::BTreeMap;
use std::os::unix::fs::symlink;
use std::path::Path;

use juju_sim::{Deployment, Model, ModelOptions};
use serde_json::{Value, json};
use tempfile::TempDir;
use test_cluster::{Options, TestCluster};

/// The model's name, and so the namespace.
pub(crate) const MODEL: &str = "mesh";
/// The application's name. Not the charm's, so that a mix-up shows.
pub(crate) const APPLICATION: &str = "pilot";
/// The label value that all objects of the application carry.
pub(crate) const INSTANCE: &str = "pilot-mesh";
/// Both options, as most people set them.
pub(crate) const BOTH_PATHS: [(&str, &str); 2] = [
    ("cni-bin-dir", "/opt/cni/bin"),
    ("cni-conf-dir", "/etc/cni/net.d"),
];

/// A cluster, a model on it, and the charm's folder.
pub(crate) struct World {
    pub(crate) model: Model,
    pub(crate) cluster: TestCluster,
    charm: TempDir,
}

/// Status and message of a unit.
pub(crate) type Shown = (String, String);

impl World {
    /// An empty model on a cluster with three nodes.
    pub(crate) fn new() -> Self {
        let cluster = TestCluster::start(&Options {
            audit: true,
            ..Options::default()
        })
        .unwrap();
        Self::on(cluster)
    }

    pub(crate) fn on(cluster: TestCluster) -> Self {
        let options = ModelOptions::named(MODEL)
            .on_cluster(cluster.kubeconfig())
            .hook_retries(0);
        let mut model = Model::new(options).unwrap();
        model.set_variable("ISTIO_PILOT_ROLLOUT_TIMEOUT", "60");
        Self {
            model,
            cluster,
            charm: charm_folder(),
        }
    }

    /// A model in which the charm is deployed with trust, and has settled.
    pub(crate) fn deployed() -> Self {
        let mut world = Self::new();
        world.deploy(true);
        world
    }

    /// Deploys the charm and lets it settle.
    pub(crate) fn deploy(&mut self, trusted: bool) {
        let deployment = Deployment::of(self.charm.path()).named(APPLICATION);
        let deployment = if trusted {
            deployment.trusted()
        } else {
            deployment
        };
        self.model.deploy(deployment).unwrap();
        self.settle();
    }

    /// Deploys the charm with trust; no hook runs yet.
    pub(crate) fn deploy_without_settling(&mut self) {
        let deployment = Deployment::of(self.charm.path())
            .named(APPLICATION)
            .trusted();
        self.model.deploy(deployment).unwrap();
    }

    /// Runs all hooks that are due; none may fail.
    #[track_caller]
    pub(crate) fn settle(&mut self) {
        let settled = self.model.settle().unwrap();
        let log = || self.model.dispatches().last().map(|it| it.stderr.clone());
        assert_eq!(settled.in_error, Vec::<String>::new(), "{:?}", log());
    }

    /// `juju config`, and what follows from it.
    #[track_caller]
    pub(crate) fn configure(&mut self, values: &[(&str, &str)]) -> Shown {
        self.model.set_config(APPLICATION, values).unwrap();
        self.settle();
        self.shown()
    }

    /// `update-status`.
    #[track_caller]
    pub(crate) fn update_status(&mut self) -> Shown {
        self.model.update_status();
        self.settle();
        self.shown()
    }

    /// What `juju status` shows of the first unit.
    pub(crate) fn shown(&self) -> Shown {
        let status = self.model.status();
        let unit = &status.units[0];
        (unit.workload.status.clone(), unit.workload.message.clone())
    }

    /// Every object with the application's label, as `Kind name`, with its resource version.
    pub(crate) fn objects(&self) -> BTreeMap<String, String> {
        const KINDS: &str = "configmaps,serviceaccounts,services,deployments,daemonsets,roles,\
                             rolebindings,clusterroles,clusterrolebindings,\
                             horizontalpodautoscalers,poddisruptionbudgets,\
                             mutatingwebhookconfigurations,validatingwebhookconfigurations";
        let selector = format!("app.kubernetes.io/instance={INSTANCE}");
        let list = self
            .cluster
            .get(&[KINDS, "--namespace", MODEL, "--selector", &selector]);
        let items = list.unwrap()["items"].as_array().unwrap().clone();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let entry = |item: &Value| {
            let metadata = &item["metadata"];
            let name = format!("{} {}", text(&item["kind"]), text(&metadata["name"]));
            (name, text(&metadata["resourceVersion"]))
        };
        items.iter().map(entry).collect()
    }

    /// The names among [`World::objects`] that belong to the node agent.
    pub(crate) fn agent_objects(&self) -> Vec<String> {
        self.objects()
            .into_keys()
            .filter(|name| name.contains("istio-cni"))
            .collect()
    }

    /// Whether the injection configuration in the cluster leaves redirection to the node agent.
    pub(crate) fn injects_validation(&self) -> bool {
        let config = self.get("configmap", "istio-sidecar-injector");
        let values = config["data"]["values"].as_str().unwrap();
        let values: Value = serde_json::from_str(values).unwrap();
        let templates = config["data"]["config"].as_str().unwrap();
        let validation = templates.contains("name: istio-validation");
        assert_eq!(values["pilot"]["cni"]["enabled"], json!(validation));
        assert_ne!(templates.contains("name: istio-init"), validation);
        validation
    }

    /// One object of the model's namespace.
    #[track_caller]
    pub(crate) fn get(&self, kind: &str, name: &str) -> Value {
        self.cluster
            .get(&[kind, name, "--namespace", MODEL])
            .unwrap()
    }

    /// The directories that the node agent mounts.
    pub(crate) fn mounted(&self) -> Vec<String> {
        let daemon_set = self.get("daemonset", "istio-cni-node");
        let volumes = daemon_set["spec"]["template"]["spec"]["volumes"]
            .as_array()
            .unwrap();
        let typed = volumes
            .iter()
            .filter(|it| it["hostPath"]["type"] == "Directory");
        typed
            .filter(|it| it["hostPath"]["path"] != "/proc")
            .map(|it| it["hostPath"]["path"].as_str().unwrap().to_owned())
            .collect()
    }

    /// How many writes the charm's service account has sent, dry-runs included.
    pub(crate) fn writes(&self) -> usize {
        let user = format!("system:serviceaccount:{MODEL}:{APPLICATION}");
        let requests = self.cluster.audit_requests().unwrap();
        requests
            .iter()
            .filter(|it| it.user == user && it.is_write())
            .count()
    }

    /// The last log lines, for messages of assertions.
    pub(crate) fn log(&self) -> String {
        let lines: Vec<_> = self
            .model
            .debug_log()
            .iter()
            .map(ToString::to_string)
            .collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}

/// The status with its name.
pub(crate) fn shown(name: &str, message: &str) -> Shown {
    (name.to_owned(), message.to_owned())
}

/// Asserts a status, and that the message contains a text.
#[track_caller]
pub(crate) fn assert_says(shown: &Shown, name: &str, text: &str) {
    assert!(
        shown.0 == name && shown.1.contains(text),
        "{shown:?} is not {name} with {text:?}"
    );
}

/// Waits until something is so, and fails after 20 s.
#[track_caller]
pub(crate) fn until(what: &str, condition: impl Fn() -> bool) {
    for _ in 0..200 {
        if condition() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("waited in vain until {what}");
}

/// The charm as it is packed, with links instead of copies.
fn charm_folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let source = Path::new(env!("CARGO_MANIFEST_DIR"));
    for file in ["metadata.yaml", "config.yaml", "actions.yaml"] {
        std::fs::copy(source.join(file), folder.path().join(file)).unwrap();
    }
    symlink(
        env!("CARGO_BIN_EXE_istio-pilot"),
        folder.path().join("dispatch"),
    )
    .unwrap();
    folder
}

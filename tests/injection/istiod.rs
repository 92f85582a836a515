//! A real istiod on a real API server, once with upstream's configuration and once with ours.
//!
//! What it makes of the Gateways and of the pods is found out once for all tests.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Value, json};
use test_cluster::programs::{Module, source_folder};
use test_cluster::{Options, TestCluster};

use crate::setup::{Configuration, Setup};
use crate::{gateways, hostile, webhook};

/// What istiod made with one configuration.
pub(crate) struct Outcome {
    /// The objects of the Gateways.
    pub(crate) objects: BTreeMap<String, Value>,
    /// Gateways that it made nothing of, or not all, and what it wrote of each.
    pub(crate) refused: BTreeMap<String, String>,
    /// The pods as the API server would store them; nothing where it, or istiod, refuses one.
    pub(crate) pods: BTreeMap<String, Option<Value>>,
    /// The mesh configuration as istiod understood it, in JSON.
    pub(crate) mesh: String,
    /// What istiod wrote until it had seen everything of users who mean well.
    log: String,
    /// What it wrote then.
    log_of_hostile: String,
}

/// What istiod made for one installation.
pub(crate) struct Through {
    pub(crate) setup: Setup,
    pub(crate) upstream: Outcome,
    pub(crate) ours: Outcome,
}

/// Variables of istiod that change what it makes, besides its configuration.
const ENVIRONMENT: &[(&str, &str)] = &[
    // The one before may have ended without giving up what only one may do.
    ("ENABLE_LEADER_ELECTION", "false"),
    // All classes of Gateways.
    ("PILOT_ENABLE_AMBIENT", "true"),
    ("AMBIENT_ENABLE_MULTI_NETWORK", "true"),
    ("PILOT_ENABLE_AGENTGATEWAY", "true"),
    // It looks at a namespace for the user of its pods' proxies.
    ("PLATFORM", "openshift"),
];

/// The outcome of every setup of [`Setup::for_istiod`].
pub(crate) fn through_istiod() -> &'static [Through; 2] {
    // Once only: a test that waits in vain shall not make the others wait too.
    static ALL: LazyLock<[Through; 2]> = LazyLock::new(|| {
        let cluster = start();
        Setup::for_istiod().map(|setup| {
            let [upstream, ours] = [setup.upstream(), setup.ours()]
                .map(|configuration| run(&cluster, &setup, &configuration));
            Through {
                setup,
                upstream,
                ours,
            }
        })
    });
    &ALL
}

/// A cluster that knows Istio's kinds and those of the Gateway API.
fn start() -> TestCluster {
    let cluster = TestCluster::start(&Options {
        controllers: false,
        // Nobody makes the service accounts that it asks for.
        api_server_flags: vec!["--disable-admission-plugins=ServiceAccount".to_owned()],
        ..Options::default()
    })
    .unwrap();
    let definitions = istio_api::custom_resource_definitions().unwrap();
    cluster.apply(&list(definitions)).unwrap();
    let gateway_api = source_folder(Module::Istio, "sigs.k8s.io/gateway-api").unwrap();
    let kinds = [
        "gateways",
        "gatewayclasses",
        "httproutes",
        "grpcroutes",
        "referencegrants",
        "listenersets",
        "tcproutes",
        "tlsroutes",
        "backendtlspolicies",
    ];
    let files = kinds.map(|kind| {
        let file = format!("config/crd/standard/gateway.networking.k8s.io_{kind}.yaml");
        format!("--filename='{}'", gateway_api.join(file).display())
    });
    cluster
        .kubectl(&format!("apply --server-side {}", files.join(" ")))
        .unwrap();
    cluster
        .kubectl("wait --for=condition=Established crd --all")
        .unwrap();
    cluster
}

/// Runs istiod with a configuration until it has seen everything.
fn run(cluster: &TestCluster, setup: &Setup, configuration: &Configuration) -> Outcome {
    let namespace = setup.identity.namespace();
    let map = |name: &str, data: Value| {
        json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": name, "namespace": namespace},
            "data": data,
        })
    };
    let injector = json!({"config": configuration.config, "values": configuration.values});
    let configuration = list([
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}),
        map("istio", json!({"mesh": configuration.mesh})),
        map("istio-sidecar-injector", injector),
    ]);
    cluster.apply(&configuration).unwrap();
    let gateways = gateways::usual(namespace);
    cluster.apply(&list(gateways.iter().cloned())).unwrap();
    webhook::prepare(cluster);
    let mut environment = ENVIRONMENT.to_vec();
    // One of the two setups with native sidecars, the other without.
    let native = if setup.validates() { "true" } else { "false" };
    environment.push(("ENABLE_NATIVE_SIDECARS", native));
    let istiod = cluster.start_istiod(namespace, &environment).unwrap();
    webhook::register(cluster, &istiod);
    let mut pods = webhook::inject(cluster, webhook::usual());
    let mut refused = gateways::wait_for(&istiod, &gateways);
    let log = istiod.log();
    let gateways = hostile::gateways();
    cluster.apply(&list(gateways.iter().cloned())).unwrap();
    pods.extend(webhook::inject(cluster, hostile::pods()));
    refused.extend(gateways::wait_for(&istiod, &gateways));
    let log_of_hostile = istiod.log()[log.len()..].to_owned();
    let mesh = istiod.get("/debug/mesh").unwrap();
    webhook::unregister(cluster);
    let objects = gateways::objects(cluster);
    // It would make again what is gone.
    drop(istiod);
    gateways::delete_all(cluster);
    Outcome {
        objects,
        refused,
        pods,
        mesh,
        log,
        log_of_hostile,
    }
}

pub(crate) fn list(items: impl IntoIterator<Item = Value>) -> Value {
    let items: Vec<Value> = items.into_iter().collect();
    json!({"apiVersion": "v1", "kind": "List", "items": items})
}

/// What istiod writes when it cannot read or run a template, or use what a template gave.
const TEMPLATE_ERRORS: &[&str] = &[
    "Invalid template",
    "Failed to parse template",
    "error rendering templates",
    "failed to run injection template",
    "failed applying injection overlay",
    "failed parsing generated injected YAML",
    "injection templates are empty",
    "failed to process webhook config",
    "failed to read injection config",
    "failed to unmarshal injection template",
    "unexpected object kind",
    "update error",
];

/// The lines about templates in what istiod wrote.
fn template_errors(log: &str) -> Vec<&str> {
    log.lines()
        .filter(|line| TEMPLATE_ERRORS.iter().any(|error| line.contains(error)))
        .collect()
}

#[test]
fn istiod_has_no_trouble_with_our_templates() {
    for through in through_istiod() {
        assert_eq!(template_errors(&through.ours.log), Vec::<&str>::new());
        // It would stand here: text of a user has broken upstream's.
        assert_ne!(
            template_errors(&through.upstream.log_of_hostile),
            Vec::<&str>::new()
        );
    }
}

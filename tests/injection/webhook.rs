//! Pods through istiod's webhook: the API server asks it, as it does in every installation.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use test_cluster::{Istiod, Program, TestCluster};

use crate::capabilities::excesses;
use crate::compare::{Place, differences, reviewed};
use crate::gateways::remove;
use crate::hostile;
use crate::istiod::{Through, list, through_istiod};
use crate::workloads::{self, Workload, pod};

const OWN: &str = include_str!("webhook.yaml");

/// The annotation of every pod that was injected.
const INJECTED: &str = "/metadata/annotations/sidecar.istio.io~1status";

/// What the API server gives each pod anew.
const GIVEN: &[&str] = &[
    "/metadata/uid",
    "/metadata/creationTimestamp",
    "/metadata/managedFields",
    // Only what follows from the pod.
    "/status",
];

fn own() -> impl Iterator<Item = Value> {
    OWN.split("\n---\n")
        .map(|text| serde_yaml::from_str(text).unwrap())
}

/// The pods of the workloads, under names that tell where they are from, and this file's own.
pub(crate) fn usual() -> Vec<Value> {
    let of_workloads = workloads::all().into_iter().filter_map(|workload| {
        let template = pod(&workload.object)?;
        let namespace = &workload.object["metadata"]["namespace"];
        let mut pod = json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": template["metadata"], "spec": template["spec"],
        });
        pod["metadata"]["name"] = workload.name.replace('/', ".").trim_end_matches('-').into();
        pod["metadata"]["namespace"] = namespace.as_str().unwrap_or("default").into();
        Some(pod)
    });
    let own = own().filter(|object| object["kind"] == "Pod");
    of_workloads.chain(own).collect()
}

/// Namespace and name.
fn name_of(pod: &Value) -> String {
    let text = |key: &str| pod["metadata"][key].as_str().unwrap();
    format!("{}/{}", text("namespace"), text("name"))
}

/// Puts into the cluster what istiod looks at besides the pods.
pub(crate) fn prepare(cluster: &TestCluster) {
    let pods: Vec<Value> = usual().into_iter().chain(hostile::pods()).collect();
    let namespaces: BTreeSet<&str> = pods
        .iter()
        .filter_map(|pod| pod["metadata"]["namespace"].as_str())
        .collect();
    let namespaces = namespaces
        .iter()
        .map(|name| json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}));
    cluster.apply(&list(namespaces)).unwrap();
    let own = own().filter(|object| object["kind"] != "Pod");
    cluster.apply(&list(own)).unwrap();
}

/// Makes the API server ask istiod about every pod.
pub(crate) fn register(cluster: &TestCluster, istiod: &Istiod) {
    let webhook = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
        // istiod writes its authority into those of its revision.
        "metadata": {"name": "injector", "labels": {"istio.io/rev": "default"}},
        "webhooks": [{
            "name": "all.sidecar-injector.istio.io",
            "admissionReviewVersions": ["v1"],
            "sideEffects": "None",
            "failurePolicy": "Fail",
            "clientConfig": {"url": format!("https://{}/inject", istiod.webhook_address())},
            "rules": [{
                "apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"],
                "resources": ["pods"],
            }],
        }],
    });
    cluster.apply(&webhook).unwrap();
    wait_for_webhook(cluster, istiod);
}

/// The opposite of [`register`].
pub(crate) fn unregister(cluster: &TestCluster) {
    cluster
        .kubectl("delete mutatingwebhookconfiguration injector")
        .unwrap();
}

/// Hands every pod to the API server, which asks istiod and stores nothing.
pub(crate) fn inject(cluster: &TestCluster, pods: Vec<Value>) -> BTreeMap<String, Option<Value>> {
    let mut outcomes: BTreeMap<String, Option<Value>> =
        pods.iter().map(|pod| (name_of(pod), None)).collect();
    assert_eq!(outcomes.len(), pods.len(), "two pods have the same name");
    let (created, _) = create(cluster, pods);
    for pod in created {
        outcomes.insert(name_of(&pod), Some(pod));
    }
    outcomes
}

/// How long istiod may take to write its authority into the webhook.
const LONGEST_REGISTRATION: Duration = Duration::from_secs(60);
/// After how long the webhook is changed, so that istiod looks at it again. A write of its own that
/// failed it takes for done until then: it has changed what it remembers of the webhook before it
/// wrote (`patchMutatingWebhookConfig` in `pkg/webhooks/webhookpatch.go`, Istio 1.31).
const REMINDER: Duration = Duration::from_secs(5);

/// The API server learns of a webhook, and of its authority, a moment later.
fn wait_for_webhook(cluster: &TestCluster, istiod: &Istiod) {
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "first", "namespace": "default"},
        "spec": {"containers": [{"name": "app", "image": "app:1"}]},
    });
    let deadline = Instant::now() + LONGEST_REGISTRATION;
    let mut reminded = Instant::now();
    loop {
        let (created, refusals) = create(cluster, [pod.clone()]);
        if created
            .first()
            .is_some_and(|pod| pod.pointer(INJECTED).is_some())
        {
            return;
        }
        assert!(
            Instant::now() < deadline,
            "no pod is injected: {created:?}, {refusals}\nThe webhook:\n{}\nistiod:\n{}",
            cluster
                .kubectl("get mutatingwebhookconfiguration injector --output=yaml")
                .unwrap(),
            istiod.log(),
        );
        if reminded.elapsed() > REMINDER {
            reminded = Instant::now();
            let seconds = (deadline - reminded).as_secs();
            cluster
                .kubectl(&format!(
                    "annotate --overwrite mutatingwebhookconfiguration injector left={seconds}s"
                ))
                .unwrap();
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// The pods that the API server would store, and what kubectl says of the others.
fn create(cluster: &TestCluster, pods: impl IntoIterator<Item = Value>) -> (Vec<Value>, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pods.json");
    let pods = pods.into_iter().map(|mut pod| {
        // As the API server does it when it has service accounts; tokens need one.
        let account = &mut pod["spec"]["serviceAccountName"];
        if account.as_str().is_none_or(str::is_empty) {
            *account = "default".into();
        }
        pod
    });
    std::fs::write(&file, list(pods).to_string()).unwrap();
    let output = cluster
        .command(Program::Kubectl)
        .unwrap()
        .args(["create", "--dry-run=server", "--validate=ignore"])
        .args(["--output=json", "--filename"])
        .arg(&file)
        .output()
        .unwrap();
    // It fails if one of them is refused, and goes on with the others.
    let created = serde_json::Deserializer::from_slice(&output.stdout).into_iter::<Value>();
    let created = created
        .map(|pod| {
            let mut pod = pod.unwrap();
            for pointer in GIVEN {
                remove(&mut pod, pointer);
            }
            pod
        })
        .collect();
    (
        created,
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

#[test]
fn every_pod_is_injected_as_upstream_injects_it() {
    let workloads: Vec<Workload> = usual().into_iter().map(Workload::generated).collect();
    for through in through_istiod() {
        let mut wrong = Vec::new();
        let mut injected = 0;
        for workload in &workloads {
            let name = name_of(&workload.object);
            let (upstream, ours) =
                match [&through.upstream, &through.ours].map(|outcome| &outcome.pods[&name]) {
                    [Some(upstream), Some(ours)] => (upstream, ours),
                    // Some are nothing that an API server takes.
                    [None, None] => continue,
                    [_, ours] => {
                        wrong.push(format!("{name} is refused once: {ours:?}"));
                        continue;
                    }
                };
            injected += usize::from(ours.pointer(INJECTED).is_some());
            let place = Place {
                setup: &through.setup,
                workload,
                ours,
            };
            let differences = differences(upstream, ours).into_iter();
            wrong.extend(
                differences
                    .filter(|difference| reviewed(&place, difference).is_none())
                    .map(|difference| format!("{name} {difference}")),
            );
            if through.setup.validates() {
                let excesses = excesses(&workload.object, upstream, ours).into_iter();
                wrong.extend(excesses.map(|excess| format!("{name}: {excess}")));
            }
        }
        assert!(
            wrong.is_empty(),
            "CNI {}:\n{}",
            through.setup.name,
            wrong.join("\n")
        );
        assert!(injected > 60, "only {injected}");
    }
}

/// The proxy of a pod that our configuration injected.
fn proxy<'a>(through: &'a Through, name: &str) -> &'a Value {
    let pod = through.ours.pods[name].as_ref().unwrap();
    ["initContainers", "containers"]
        .iter()
        .filter_map(|list| pod["spec"][list].as_array())
        .flatten()
        .find(|container| container["name"] == "istio-proxy")
        .unwrap()
}

#[test]
fn a_proxy_runs_as_a_user_of_its_namespace() {
    for through in through_istiod() {
        let user = |name: &str| {
            let security = &proxy(through, name)["securityContext"];
            [&security["runAsUser"], &security["runAsGroup"]].map(Value::as_u64)
        };
        let last_of_the_range = [Some(1_000_659_999), Some(1_000_669_999)];
        for name in ["sidecar", "gateway", "same-user"] {
            assert_eq!(user(&format!("openshift-range/{name}")), last_of_the_range);
        }
        assert_eq!(
            user("openshift-range/own-user"),
            [Some(1_000_650_007), Some(1_000_650_008)]
        );
        assert_eq!(user("openshift-broken/sidecar"), [Some(1337); 2]);
    }
}

#[test]
fn a_proxy_is_configured_by_resources_and_annotations() {
    for through in through_istiod() {
        let variable = |pod: &str, name: &str| {
            let proxy = proxy(through, &format!("configured/{pod}"));
            let all = proxy["env"].as_array().unwrap();
            let found = all.iter().find(|variable| variable["name"] == name);
            found.map(|variable| variable["value"].as_str().unwrap_or_default())
        };
        for (pod, value) in [
            ("sidecar", "namespace"),
            ("sidecar-of-one", "workload"),
            ("with-an-annotation-too", "workload"),
            ("gateway-of-one", "workload"),
            ("grpc-agent-of-one", "workload"),
        ] {
            assert_eq!(variable(pod, "BOTH"), Some(value), "{pod}");
        }
        assert_eq!(
            variable("sidecar-of-one", "OF_THE_WORKLOAD"),
            Some("<é & {{ braces }}>")
        );
        assert_eq!(variable("sidecar", "OF_THE_WORKLOAD"), None);
    }
}

//! The question that the drain asks, put to a real istiod in both states of the CNI.

#![allow(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it must be"
)]

use std::time::{Duration, Instant};

use istio_pilot::cni::Phase;
use istio_pilot::cni::acknowledgement::{WEBHOOK_PATH, answer, question};
use istio_pilot::desired::Desired;
use istio_pilot::intent::check::check;
use istio_pilot::intent::identity::Identity;
use istio_pilot::intent::{Intent, Target};
use istio_pilot::istio::Injection;
use istio_pilot::k8s::object::Object;
use istio_pilot::k8s::version::KubernetesVersion;
use serde_json::{Value, json};
use test_cluster::{Istiod, Options, TestCluster};

const NAMESPACE: &str = "mesh";

fn rendered(injection: Injection) -> Vec<Object> {
    let options = json!({"cni-bin-dir": "/opt/cni/bin", "cni-conf-dir": "/etc/cni/net.d"});
    let intent = Intent {
        identity: Identity::new("pilot", NAMESPACE),
        target: Target::Installed(check(options.as_object().unwrap()).mesh.unwrap()),
        problems: Vec::new(),
        warnings: Vec::new(),
    };
    let kubernetes = KubernetesVersion {
        major: 1,
        minor: 37,
    };
    let phase = match injection {
        Injection::IstioInit => Phase::RollingOut,
        Injection::IstioValidation => Phase::On,
    };
    let desired = Desired::new(&intent, Vec::new(), kubernetes).unwrap();
    desired.at(phase).unwrap().objects().to_vec()
}

fn apply(cluster: &TestCluster, objects: &[Object], kinds: &[&str]) {
    let items: Vec<&Value> = objects
        .iter()
        .filter(|it| kinds.contains(&it.kind()))
        .map(Object::value)
        .collect();
    let list = json!({"apiVersion": "v1", "kind": "List", "items": items});
    let arguments = ["apply", "--server-side", "-f", "-"];
    cluster
        .kubectl_with_input(&arguments, &list.to_string())
        .unwrap();
}

/// Sends the question to istiod's webhook.
async fn ask(istiod: &Istiod<'_>) -> Option<Injection> {
    let url = format!("https://{}", istiod.webhook_address());
    let mut config = kube::Config::new(url.parse().unwrap());
    // The API server's pod proxy does not check a pod's certificate either.
    config.accept_invalid_certs = true;
    let client = kube::Client::try_from(config).unwrap();
    let request = http::Request::post(format!("/{WEBHOOK_PATH}"))
        .header("content-type", "application/json")
        .body(question(NAMESPACE).to_string().into_bytes())
        .unwrap();
    let review: Value = client.request(request).await.unwrap();
    answer(&review)
}

#[tokio::test]
async fn a_real_istiod_tells_what_it_injects() {
    let cluster = TestCluster::start(&Options {
        controllers: false,
        ..Options::default()
    })
    .unwrap();
    cluster
        .kubectl(&["create", "namespace", NAMESPACE])
        .unwrap();
    let validation = rendered(Injection::IstioValidation);
    apply(
        &cluster,
        &validation,
        &["CustomResourceDefinition", "ConfigMap", "ServiceAccount"],
    );
    apply(&cluster, &validation, &["MutatingWebhookConfiguration"]);
    let istiod = cluster.start_istiod(NAMESPACE, &[]).unwrap();
    assert_eq!(
        ask(&istiod).await,
        Some(Injection::IstioValidation),
        "{}",
        istiod.log()
    );
    // It takes the change up by itself, after a moment.
    apply(&cluster, &rendered(Injection::IstioInit), &["ConfigMap"]);
    let until = Instant::now() + Duration::from_secs(20);
    while ask(&istiod).await != Some(Injection::IstioInit) {
        assert!(Instant::now() < until, "{}", istiod.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

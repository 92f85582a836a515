//! The question that the drain asks, put to a real istiod in both states of the CNI.

#![allow(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it must be"
)]

use std::time::{Duration, Instant};

use istio_pilot::cni::acknowledgement::{WEBHOOK_PATH, answer, question};
use istio_pilot::configuration;
use istio_pilot::control_plane::{Injection, KubernetesVersion};
use istio_pilot::decide::Settings;
use istio_pilot::object::Object;
use istio_pilot::render::render;
use serde_json::{Value, json};
use test_cluster::{Istiod, Options, TestCluster};

const NAMESPACE: &str = "mesh";

fn rendered(injection: Injection) -> Vec<Object> {
    let options = json!({"cni-bin-dir": "/opt/cni/bin", "cni-conf-dir": "/etc/cni/net.d"});
    let settings = Settings {
        application: "pilot".to_owned(),
        namespace: NAMESPACE.to_owned(),
        configuration: configuration::parse(options.as_object().unwrap()).unwrap(),
        kubernetes: KubernetesVersion {
            major: 1,
            minor: 37,
        },
    };
    render(&settings.control_plane(true, injection)).unwrap()
}

fn apply(cluster: &TestCluster, objects: &[Object], kinds: &[&str]) {
    let items: Vec<&Value> = objects
        .iter()
        .filter(|it| kinds.contains(&it.kind()))
        .map(Object::value)
        .collect();
    let list = json!({"apiVersion": "v1", "kind": "List", "items": items});
    cluster.apply(&list).unwrap();
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
        .kubectl(&format!("create namespace {NAMESPACE}"))
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

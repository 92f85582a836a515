//! The question that the drain asks, put to a real istiod in both states of the CNI.

use anyhow::{Context, Result};
use charm_world::until;
use expect_test::expect;
use istio_pilot::cni::acknowledgement::{WEBHOOK_PATH, answer, question};
use istio_pilot::istio::Injection;
use serde_json::Value;
use test_cluster::Istiod;

use super::support::{BOTH_PATHS, MODEL, NO_PATHS, deployed};

/// Sends the question to istiod's webhook.
fn ask(istiod: &Istiod<'_>) -> Result<Option<Injection>> {
    let url = format!("https://{}", istiod.webhook_address());
    let request = http::Request::post(format!("/{WEBHOOK_PATH}"))
        .header("content-type", "application/json")
        .body(question(MODEL).to_string().into_bytes())?;
    let mut config = kube::Config::new(url.parse()?);
    // The API server's pod proxy does not check a pod's certificate either.
    config.accept_invalid_certs = true;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let review: Value = runtime.block_on(async {
        let client = kube::Client::try_from(config)?;
        anyhow::Ok(client.request(request).await?)
    })?;
    Ok(answer(&review))
}

#[test]
fn a_real_istiod_says_what_it_injects() -> Result<()> {
    let mut world = deployed()?;
    expect!["active: CNI on (3/3 nodes)"].assert_eq(&world.configure(&BOTH_PATHS)?);
    let cluster = world.cluster.clone();
    let istiod = cluster.start_istiod(MODEL, &[])?;
    assert_eq!(ask(&istiod)?, Some(Injection::IstioValidation));
    // It takes the change up after a moment.
    expect!["active: CNI off"].assert_eq(&world.configure(&NO_PATHS)?);
    until("istiod has taken the change up", || {
        Ok(ask(&istiod)? == Some(Injection::IstioInit))
    })
    .with_context(|| istiod.log())
}

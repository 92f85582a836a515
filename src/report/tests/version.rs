//! Which version of Istio a report names.

use k8s_openapi::api::core::v1::Pod;

use super::*;

/// A pod of istiod.
fn istiod(image: &str, ready: &str) -> Pod {
    let pod = json!({
        "metadata": {"name": "istiod"},
        "spec": {"containers": [{"name": "discovery", "image": image}]},
        "status": {"conditions": [{"type": "Ready", "status": ready}]},
    });
    serde_json::from_value(pod).unwrap()
}

#[test]
fn the_version_is_that_of_the_newest_istiod_that_is_ready() {
    let version = |istiods: &[(&str, &str)]| {
        let mut outcome = settled(&mut Simulated::settled(&[]));
        let pods = istiods.iter().map(|(image, ready)| istiod(image, ready));
        outcome.view.as_mut().unwrap().observed.istiods = pods.collect();
        let facts = facts(true, &[], &[]);
        let report = report(&facts, &decide(&facts), &outcome);
        report.version.unwrap_or_default()
    };
    let old = ("r.test/pilot:1.9.3", "True");
    let new = ("r.test/pilot:1.30.1", "True");
    let starting = ("r.test/pilot:1.31.7", "False");
    assert_eq!(version(&[old, new, starting]), "1.30.1");
    // Else what the Deployment says of itself.
    let of_label = crate::istio::ISTIO_VERSION;
    assert_eq!(version(&[]), of_label);
    assert_eq!(
        version(&[starting, ("r.test/pilot:latest", "True")]),
        of_label
    );
}

use std::fmt::Write as _;

use expect_test::expect;
use serde_json::{Value, json};

use super::*;
use crate::assess::assess;
use crate::k8s::kind::DEPLOYMENT;
use crate::simulated::{Simulated, desired};

/// What the controller says once every new pod has been available.
const ONCE_AVAILABLE: &str = "NewReplicaSetAvailable";

/// The Deployment of istiod as somebody has installed it, once available.
fn with_istiod(change: impl Fn(&mut Value)) -> Simulated {
    let mut cluster = Simulated::settled(&[]);
    cluster.change(&DEPLOYMENT, |it| set_reason(it, ONCE_AVAILABLE));
    cluster.change(&DEPLOYMENT, change);
    cluster
}

/// What becomes of that.
fn assessed(mut cluster: Simulated) -> String {
    let desired = desired(&cluster.intent);
    let observed = cluster.observe(desired);
    match assess(desired, &observed).unwrap().upgrade {
        Upgrade::Refused(why) => why.to_string(),
        upgrade => format!("{upgrade:?}"),
    }
}

fn label(object: &mut Value, name: &str, value: &str) {
    object["metadata"]["labels"][name] = value.into();
}

fn set_reason(object: &mut Value, reason: &str) {
    object["status"]["conditions"] = json!([{"type": "Progressing", "reason": reason}]);
}

fn set_image(object: &mut Value, image: &str) {
    object["spec"]["template"]["spec"]["containers"][0]["image"] = image.into();
}

/// One that this charm has made.
fn ours(version: &str) -> Simulated {
    with_istiod(|it| label(it, labels::VERSION, version))
}

/// One that istioctl has made, or the Python charm with it.
fn adopted(image: &str, version: Option<&str>) -> Simulated {
    with_istiod(|it| {
        it["metadata"]["managedFields"] = json!([]);
        it["metadata"]["labels"] = json!({
            "operator.istio.io/managed": "Reconcile",
            "install.operator.istio.io/owning-resource-namespace": "mesh",
        });
        set_image(it, image);
        if let Some(version) = version {
            label(it, OPERATOR_VERSION, version);
        }
    })
}

#[test]
fn one_minor_version_may_be_skipped_by_nobody() {
    let mut table = String::new();
    for version in [
        "1.31.0", "1.31.99", "1.30.7", "1.29.3", "1.32.0", "2.0.0", "0.30.0", "a-branch",
    ] {
        // No image of a branch shows a version either.
        let mut cluster = ours(version);
        cluster.change(&DEPLOYMENT, |it| set_image(it, "hub/pilot:a-branch"));
        writeln!(table, "{version}: {}", assessed(cluster)).unwrap();
    }
    expect![[r#"
        1.31.0: No
        1.31.99: No
        1.30.7: UnderWay
        1.29.3: Istio 1.29.3 is installed, and 1.31.1 would be more than one minor version
        1.32.0: Istio 1.32.0 is installed, and 1.31.1 would be a step back
        2.0.0: Istio 2.0.0 is installed, and 1.31.1 would be a step back
        0.30.0: Istio 0.30.0 is installed, and 1.31.1 would be more than one minor version
        a-branch: the version of Deployment istiod is not known, neither by its image nor by its labels, so nobody knows whether Istio 1.31.1 may follow it
    "#]].assert_eq(&table);
}

#[test]
fn what_istioctl_has_installed_is_taken_over_from_1_28_on() {
    let mut table = String::new();
    for (image, version) in [
        ("docker.io/istio/pilot:1.31.2", None),
        ("docker.io/istio/pilot:1.28.0", None),
        ("docker.io/istio/pilot:1.28.0-distroless", Some("1.20.0")),
        ("docker.io/istio/pilot@sha256:abc", Some("1.29.1")),
        ("docker.io/istio/pilot@sha256:abc", Some("unknown")),
        ("docker.io/istio/pilot:latest", None),
        ("docker.io/istio/pilot:1.27.9", None),
        ("docker.io/istio/pilot:1.32.0", None),
    ] {
        let upgrade = assessed(adopted(image, version));
        writeln!(table, "{image} {version:?}: {upgrade}").unwrap();
    }
    expect![[r#"
        docker.io/istio/pilot:1.31.2 None: No
        docker.io/istio/pilot:1.28.0 None: UnderWay
        docker.io/istio/pilot:1.28.0-distroless Some("1.20.0"): UnderWay
        docker.io/istio/pilot@sha256:abc Some("1.29.1"): UnderWay
        docker.io/istio/pilot@sha256:abc Some("unknown"): the version of Deployment istiod is not known, neither by its image nor by its labels, so nobody knows whether Istio 1.31.1 may follow it
        docker.io/istio/pilot:latest None: the version of Deployment istiod is not known, neither by its image nor by its labels, so nobody knows whether Istio 1.31.1 may follow it
        docker.io/istio/pilot:1.27.9 None: Istio 1.27.9 is installed, and 1.31.1 would be more than one minor version
        docker.io/istio/pilot:1.32.0 None: Istio 1.32.0 is installed, and 1.31.1 would be a step back
    "#]].assert_eq(&table);
}

#[test]
fn a_newer_one_that_never_served_may_be_followed_by_the_one_before_it() {
    let failed = |version: &str, reason: &str| {
        with_istiod(|it| {
            label(it, labels::VERSION, version);
            set_reason(it, reason);
        })
    };
    let reasons = ["ProgressDeadlineExceeded", ONCE_AVAILABLE];
    let [never, once] = reasons.map(|it| assessed(failed("1.32.0", it)));
    assert_eq!(never, "UnderWay");
    expect!["Istio 1.32.0 is installed, and 1.31.1 would be a step back"].assert_eq(&once);
    expect!["Istio 1.33.0 is installed, and 1.31.1 would be a step back"]
        .assert_eq(&assessed(failed("1.33.0", reasons[0])));
}

#[test]
fn what_a_person_edits_is_drift_and_no_other_version() {
    let edited = with_istiod(|it| set_image(it, "docker.io/istio/pilot:1.25.0"));
    assert_eq!(assessed(edited), "No");
}

#[test]
fn a_person_may_force_every_step_and_a_removal_asks_for_none() {
    for version in ["1.20.0", "1.33.0", "a-branch"] {
        let mut cluster = ours(version);
        cluster.change(&DEPLOYMENT, |it| set_image(it, "hub/pilot:a-branch"));
        cluster.intent.forces_upgrade = true;
        assert_eq!(assessed(cluster.clone()), "UnderWay", "{version}");
        cluster.remove();
        assert_eq!(assessed(cluster), "No", "{version}");
    }
}

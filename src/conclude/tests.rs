mod refusals;

use std::collections::BTreeSet;

use serde_json::json;

use super::*;
use crate::configuration;

fn settings(options: serde_json::Value) -> Settings {
    let serde_json::Value::Object(options) = options else {
        panic!("options are a map")
    };
    Settings {
        application: "pilot".to_owned(),
        namespace: "mesh".to_owned(),
        configuration: configuration::parse(&options).unwrap(),
        kubernetes: KubernetesVersion {
            major: 1,
            minor: 34,
        },
    }
}

fn on() -> Settings {
    settings(json!({"cni-bin-dir": "/opt/cni/bin", "cni-conf-dir": "/etc/cni/net.d"}))
}

#[track_caller]
fn check(finding: &Finding, settings: &Settings, name: &str, message: &str) {
    let status = of_finding(finding, settings);
    assert_eq!((status.name(), status.message()), (name, message));
}

fn names<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.map(str::to_owned).into()
}

#[test]
fn a_settled_control_plane_says_whether_the_cni_is_on() {
    let off = Finding::Settled { agent: None };
    check(&off, &settings(json!({})), "active", "CNI off");
    let one = settings(json!({"cni-bin-dir": "/opt/cni/bin"}));
    check(&off, &one, "active", "CNI off: cni-conf-dir is not set");
    check(
        &Finding::Settled {
            agent: Some((3, 3)),
        },
        &on(),
        "active",
        "CNI on (3/3 nodes)",
    );
}

#[test]
fn an_old_kubernetes_is_named() {
    let mut old = settings(json!({}));
    old.kubernetes = KubernetesVersion {
        major: 1,
        minor: 31,
    };
    let message = "CNI off; Kubernetes 1.31 is older than Istio supports (1.32)";
    check(&Finding::Settled { agent: None }, &old, "active", message);
}

#[test]
fn a_missing_directory_names_option_path_and_nodes() {
    let fault = |nodes| Fault::PathMissing {
        paths: names(["/opt/cni/bin"]),
        nodes,
    };
    check(
        &Finding::AgentFault(fault(names(["n1", "n2"])), Phase::RollingOut),
        &on(),
        "blocked",
        "cni-bin-dir /opt/cni/bin does not exist on n1, n2; injection stays at istio-init",
    );
    check(
        &Finding::AgentFault(fault(names(["n1", "n2", "n3", "n4", "n5"])), Phase::On),
        &on(),
        "blocked",
        "cni-bin-dir /opt/cni/bin does not exist on n1, n2, n3 (+2 more); pods there cannot start",
    );
}

#[test]
fn what_a_person_must_run_is_in_the_message() {
    check(
        &Finding::AgentFault(Fault::PodSecurity, Phase::RollingOut),
        &on(),
        "blocked",
        "Pod Security refuses the CNI node agent; run: kubectl label namespace mesh --overwrite \
         pod-security.kubernetes.io/enforce=privileged",
    );
    check(
        &Finding::Refused(
            ClusterFault::Forbidden("secret words".to_owned()),
            String::new(),
        ),
        &on(),
        "blocked",
        "not allowed by the cluster; run: juju trust pilot --scope=cluster",
    );
}

#[test]
fn a_directory_without_configuration_is_named() {
    let fault = Fault::NoConfiguration {
        nodes: names(["n1", "n2"]),
    };
    let status = of_finding(&Finding::AgentFault(fault, Phase::RollingOut), &on());
    assert_eq!(status.name(), "blocked");
    assert!(
        status
            .message()
            .starts_with("cni-conf-dir holds no CNI configuration on n1, n2: ")
    );
}

#[test]
fn objects_of_others_are_named() {
    let id = crate::k8s::object::ObjectId {
        group: "apps".to_owned(),
        kind: "Deployment".to_owned(),
        namespace: Some("mesh".to_owned()),
        name: "istiod".to_owned(),
    };
    let obstacle = Obstacle {
        id,
        whose: "the Helm release istiod".to_owned(),
    };
    check(
        &Finding::InTheWay(obstacle),
        &on(),
        "blocked",
        "Deployment mesh/istiod belongs to the Helm release istiod; remove it first",
    );
}

#[test]
fn what_takes_too_long_says_how_it_goes_on() {
    let awaited = Awaited {
        progress: "istio-cni-node 1/3 nodes".to_owned(),
        reason: Some(format!("n1: {}", "x".repeat(500))),
    };
    let status = of_finding(&Finding::StillWaiting(awaited), &on());
    assert_eq!(status.name(), "waiting");
    let message = status.message();
    assert!(
        message.starts_with("istio-cni-node 1/3 nodes (n1: xxx"),
        "{message}"
    );
    assert!(
        message.ends_with("or: juju run pilot/leader reconcile"),
        "{message}"
    );
    assert!(message.len() < 400, "a status stays readable");
}

#[test]
fn an_api_that_is_away_is_waited_for() {
    let finding = Finding::Refused(
        ClusterFault::Unavailable("connection refused".to_owned()),
        String::new(),
    );
    check(
        &finding,
        &on(),
        "waiting",
        "no Kubernetes API: connection refused",
    );
}

#[test]
fn a_unit_that_is_leader_no_more_stands_by() {
    check(&Finding::Deposed, &on(), "active", "standby");
}

#[test]
fn that_init_containers_have_no_network_is_told_where_it_is_so() {
    let on = |minor| of_switching_on(KubernetesVersion { major: 1, minor });
    assert!(on(32).is_some_and(|it| it.contains("no network")));
    assert_eq!(on(33), None);
}

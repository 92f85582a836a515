mod refusals;

use std::collections::BTreeSet;

use expect_test::{Expect, expect};
use serde_json::json;

use super::*;
use crate::assess::awaited::{Awaited, IstiodProgress};
use crate::intent::Target;
use crate::intent::identity::Identity;
use crate::intent::options::check as check_options;
use crate::k8s::admission::PodRefusal;
use crate::plan::Obstacle;

const KUBERNETES: KubernetesVersion = KubernetesVersion {
    major: 1,
    minor: 34,
};

fn intent(options: &serde_json::Value) -> Intent {
    let mesh = check_options(options.as_object().unwrap()).mesh.unwrap();
    Intent {
        identity: Identity::new("pilot", "mesh"),
        target: Target::Installed(mesh),
        ingress: None,
        extensions: None,
        problems: Vec::new(),
        warnings: Vec::new(),
        forces_upgrade: false,
        is_scraped: false,
    }
}

fn on() -> Intent {
    intent(&json!({"cni-bin-dir": "/opt/cni/bin", "cni-conf-dir": "/etc/cni/net.d"}))
}

fn status(condition: &Condition, intent: &Intent) -> Status {
    of_condition(condition, intent, Some(KUBERNETES))
}

#[track_caller]
fn check(condition: &Condition, intent: &Intent, expected: &Expect) {
    expected.assert_eq(&status(condition, intent).to_string());
}

fn names<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.map(str::to_owned).into()
}

#[test]
fn a_settled_control_plane_says_whether_the_cni_is_on() {
    let off = Condition::Settled { ready_nodes: None };
    check(&off, &intent(&json!({})), &expect!["active: CNI off"]);
    let one = intent(&json!({"cni-bin-dir": "/opt/cni/bin"}));
    check(
        &off,
        &one,
        &expect!["active: CNI off: cni-conf-dir is not set"],
    );
    check(
        &Condition::Settled {
            ready_nodes: Some((3, 3)),
        },
        &on(),
        &expect!["active: CNI on (3/3 nodes)"],
    );
}

#[test]
fn an_old_kubernetes_is_named() {
    let old = KubernetesVersion {
        major: 1,
        minor: 31,
    };
    let settled = Condition::Settled { ready_nodes: None };
    let status = of_condition(&settled, &intent(&json!({})), Some(old));
    expect!["active: CNI off; Kubernetes 1.31 is older than Istio supports (1.32)"]
        .assert_eq(&status.to_string());
}

#[test]
fn a_missing_directory_names_option_path_and_nodes() {
    let fault = |nodes| AgentFault::PathMissing {
        paths: names(["/opt/cni/bin"]),
        nodes,
    };
    check(
        &Condition::AgentFault(fault(names(["n1", "n2"])), Phase::RollingOut),
        &on(),
        &expect![
            "blocked: cni-bin-dir /opt/cni/bin does not exist on n1, n2; injection stays at istio-init"
        ],
    );
    check(
        &Condition::AgentFault(fault(names(["n1", "n2", "n3", "n4", "n5"])), Phase::On),
        &on(),
        &expect![
            "blocked: cni-bin-dir /opt/cni/bin does not exist on n1, n2, n3 (+2 more); pods there cannot start"
        ],
    );
}

#[test]
fn each_missing_directory_is_named_by_its_option() {
    let missing = |paths| {
        let nodes = names(["n1"]);
        Condition::AgentFault(AgentFault::PathMissing { paths, nodes }, Phase::RollingOut)
    };
    check(
        &missing(names(["/etc/cni/net.d"])),
        &on(),
        &expect![
            "blocked: cni-conf-dir /etc/cni/net.d does not exist on n1; injection stays at istio-init"
        ],
    );
    check(
        &missing(names(["/etc/cni/net.d", "/opt/cni/bin", "/var/run/netns"])),
        &on(),
        &expect![
            "blocked: cni-conf-dir /etc/cni/net.d and cni-bin-dir /opt/cni/bin and /var/run/netns do not exist on n1; injection stays at istio-init"
        ],
    );
}

#[test]
fn what_a_person_must_run_is_in_the_message() {
    check(
        &Condition::AgentFault(
            AgentFault::Refused(PodRefusal::PodSecurity),
            Phase::RollingOut,
        ),
        &on(),
        &expect![
            "blocked: Pod Security refuses the CNI node agent; run: kubectl label namespace mesh --overwrite pod-security.kubernetes.io/enforce=privileged"
        ],
    );
    check(
        &Condition::Refused(
            FailureKind::Forbidden("secret words".to_owned()),
            String::new(),
        ),
        &on(),
        &expect!["blocked: not allowed by the cluster; run: juju trust pilot --scope=cluster"],
    );
}

#[test]
fn a_directory_without_configuration_is_named() {
    let fault = AgentFault::NoConfiguration {
        nodes: names(["n1", "n2"]),
    };
    check(
        &Condition::AgentFault(fault, Phase::RollingOut),
        &on(),
        &expect![
            "blocked: cni-conf-dir holds no CNI configuration on n1, n2: set the directory that the container runtime reads; injection stays at istio-init"
        ],
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
        &Condition::InTheWay(obstacle),
        &on(),
        &expect![
            "blocked: Deployment mesh/istiod belongs to the Helm release istiod; remove it first"
        ],
    );
}

#[test]
fn what_takes_too_long_says_how_it_continues() {
    let awaited = Awaited::AgentRollout {
        ready: 1,
        desired: 3,
        reason: Some(format!("n1: {}", "x".repeat(500))),
    };
    check(
        &Condition::StillWaiting(awaited),
        &on(),
        &expect![
            "waiting: istio-cni-node 1/3 nodes (n1: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…); continues at the next update-status, or: juju run pilot/leader reconcile"
        ],
    );
}

#[test]
fn an_api_that_is_away_is_waited_for() {
    let finding = Condition::Refused(
        FailureKind::Unavailable("connection refused".to_owned()),
        String::new(),
    );
    check(
        &finding,
        &on(),
        &expect!["waiting: no Kubernetes API: connection refused"],
    );
}

#[test]
fn a_unit_that_is_leader_no_more_stands_by() {
    check(&Condition::Standby, &on(), &expect!["active: standby"]);
}

#[test]
fn that_init_containers_have_no_network_is_told_where_it_is_so() {
    let on = |minor| without_native_sidecars(KubernetesVersion { major: 1, minor });
    assert!(on(32).is_some_and(|it| it.contains("no network")));
    assert_eq!(on(33), None);
}

#[test]
fn several_things_are_the_worst_of_them_and_the_log_has_all() {
    let awaited = Awaited::Istiod {
        progress: IstiodProgress::Missing,
        refusal: None,
        reason: None,
    };
    let fault = AgentFault::Refused(PodRefusal::PodSecurity);
    let outcome = Outcome {
        conditions: vec![
            Condition::StillWaiting(awaited),
            Condition::AgentFault(fault, Phase::RollingOut),
        ],
        view: None,
        journal: None,
    };
    let (status, log) = of_conditions(&on(), &[], &outcome);
    expect!["blocked: Pod Security refuses the CNI node agent; run: kubectl label namespace mesh --overwrite pod-security.kubernetes.io/enforce=privileged (+1 more, see debug-log)"].assert_eq(&status.to_string());
    let log: Vec<_> = log.iter().map(|line| format!("{line:?}")).collect();
    expect![[r#"
        Warning("waiting: istiod not created yet; continues at the next update-status, or: juju run pilot/leader reconcile")
        Warning("blocked: Pod Security refuses the CNI node agent; run: kubectl label namespace mesh --overwrite pod-security.kubernetes.io/enforce=privileged")"#]].assert_eq(&log.join("\n"));
}

#[test]
fn a_problem_of_a_relation_stands_beside_the_rest() {
    let mut intent = on();
    let outcome = Outcome::without_cluster(Some(Condition::Settled {
        ready_nodes: Some((3, 3)),
    }));
    intent.problems.push(Problem {
        remedy: Remedy::Time,
        ..Problem::of_option("any", "not yet")
    });
    let status = of_outcome(&intent, &outcome);
    expect!["waiting: any: not yet"].assert_eq(&status.to_string());
}

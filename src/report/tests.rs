//! What is reported of an outcome: status, log, version.

use expect_test::{Expect, expect};
use serde_json::json;

use super::*;
use crate::intent::problem::{Problem, Remedy};
use crate::k8s::kind::{CUSTOM_RESOURCE_DEFINITION, DAEMON_SET};
use crate::simulated::{BOTH_PATHS, KUBERNETES, Simulated};
use crate::step::deadlines::Timeouts;
use crate::step::{Step, next_step};

/// Takes steps until the hook ends, and reports that.
fn run(cluster: &mut Simulated) -> Report {
    for _ in 0..50 {
        let (observed, assessment) = cluster.assess();
        let step = next_step(&assessment, &observed.live, &cluster.journal, cluster.now);
        if let Step::Finish(conditions) = step {
            return cluster.report(conditions, observed, assessment);
        }
        cluster.take_step();
    }
    panic!("it does not end")
}

/// A report in a few lines.
#[track_caller]
fn check(report: &Report, expected: &Expect) {
    let mut lines = vec![report.status.to_string()];
    lines.extend(report.version.iter().map(|it| format!("version {it}")));
    lines.extend(report.log.iter().map(|line| format!("{line:?}")));
    if report.has_applied {
        lines.push("has applied".to_owned());
    }
    expected.assert_eq(&lines.join("\n"));
}

#[test]
fn a_hook_that_changes_nothing_says_nothing() {
    check(
        &run(&mut Simulated::settled(&BOTH_PATHS)),
        &expect![[r#"
        active: CNI on (3/3 nodes)
        version 1.31.1"#]],
    );
}

#[test]
fn a_switch_off_says_what_becomes_of_pods_that_run() {
    let mut cluster = Simulated::settled(&BOTH_PATHS);
    cluster.configure(&[]);
    check(
        &run(&mut cluster),
        &expect![[r#"
        active: CNI off
        version 1.31.1
        Warning("pods created while the CNI was on cannot start again after a reboot of their node; to list their workloads: juju run pilot/leader list-stale-workloads")
        has applied"#]],
    );
}

#[test]
fn a_node_that_lacks_the_agent_and_a_definition_that_is_skipped_are_warnings() {
    let mut cluster = Simulated::settled(&BOTH_PATHS);
    cluster.fail_agent("n2", &json!({"running": {}}));
    cluster.change(&CUSTOM_RESOURCE_DEFINITION, |it| {
        it["metadata"]["labels"]["app.kubernetes.io/version"] = json!("9.9.9");
    });
    cluster.intent.warnings.push("an option is odd".to_owned());
    check(
        &run(&mut cluster),
        &expect![[r#"
        active: CNI on (2/3 nodes)
        version 1.31.1
        Warning("an option is odd")
        Warning("CustomResourceDefinition authorizationpolicies.security.istio.io is left as it is: it is of Istio 9.9.9, newer than 1.31.1")
        Warning("the node agent on n2 is not ready: running, not ready")"#]],
    );
}

#[test]
fn switching_on_warns_of_old_nodes() {
    let mut cluster = Simulated::settled(&[]);
    cluster.configure(&BOTH_PATHS);
    let (observed, assessment) = loop {
        let (observed, assessment) = cluster.assess();
        let step = next_step(&assessment, &observed.live, &cluster.journal, cluster.now);
        if matches!(step, Step::Finish(_)) {
            break (observed, assessment);
        }
        cluster.take_step();
    };
    let old = KubernetesVersion {
        major: 1,
        minor: 32,
    };
    let warnings = |kubernetes| {
        let view = View {
            kubernetes,
            observed: observed.clone(),
            assessment: assessment.clone(),
        };
        of_view(&cluster.intent, &view, &cluster.journal).join("\n")
    };
    assert_eq!(warnings(KUBERNETES), "");
    expect!["on nodes older than Kubernetes 1.33, init containers of users' pods have no network while the CNI is on"].assert_eq(&warnings(old));
}

#[test]
fn what_is_not_done_in_time_is_reported_with_its_reason() {
    let mut cluster = Simulated::settled(&BOTH_PATHS);
    let image = json!({"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}});
    cluster.fail_agent("n2", &image);
    cluster.now = Timeouts::default().ordinary;
    check(
        &run(&mut cluster),
        &expect![[r#"
        waiting: istio-cni-node 2/3 nodes (n2: ImagePullBackOff: no such image); continues at the next update-status, or: juju run pilot/leader reconcile
        version 1.31.1
        Warning("the node agent on n2 is not ready: ImagePullBackOff: no such image")
        Warning("waiting: istio-cni-node 2/3 nodes: n2: ImagePullBackOff: no such image")"#]],
    );
}

#[test]
fn a_removal_that_is_done_says_so_and_what_stays() {
    let mut cluster = Simulated::settled(&[]);
    cluster.remove();
    check(
        &run(&mut cluster),
        &expect![[r#"
        active
        Info("everything this application made is removed")"#]],
    );
    let mut cluster = Simulated::settled(&[]);
    cluster.custom_resources = Some("there are gateways.networking.istio.io".to_owned());
    cluster.remove();
    check(
        &run(&mut cluster),
        &expect![[r#"
        active
        Info("Istio's definitions stay: there are gateways.networking.istio.io")
        Info("everything this application made is removed")"#]],
    );
}

#[test]
fn a_removal_that_is_not_done_names_the_rest_and_the_command() {
    let mut cluster = Simulated::settled(&BOTH_PATHS);
    cluster.remove();
    while cluster.live.values().any(|it| it.is(&DAEMON_SET)) {
        cluster.take_step();
    }
    let stuck = json!({
        "apiVersion": "networking.istio.io/v1", "kind": "Gateway",
        "metadata": {
            "name": "public", "namespace": "mesh",
            "labels": {
                "app.kubernetes.io/instance": "pilot-mesh",
                "app.kubernetes.io/managed-by": "istio-pilot",
            },
        },
    });
    cluster.live.clear();
    cluster.put(stuck);
    let (gateway, _) = cluster.live.iter().next().unwrap();
    let gateway = gateway.clone();
    cluster.assess();
    let outcome = Outcome {
        conditions: vec![Condition::Unreachable("connection refused".to_owned())],
        view: None,
        journal: Some(cluster.journal.clone()),
    };
    let facts = Facts::of_removal(cluster.intent.identity.clone());
    let report = report(&facts, &cluster.intent, &outcome);
    assert_eq!(cluster.journal.remaining(), [gateway]);
    check(
        &report,
        &expect![[r#"
        active
        Warning("the removal is not complete: connection refused")
        Warning("not removed: Gateway mesh/public")
        Warning("to remove the rest: kubectl delete serviceaccounts,clusterroles,roles,clusterrolebindings,rolebindings,configmaps,secrets,services,deployments,daemonsets,horizontalpodautoscalers,poddisruptionbudgets,mutatingwebhookconfigurations,validatingwebhookconfigurations,gateways.networking.istio.io --namespace mesh --selector app.kubernetes.io/instance=pilot-mesh,app.kubernetes.io/managed-by=istio-pilot")"#]],
    );
}

#[test]
fn a_follower_stands_by_and_problems_stand_beside() {
    let mut intent = Simulated::new(&[]).intent;
    let facts = Facts::of_removal(intent.identity.clone());
    let outcome = Outcome::without_cluster(Some(Condition::Standby));
    check(
        &report(&facts, &intent, &outcome),
        &expect!["active: standby"],
    );
    intent
        .problems
        .push(Problem::of_option("cni-bin-dir", "is bad"));
    let outcome = Outcome::without_cluster(None);
    check(
        &report(&facts, &intent, &outcome),
        &expect!["blocked: cni-bin-dir: is bad"],
    );
    let mut late = Problem::of_option("cni-conf-dir", "is late");
    late.remedy = Remedy::Time;
    intent.problems.push(late);
    check(
        &report(&facts, &intent, &outcome),
        &expect![[r#"
        blocked: cni-bin-dir: is bad (+1 more, see debug-log)
        Warning("blocked: cni-bin-dir: is bad")
        Warning("waiting: cni-conf-dir: is late")"#]],
    );
}

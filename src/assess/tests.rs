//! What follows from a cluster, as tables: each line is one cluster.

mod agent;
mod awaited;
mod gate;
mod phase;
mod question;
mod rivals;

use std::fmt::Write as _;

use expect_test::{Expect, expect};
use serde_json::json;

use super::*;
use crate::k8s::kind::{CLUSTER_ROLE, CONFIG_MAP};
use crate::simulated::{BOTH_PATHS, Simulated, desired};

/// Compares a table of cases and what came of each.
#[track_caller]
fn check(table: &[(&str, String)], expected: &Expect) {
    let lines = table.iter().map(|(when, what)| format!("{when}: {what}\n"));
    expected.assert_eq(&lines.collect::<String>());
}

/// Assesses what is seen of a cluster, after a change to that.
fn assess_seen(cluster: &mut Simulated, change: impl FnOnce(&mut Observed)) -> Assessment {
    let desired = desired(&cluster.intent);
    let mut observed = cluster.observe(desired);
    change(&mut observed);
    assess(desired, &observed).unwrap()
}

/// A cluster on which the CNI is being switched on, and the node agent fails on a node.
fn failing_agent(state: &serde_json::Value) -> Simulated {
    let mut cluster = Simulated::settled(&[]);
    cluster.configure(&BOTH_PATHS);
    cluster.take_step();
    cluster.fail_agent("n2", state);
    cluster
}

fn missing_directory(cluster: &mut Simulated) {
    let event = json!({
        "metadata": {}, "involvedObject": {"uid": "uid-n2"}, "reason": "FailedMount",
        "message": "hostPath type check failed: /opt/cni/bin is not a directory",
    });
    let event = serde_json::from_value(event).unwrap();
    cluster.agent.events.push(event);
}

fn without_configuration(observed: &mut Observed, nodes: &[&str]) {
    let nodes = nodes.iter().map(|it| (*it).to_owned());
    observed.without_configuration = Some(nodes.collect());
}

#[track_caller]
fn check_fault(
    cluster: &mut Simulated,
    change: impl FnOnce(&mut Observed),
    phase: Phase,
    expected: &Expect,
) {
    let assessment = assess_seen(cluster, change);
    assert_eq!(assessment.phase, phase);
    expected.assert_eq(&format!("{:?}", assessment.fault));
}

#[test]
fn a_missing_directory_comes_before_a_missing_configuration() {
    let creating = json!({"waiting": {"reason": "ContainerCreating"}});
    let mut cluster = failing_agent(&creating);
    let nothing = |_: &mut Observed| {};
    check_fault(&mut cluster, nothing, Phase::RollingOut, &expect!["None"]);
    let no_node = |it: &mut Observed| without_configuration(it, &[]);
    check_fault(&mut cluster, no_node, Phase::RollingOut, &expect!["None"]);
    let one = |it: &mut Observed| without_configuration(it, &["n2"]);
    check_fault(
        &mut cluster,
        one,
        Phase::RollingOut,
        &expect![[r#"Some(NoConfiguration { nodes: {"n2"} })"#]],
    );
    missing_directory(&mut cluster);
    check_fault(
        &mut cluster,
        one,
        Phase::RollingOut,
        &expect![[r#"Some(PathMissing { paths: {"/opt/cni/bin"}, nodes: {"n2"} })"#]],
    );
}

#[test]
fn a_node_agent_that_goes_may_fail() {
    let mut cluster = Simulated::settled(&BOTH_PATHS);
    let creating = json!({"waiting": {"reason": "ContainerCreating"}});
    cluster.fail_agent("n2", &creating);
    missing_directory(&mut cluster);
    let nothing = |_: &mut Observed| {};
    check_fault(
        &mut cluster,
        nothing,
        Phase::On,
        &expect![[r#"Some(PathMissing { paths: {"/opt/cni/bin"}, nodes: {"n2"} })"#]],
    );
    cluster.configure(&[]);
    check_fault(&mut cluster, nothing, Phase::Draining, &expect!["None"]);
    cluster.take_step();
    let drained = |it: &mut Observed| it.overdue.drain = true;
    check_fault(&mut cluster, drained, Phase::Removing, &expect!["None"]);
}

/// Another installation's object.
fn foreign(kind: &str, name: &str, revision: &str) -> serde_json::Value {
    let mut value = json!({
        "apiVersion": "apps/v1", "kind": kind,
        "metadata": {"name": name, "namespace": "other", "labels": {"istio.io/rev": revision}},
    });
    if kind == "MutatingWebhookConfiguration" {
        value["apiVersion"] = json!("admissionregistration.k8s.io/v1");
        value["metadata"]
            .as_object_mut()
            .unwrap()
            .remove("namespace");
        value["webhooks"] = json!([{
            "name": "rev.object.sidecar-injector.istio.io",
            "clientConfig": {"service": {"name": "istiod", "namespace": "other"}},
        }]);
    }
    value
}

#[track_caller]
fn check_conflicts(options: &[(&str, &str)], foreign: serde_json::Value, expected: &Expect) {
    let mut cluster = Simulated::settled(options);
    cluster.put_as_it_is(foreign);
    let (_, assessment) = cluster.assess();
    expected.assert_eq(&assessment.plan_text());
    cluster.remove();
    let (_, assessment) = cluster.assess();
    assert_eq!(assessment.conflicts, [], "a removal minds nobody");
}

#[test]
fn another_installation_conflicts_where_it_would_serve_the_same_pods() {
    check_conflicts(
        &[],
        foreign("Deployment", "istiod", "default"),
        &expect![[r#"
            ! Deployment other/istiod belongs to another control plane of the default revision in this cluster; remove it first
        "#]],
    );
    check_conflicts(
        &[],
        foreign("Deployment", "istiod", "canary"),
        &expect![[""]],
    );
    let webhook = |revision| foreign("MutatingWebhookConfiguration", "theirs", revision);
    check_conflicts(
        &[],
        webhook("default"),
        &expect![[r#"
        ! MutatingWebhookConfiguration theirs belongs to another control plane of the default revision in this cluster; remove it first
    "#]],
    );
    check_conflicts(&[], webhook("canary"), &expect![[""]]);
    let agent = || foreign("DaemonSet", "istio-cni-node", "default");
    check_conflicts(&[], agent(), &expect![[""]]);
    check_conflicts(
        &BOTH_PATHS,
        agent(),
        &expect![[r#"
        ! DaemonSet other/istio-cni-node belongs to another CNI node agent of this cluster; remove it first
    "#]],
    );
}

#[test]
fn an_object_in_the_way_is_an_obstacle_beside_conflicts() {
    let mut cluster = Simulated::settled(&[]);
    cluster.put_as_it_is(foreign("Deployment", "istiod", "default"));
    cluster.change(&CONFIG_MAP, |it| {
        it["metadata"]["annotations"] = json!({"meta.helm.sh/release-name": "base"});
    });
    let (_, assessment) = cluster.assess();
    let obstacles = assessment.obstacles().map(|it| format!("{it}\n"));
    expect![[r#"
        Deployment other/istiod belongs to another control plane of the default revision in this cluster; remove it first
        ConfigMap mesh/istio belongs to the Helm release base; remove it first
    "#]].assert_eq(&obstacles.collect::<String>());
    expect![[r#"
        ! Deployment other/istiod belongs to another control plane of the default revision in this cluster; remove it first
        ! ConfigMap mesh/istio belongs to the Helm release base; remove it first
    "#]].assert_eq(&assessment.plan_text());
}

#[test]
fn each_phase_watches_what_it_waits_for() {
    let (_, mut assessment) = Simulated::settled(&[]).assess();
    let phases = [
        Phase::Off,
        Phase::RollingOut,
        Phase::On,
        Phase::Draining,
        Phase::Removing,
    ];
    let mut table = String::new();
    for phase in phases {
        assessment.phase = phase;
        let watched = assessment.watched();
        let names = watched.iter().map(|it| match it {
            Collection::Kind(kind) => kind.plural.to_owned(),
            other => format!("{other:?}"),
        });
        let names = names.collect::<Vec<_>>().join(", ");
        writeln!(table, "{phase:?}: {names}").unwrap();
    }
    expect![[r#"
        Off: customresourcedefinitions, deployments, Istiods
        RollingOut: customresourcedefinitions, deployments, Istiods, daemonsets, Agents, Nodes, Warnings
        On: customresourcedefinitions, deployments, Istiods, daemonsets, Agents, Nodes, Warnings
        Draining: customresourcedefinitions, deployments, Istiods, Pending
        Removing: customresourcedefinitions, deployments, Istiods, daemonsets, Agents
    "#]].assert_eq(&table);
}

#[test]
fn nodes_are_counted_while_the_cni_is_on() {
    let mut cluster = Simulated::settled(&BOTH_PATHS);
    assert_eq!(cluster.assess().1.ready_nodes(), Some((3, 3)));
    cluster.fail_agent("n2", &json!({"running": {}}));
    assert_eq!(cluster.assess().1.ready_nodes(), Some((2, 3)));
    cluster.configure(&[]);
    assert_eq!(cluster.assess().1.ready_nodes(), None);
    assert_eq!(Simulated::settled(&[]).assess().1.ready_nodes(), None);
}

/// What would be done to a cluster, a line each, without the fields.
fn planned(cluster: &mut Simulated) -> String {
    let (_, assessment) = cluster.assess();
    let text = assessment.plan_text();
    let objects = text.lines().filter(|it| !it.starts_with(' '));
    let objects = objects.map(|it| format!("{it}\n"));
    format!("{:?}\n{}", assessment.phase, objects.collect::<String>())
}

#[test]
fn the_node_agent_is_left_alone_until_it_goes_and_its_rights_until_its_pods_went() {
    let mut cluster = Simulated::settled(&BOTH_PATHS);
    cluster.change(&CLUSTER_ROLE, |it| it["rules"] = json!([]));
    let mut table = planned(&mut cluster);
    cluster.configure(&[]);
    table.push_str(&planned(&mut cluster));
    let pods = cluster.agent.pods.clone();
    cluster.step_until("delete DaemonSet");
    cluster.agent.pods = pods;
    table.push_str(&planned(&mut cluster));
    cluster.agent.pods.clear();
    table.push_str(&planned(&mut cluster));
    expect![[r#"
        On
        ~ ClusterRole istio-cni
        Draining
        ~ ConfigMap mesh/istio-sidecar-injector
        ~ ConfigMap mesh/values
        Removing
        Off
        - ConfigMap mesh/istio-cni-config
        - ServiceAccount mesh/istio-cni
        - ClusterRole istio-cni
        - ClusterRole istio-cni-repair-role
        - ClusterRoleBinding istio-cni
        - ClusterRoleBinding istio-cni-repair-rolebinding
    "#]]
    .assert_eq(&table);
}

#[test]
fn an_adopted_node_agent_goes_as_its_own_would_but_stays_at_a_removal() {
    let adopt = |it: &mut serde_json::Value| {
        it["metadata"]["labels"] = json!({
            "app.kubernetes.io/name": "istio-cni",
            "operator.istio.io/managed": "Reconcile",
            "install.operator.istio.io/owning-resource-namespace": "mesh",
        });
        it["metadata"]["managedFields"][0]["manager"] = json!("istio-operator");
    };
    let mut cluster = Simulated::settled(&BOTH_PATHS);
    cluster.change(&DAEMON_SET, adopt);
    cluster.configure(&[]);
    expect![[r#"
        Draining: apply 2 ConfigMap
        Draining: wait: looking once more for pods that need the CNI node agent
        Removing: delete DaemonSet istio-cni-node
        Off: delete ConfigMap istio-cni-config, ServiceAccount istio-cni, 2 ClusterRole, 2 ClusterRoleBinding
        Off: active: CNI off
    "#]]
    .assert_eq(&cluster.run());
    let mut cluster = Simulated::settled(&BOTH_PATHS);
    cluster.change(&DAEMON_SET, adopt);
    cluster.remove();
    cluster.run();
    assert!(cluster.live.values().any(|it| it.is(&DAEMON_SET)));
}

#[test]
fn definitions_go_last_and_only_where_nobody_uses_them() {
    let definitions = |cluster: &mut Simulated, used: Option<DefinitionUse>| {
        let assessment = assess_seen(cluster, |it| it.definitions = used);
        let deletions = assessment.plan.deletions.iter();
        deletions
            .filter(|it| it.id.is(&CUSTOM_RESOURCE_DEFINITION))
            .count()
    };
    let mut cluster = Simulated::settled(&[]);
    cluster.remove();
    let unused = Some(DefinitionUse::Unused);
    assert_eq!(
        definitions(&mut cluster, unused.clone()),
        0,
        "istiod is there"
    );
    cluster.live.retain(|id, _| !id.is(&DEPLOYMENT));
    assert_eq!(
        definitions(&mut cluster, unused.clone()),
        0,
        "more is to be deleted"
    );
    cluster
        .live
        .retain(|id, _| id.is(&CUSTOM_RESOURCE_DEFINITION));
    assert_eq!(definitions(&mut cluster, unused), 15);
    assert_eq!(definitions(&mut cluster, None), 0, "nobody knows");
    let used = DefinitionUse::Used("there are gateways".to_owned());
    assert_eq!(definitions(&mut cluster, Some(used)), 0);
}

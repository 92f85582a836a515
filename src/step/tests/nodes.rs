//! What nodes do to the switch: they go away and come back, join, and may run no node agent at all.

use std::time::Duration;

use expect_test::{Expect, expect};
use k8s_openapi::api::core::v1::{Node, Pod};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::k8s::kind::{DAEMON_SET, MUTATING_WEBHOOK};
use crate::observed::collection::Collection;
use crate::simulated::{BOTH_PATHS, Simulated, node, waiting_pod};
use crate::step::deadlines::Timeouts;
use crate::step::{Step, next_step};

#[track_caller]
fn check(cluster: &mut Simulated, expected: &Expect) {
    expected.assert_eq(&cluster.run());
}

/// The same, with other fields.
fn changed<T: Serialize + DeserializeOwned>(value: &T, change: impl Fn(&mut Value)) -> T {
    let mut json = serde_json::to_value(value).unwrap();
    change(&mut json);
    serde_json::from_value(json).unwrap()
}

fn set_node(cluster: &mut Simulated, with: &Node) {
    let nodes = &mut cluster.agent.nodes;
    nodes.retain(|it| it.metadata.name != with.metadata.name);
    nodes.push(with.clone());
}

/// A pod whose `istio-validation` waits for the plugin on that node.
fn bound_pod(node: &str) -> Pod {
    changed(&waiting_pod("a"), |it| it["spec"]["nodeName"] = json!(node))
}

#[test]
fn the_node_agent_stays_until_every_node_with_it_is_back_or_gone() {
    let mut cluster = Simulated::settled(&BOTH_PATHS);
    set_node(&mut cluster, &node("n3", "Unknown"));
    cluster.configure(&[]);
    check(
        &mut cluster,
        &expect![[r#"
        Draining: apply 2 ConfigMap
        Draining: wait: looking once more for pods that need the CNI node agent
        Draining: wait: the CNI node agent stays, as n3 is not Ready
    "#]],
    );
    assert!(cluster.assess().1.watched().contains(&Collection::Nodes));
    cluster.now = Timeouts::default().switching;
    check(
        &mut cluster,
        &expect![[r#"
            Draining: waiting: the CNI node agent stays, as n3 is not Ready (bring it back, or: kubectl delete node n3); continues at the next update-status, or: juju run pilot/leader reconcile
        "#]],
    );
    let mut back = cluster.clone();
    set_node(&mut back, &node("n3", "True"));
    back.begin_hook(Timeouts::default());
    check(
        &mut back,
        &expect![[r#"
        Draining: wait: looking once more for pods that need the CNI node agent
        Removing: delete DaemonSet istio-cni-node
        Off: delete ConfigMap istio-cni-config, ServiceAccount istio-cni, 2 ClusterRole, 2 ClusterRoleBinding
        Off: active: CNI off
    "#]],
    );
    cluster
        .agent
        .nodes
        .retain(|it| it.metadata.name.as_deref() != Some("n3"));
    cluster.begin_hook(Timeouts::default());
    check(
        &mut cluster,
        &expect![[r#"
        Draining: wait: looking once more for pods that need the CNI node agent
        Removing: delete DaemonSet istio-cni-node
        Off: delete ConfigMap istio-cni-config, ServiceAccount istio-cni, 2 ClusterRole, 2 ClusterRoleBinding
        Off: active: CNI off
    "#]],
    );
}

#[test]
fn a_node_that_goes_away_while_the_node_agent_goes_keeps_its_rights() {
    let mut cluster = Simulated::settled(&BOTH_PATHS);
    cluster.configure(&[]);
    let pods = cluster.agent.pods.clone();
    cluster.step_until("delete DaemonSet");
    cluster.agent.pods = vec![pods[2].clone()];
    set_node(&mut cluster, &node("n3", "Unknown"));
    check(
        &mut cluster,
        &expect![[r#"
        Removing: wait: removing istio-cni-node, 1 pod left
    "#]],
    );
    cluster.now = Timeouts::default().switching;
    check(
        &mut cluster,
        &expect![[r#"
        Removing: waiting: removing istio-cni-node, 1 pod left (n3 is not Ready; bring it back, or: kubectl delete node n3); continues at the next update-status, or: juju run pilot/leader reconcile
    "#]],
    );
}

#[test]
fn a_removal_leaves_rights_for_a_node_that_is_away_and_says_so() {
    let mut cluster = Simulated::settled(&BOTH_PATHS);
    set_node(&mut cluster, &node("n3", "Unknown"));
    cluster.remove();
    let mut story = cluster.run();
    for second in [20, 40] {
        cluster.now = Duration::from_secs(second);
        story.push_str(&cluster.run());
    }
    cluster.now = Duration::from_secs(60);
    let (observed, assessment) = cluster.assess();
    let step = next_step(&assessment, &cluster.journal, cluster.now);
    let Step::Finish(conditions) = step else {
        panic!("{step:?}");
    };
    let report = cluster.report(conditions, observed, assessment.clone());
    let log = report.log.iter().map(|it| format!("{it:?}\n"));
    story.extend(log);
    expect![[r#"
        Draining: delete Gateway istio-gateway
        Draining: delete MutatingWebhookConfiguration istio-sidecar-injector-mesh, ValidatingWebhookConfiguration istio-validator-mesh
        Draining: wait: looking once more for pods that need the CNI node agent
        Draining: wait: the CNI node agent stays, as n3 is not Ready
        Removing: delete DaemonSet istio-cni-node, Deployment istiod, HorizontalPodAutoscaler istiod
        Removing: delete 3 ConfigMap, Service istiod, 2 ServiceAccount, 3 ClusterRole, 3 ClusterRoleBinding, Role istiod, RoleBinding istiod
        Removing: wait: removing istio-cni-node, 1 pod left (n3 is not Ready; bring it back, or: kubectl delete node n3)
        Off: wait: the rights of the CNI node agent stay, as n3 is not Ready (bring it back, or: kubectl delete node n3)
        Warning("the removal is not complete: the rights of the CNI node agent stay, as n3 is not Ready (bring it back, or: kubectl delete node n3)")
        Warning("not removed: ConfigMap mesh/istio-cni-config")
        Warning("not removed: ServiceAccount mesh/istio-cni")
        Warning("not removed: ClusterRole istio-cni")
        Warning("not removed: ClusterRole istio-cni-repair-role")
        Warning("not removed: ClusterRoleBinding istio-cni")
        Warning("not removed: ClusterRoleBinding istio-cni-repair-rolebinding")
        Warning("to remove the rest: kubectl delete serviceaccounts,clusterroles,roles,clusterrolebindings,rolebindings,configmaps,secrets,services,deployments,daemonsets,horizontalpodautoscalers,poddisruptionbudgets,mutatingwebhookconfigurations,validatingwebhookconfigurations --namespace mesh --selector app.kubernetes.io/instance=pilot-mesh,app.kubernetes.io/part-of=istio")
    "#]].assert_eq(&story);
}

#[test]
fn a_pod_on_a_node_that_is_away_does_not_hold_the_node_agent_of_the_others() {
    let mut cluster = Simulated::settled(&BOTH_PATHS);
    set_node(&mut cluster, &node("n4", "Unknown"));
    cluster.pending = vec![bound_pod("n4"), bound_pod("n5")];
    cluster.configure(&[]);
    check(
        &mut cluster,
        &expect![[r#"
        Draining: apply 2 ConfigMap
        Draining: wait: looking once more for pods that need the CNI node agent
        Removing: delete DaemonSet istio-cni-node
        Off: delete ConfigMap istio-cni-config, ServiceAccount istio-cni, 2 ClusterRole, 2 ClusterRoleBinding
        Off: active: CNI off
    "#]],
    );
    let mut cluster = Simulated::settled(&BOTH_PATHS);
    cluster.pending = vec![bound_pod("n1")];
    cluster.configure(&[]);
    check(
        &mut cluster,
        &expect![[r#"
        Draining: apply 2 ConfigMap
        Draining: wait: pods that still need the CNI node agent: shop/a
    "#]],
    );
}

#[test]
fn pods_that_webhooks_may_hold_are_awaited() {
    let mut cluster = Simulated::settled(&BOTH_PATHS);
    cluster.put_as_it_is(json!({
        "apiVersion": MUTATING_WEBHOOK.api_version(), "kind": MUTATING_WEBHOOK.kind,
        "metadata": {"name": "kyverno"},
        "webhooks": [{
            "name": "mutate.kyverno.svc-fail", "timeoutSeconds": 12,
            "rules": [{
                "operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"],
                "resources": ["pods"],
            }],
        }],
    }));
    cluster.configure(&[]);
    check(
        &mut cluster,
        &expect![[r#"
        Draining: apply 2 ConfigMap
        Draining: wait: looking for pods that the webhook kyverno may hold for up to 12 s
        Removing: delete DaemonSet istio-cni-node
        Off: delete ConfigMap istio-cni-config, ServiceAccount istio-cni, 2 ClusterRole, 2 ClusterRoleBinding
        Off: active: CNI off
    "#]],
    );
    assert_eq!(cluster.now.as_secs(), 12);
}

/// A cluster on which the CNI is being switched on, with one more node, whose agent is not ready.
fn with_another_node(node: &Node) -> Simulated {
    let mut cluster = Simulated::settled(&[]);
    cluster.agent.nodes.push(node.clone());
    cluster.configure(&BOTH_PATHS);
    cluster.step_until("DaemonSet");
    cluster.fail_agent("n4", &json!({"waiting": {"reason": "ContainerCreating"}}));
    cluster.change(&DAEMON_SET, |it| {
        it["metadata"]["creationTimestamp"] = json!("2026-01-01T00:00:10Z");
        it["status"]["desiredNumberScheduled"] = json!(4);
        it["status"]["updatedNumberScheduled"] = json!(4);
        it["status"]["numberReady"] = json!(3);
    });
    cluster
}

#[test]
fn a_node_that_can_run_no_agent_does_not_count_and_is_named() {
    let mut story = String::new();
    for label in [
        json!({"type": "virtual-kubelet"}),
        json!({"eks.amazonaws.com/compute-type": "fargate"}),
    ] {
        let unable = changed(&node("n4", "True"), |it| {
            it["metadata"]["labels"] = label.clone();
        });
        let mut cluster = with_another_node(&unable);
        story.push_str(&cluster.run());
        let (observed, assessment) = cluster.assess();
        let report = cluster.report(Vec::new(), observed, assessment);
        story.extend(report.log.iter().map(|it| format!("{it:?}\n")));
    }
    expect![[r#"
        On: apply 2 ConfigMap
        On: active: CNI on (3/3 nodes)
        Warning("n4 can run no node agent: pods with a sidecar do not start there while the CNI is on")
        On: apply 2 ConfigMap
        On: active: CNI on (3/3 nodes)
        Warning("n4 can run no node agent: pods with a sidecar do not start there while the CNI is on")
    "#]].assert_eq(&story);
}

#[test]
fn a_node_that_joins_does_not_hold_the_switch_unless_something_fails_there() {
    let joining = changed(&node("n4", "True"), |it| {
        it["metadata"]["creationTimestamp"] = json!("2026-01-01T00:00:11Z");
    });
    let mut cluster = with_another_node(&joining);
    check(
        &mut cluster,
        &expect![[r#"
        On: apply 2 ConfigMap
        On: wait: istio-cni-node 3/4 nodes
    "#]],
    );
    let mut cluster = with_another_node(&joining);
    let pull = json!({"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}});
    cluster.fail_agent("n4", &pull);
    check(
        &mut cluster,
        &expect![[r#"
        RollingOut: wait: istio-cni-node 3/4 nodes
    "#]],
    );
    // Times are whole seconds: a node of the same second may have been there before.
    for time in ["2026-01-01T00:00:09Z", "2026-01-01T00:00:10Z"] {
        let older = changed(&joining, |it| {
            it["metadata"]["creationTimestamp"] = json!(time);
        });
        let story = with_another_node(&older).run();
        assert_eq!(
            story, "RollingOut: wait: istio-cni-node 3/4 nodes\n",
            "{time}"
        );
    }
}

#[test]
fn nodes_that_have_all_joined_later_count() {
    let joined = |node: &Node| {
        changed(node, |it| {
            it["metadata"]["creationTimestamp"] = json!("2026-01-01T00:00:11Z");
        })
    };
    let mut cluster = with_another_node(&joined(&node("n4", "True")));
    cluster.agent.nodes = cluster.agent.nodes.iter().map(joined).collect();
    for node in ["n1", "n2", "n3"] {
        cluster.fail_agent(node, &json!({"waiting": {"reason": "ContainerCreating"}}));
    }
    cluster.change(&DAEMON_SET, |it| it["status"]["numberReady"] = json!(0));
    check(
        &mut cluster,
        &expect![[r#"
        RollingOut: wait: istio-cni-node 0/4 nodes
    "#]],
    );
}

#[test]
fn once_on_nodes_without_a_ready_agent_are_named_when_it_takes_long() {
    let mut cluster = Simulated::settled(&BOTH_PATHS);
    cluster.fail_agent("n2", &json!({"running": {}}));
    check(
        &mut cluster,
        &expect![[r#"
        On: wait: istio-cni-node 2/3 nodes
    "#]],
    );
    cluster.now = Timeouts::default().ordinary;
    check(
        &mut cluster,
        &expect![[r#"
        On: waiting: istio-cni-node 2/3 nodes (n2: running, not ready); continues at the next update-status, or: juju run pilot/leader reconcile
    "#]],
    );
    set_node(&mut cluster, &node("n2", "Unknown"));
    cluster.begin_hook(Timeouts::default());
    check(
        &mut cluster,
        &expect![[r#"
        On: active: CNI on (2/3 nodes)
    "#]],
    );
}

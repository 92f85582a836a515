//! The same loop with nothing intended.

use std::time::Duration;

use expect_test::expect;
use serde_json::json;

use super::check;
use crate::k8s::kind::DAEMON_SET;
use crate::simulated::{BOTH_PATHS, Simulated, waiting_pod};

#[test]
fn a_removal_goes_backwards_and_drains_the_node_agent() {
    let mut cluster = Simulated::settled(&BOTH_PATHS);
    cluster.pending.push(waiting_pod("a"));
    cluster.remove();
    check(
        &mut cluster,
        &expect![[r#"
            Draining: delete Gateway istio-gateway
            Draining: delete MutatingWebhookConfiguration istio-sidecar-injector-mesh, ValidatingWebhookConfiguration istio-validator-mesh
            Draining: wait: pods that still need the CNI node agent: shop/a
        "#]],
    );
    // Such a pod holds it for 20 s and no longer.
    cluster.now = Duration::from_secs(20);
    check(
        &mut cluster,
        &expect![[r#"
        Removing: delete DaemonSet istio-cni-node, Deployment istiod, HorizontalPodAutoscaler istiod
        Off: delete 4 ConfigMap, Service istiod, 3 ServiceAccount, 5 ClusterRole, 5 ClusterRoleBinding, Role istiod, RoleBinding istiod
        Off: delete 15 CustomResourceDefinition
        Off: active
    "#]],
    );
}

#[test]
fn a_removal_leaves_the_rights_of_the_node_agent_to_its_pods() {
    let mut cluster = Simulated::settled(&BOTH_PATHS);
    let pods = cluster.agent.pods.clone();
    cluster.remove();
    cluster.step_until("DaemonSet");
    cluster.agent.pods = pods;
    check(
        &mut cluster,
        &expect![[r#"
            Removing: delete 3 ConfigMap, Service istiod, 2 ServiceAccount, 3 ClusterRole, 3 ClusterRoleBinding, Role istiod, RoleBinding istiod
            Removing: wait: removing istio-cni-node, 3 pods left
        "#]],
    );
    cluster.now = Duration::from_secs(40);
    check(
        &mut cluster,
        &expect![[r#"
        Off: delete ConfigMap istio-cni-config, ServiceAccount istio-cni, 2 ClusterRole, 2 ClusterRoleBinding
        Off: delete 15 CustomResourceDefinition
        Off: active
    "#]],
    );
}

#[test]
fn a_removal_leaves_definitions_that_others_use() {
    let mut cluster = Simulated::settled(&[]);
    cluster.custom_resources = Some("there are gateways".to_owned());
    cluster.remove();
    check(
        &mut cluster,
        &expect![[r#"
            Off: delete Gateway istio-gateway
            Off: delete MutatingWebhookConfiguration istio-sidecar-injector-mesh, ValidatingWebhookConfiguration istio-validator-mesh
            Off: delete Deployment istiod, HorizontalPodAutoscaler istiod
            Off: delete 3 ConfigMap, Service istiod, 2 ServiceAccount, 3 ClusterRole, 3 ClusterRoleBinding, Role istiod, RoleBinding istiod
            Off: active
        "#]],
    );
    let mut cluster = Simulated::settled(&[]);
    cluster.put_as_it_is(json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "istiod-canary", "namespace": "other", "uid": "theirs"},
    }));
    cluster.remove();
    check(
        &mut cluster,
        &expect![[r#"
            Off: delete Gateway istio-gateway
            Off: delete MutatingWebhookConfiguration istio-sidecar-injector-mesh, ValidatingWebhookConfiguration istio-validator-mesh
            Off: delete Deployment istiod, HorizontalPodAutoscaler istiod
            Off: delete 3 ConfigMap, Service istiod, 2 ServiceAccount, 3 ClusterRole, 3 ClusterRoleBinding, Role istiod, RoleBinding istiod
            Off: active
        "#]],
    );
}

#[test]
fn a_removal_touches_nothing_of_others() {
    let mut cluster = Simulated::settled(&BOTH_PATHS);
    cluster.change(&DAEMON_SET, |it| {
        it["metadata"]["labels"]["app.kubernetes.io/instance"] = json!("other-mesh");
    });
    cluster.remove();
    check(
        &mut cluster,
        &expect![[r#"
            Removing: delete Gateway istio-gateway
            Removing: delete MutatingWebhookConfiguration istio-sidecar-injector-mesh, ValidatingWebhookConfiguration istio-validator-mesh
            Removing: delete Deployment istiod, HorizontalPodAutoscaler istiod
            Removing: delete 3 ConfigMap, Service istiod, 2 ServiceAccount, 3 ClusterRole, 3 ClusterRoleBinding, Role istiod, RoleBinding istiod
            Removing: wait: removing istio-cni-node, 3 pods left
        "#]],
    );
    assert!(cluster.live.values().any(|it| it.is(&DAEMON_SET)));
}

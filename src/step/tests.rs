//! Whole stories of the pure middle: what is done in which order, and how it ends.

mod ingress;
mod junk;
mod mesh;
mod nodes;
mod quarrels;
mod removal;
mod stopped;
mod switch;
mod tokens;
mod upgrade;

use expect_test::{Expect, expect};
use serde_json::json;

use crate::k8s::kind::{
    CONFIG_MAP, CUSTOM_RESOURCE_DEFINITION, DAEMON_SET, DEPLOYMENT, MUTATING_WEBHOOK,
};
use crate::simulated::{BOTH_PATHS, Simulated};
use crate::step::deadlines::Timeouts;

#[track_caller]
fn check(cluster: &mut Simulated, expected: &Expect) {
    expected.assert_eq(&cluster.run());
}

#[test]
fn an_empty_cluster_gets_definitions_then_the_rest_and_webhooks_last() {
    check(
        &mut Simulated::new(&[]),
        &expect![[r#"
            Off: apply 15 CustomResourceDefinition
            Off: apply 3 ConfigMap, 2 ServiceAccount, 3 ClusterRole, 3 ClusterRoleBinding, Role istiod, RoleBinding istiod, Service istiod, Deployment istiod, HorizontalPodAutoscaler istiod
            Off: apply ValidatingWebhookConfiguration istio-validator-mesh, MutatingWebhookConfiguration istio-sidecar-injector-mesh, Gateway istio-gateway
            Off: active: CNI off
        "#]],
    );
}

#[test]
fn nothing_is_done_where_all_is_as_asked() {
    check(
        &mut Simulated::settled(&[]),
        &expect![[r#"
        Off: active: CNI off
    "#]],
    );
    check(
        &mut Simulated::settled(&BOTH_PATHS),
        &expect![[r#"
        On: active: CNI on (3/3 nodes)
    "#]],
    );
}

#[test]
fn webhooks_wait_for_istiod() {
    let mut cluster = Simulated::new(&[]);
    cluster.istiod_is_ready = false;
    check(
        &mut cluster,
        &expect![[r#"
        Off: apply 15 CustomResourceDefinition
        Off: apply 3 ConfigMap, 2 ServiceAccount, 3 ClusterRole, 3 ClusterRoleBinding, Role istiod, RoleBinding istiod, Service istiod, Deployment istiod, HorizontalPodAutoscaler istiod
        Off: wait: istiod 0/1 ready
    "#]],
    );
    cluster.now = Timeouts::default().ordinary;
    check(
        &mut cluster,
        &expect![[r#"
        Off: waiting: istiod 0/1 ready; continues at the next update-status, or: juju run pilot/leader reconcile
    "#]],
    );
}

#[test]
fn nothing_follows_definitions_that_are_not_served() {
    let mut cluster = Simulated::settled(&[]);
    cluster.live.retain(|id, _| !id.is(&DEPLOYMENT));
    cluster.change(&CUSTOM_RESOURCE_DEFINITION, |it| it["status"] = json!({}));
    check(
        &mut cluster,
        &expect![[r#"
        Off: wait: authorizationpolicies.security.istio.io not established yet
    "#]],
    );
}

#[test]
fn webhooks_that_exist_are_set_back_without_istiod() {
    let mut cluster = Simulated::settled(&[]);
    cluster.change(&DEPLOYMENT, |it| {
        it["status"]["availableReplicas"] = json!(0);
    });
    cluster.change(&MUTATING_WEBHOOK, |it| {
        it["webhooks"][0]["failurePolicy"] = json!("Ignore");
    });
    check(
        &mut cluster,
        &expect![[r#"
        Off: apply MutatingWebhookConfiguration istio-sidecar-injector-mesh
        Off: wait: istiod 0/1 ready
    "#]],
    );
}

#[test]
fn drift_is_set_back() {
    let mut cluster = Simulated::settled(&[]);
    cluster.change(&CONFIG_MAP, |it| {
        for value in it["data"].as_object_mut().unwrap().values_mut() {
            *value = json!("edited");
        }
    });
    check(
        &mut cluster,
        &expect![[r#"
        Off: apply ConfigMap istio
        Off: active: CNI off
    "#]],
    );
}

#[test]
fn nothing_goes_before_everything_wanted_is_there() {
    let mut cluster = Simulated::settled(&BOTH_PATHS);
    cluster.configure(&[]);
    let gone = [DAEMON_SET, MUTATING_WEBHOOK];
    cluster
        .live
        .retain(|id, _| !gone.iter().any(|it| id.is(it)));
    cluster.agent.pods.clear();
    cluster.change(&DEPLOYMENT, |it| {
        it["status"]["availableReplicas"] = json!(0);
    });
    check(
        &mut cluster,
        &expect![[r#"
            Off: delete ConfigMap istio-cni-config, ServiceAccount istio-cni, 2 ClusterRole, 2 ClusterRoleBinding
            Off: apply 2 ConfigMap
            Off: wait: istiod 0/1 ready
        "#]],
    );
}

#[test]
fn another_control_plane_is_in_the_way_and_nothing_is_changed() {
    let mut cluster = Simulated::new(&BOTH_PATHS);
    cluster.put_as_it_is(json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "istiod", "namespace": "other", "labels": {"istio.io/rev": "default"}},
    }));
    cluster.put_as_it_is(json!({
        "apiVersion": "apps/v1", "kind": "DaemonSet",
        "metadata": {"name": "istio-cni-node", "namespace": "other"},
    }));
    check(
        &mut cluster,
        &expect![[r#"
        RollingOut: blocked: DaemonSet other/istio-cni-node belongs to another CNI node agent of this cluster; remove it first (+1 more, see debug-log)
    "#]],
    );
}

#[test]
fn an_object_of_others_is_in_the_way() {
    let mut cluster = Simulated::settled(&[]);
    cluster.change(&DEPLOYMENT, |it| {
        it["metadata"]["annotations"] = json!({"meta.helm.sh/release-name": "istiod"});
    });
    check(
        &mut cluster,
        &expect![[r#"
        Off: blocked: Deployment mesh/istiod belongs to the Helm release istiod; remove it first
    "#]],
    );
}

//! What may be applied and deleted in which state of the cluster.

use super::*;
use crate::k8s::kind::{GATEWAY, HORIZONTAL_POD_AUTOSCALER, MUTATING_WEBHOOK, VALIDATING_WEBHOOK};
use crate::k8s::object::ObjectId;
use crate::plan::{Deletion, Upsert};
use crate::simulated::{counted, waiting_pod};

/// What the gate lets through, what it holds, and what that waits for.
fn gate(cluster: &mut Simulated) -> String {
    let (_, assessment) = cluster.assess();
    let (plan, gate) = (&assessment.plan, &assessment.gate);
    let (applied, held): (Vec<&Upsert>, Vec<&Upsert>) =
        plan.upserts.iter().partition(|it| gate.allows_upsert(it));
    let (deleted, kept): (Vec<&Deletion>, Vec<&Deletion>) = plan
        .deletions
        .iter()
        .partition(|it| gate.allows_deletion(it));
    let upserts = |of: &[&Upsert]| counted(of.iter().map(|it| it.object.id()));
    let deletions = |of: &[&Deletion]| counted(of.iter().map(|it| &it.id));
    let parts = [
        ("apply", upserts(&applied)),
        ("not apply", upserts(&held)),
        ("delete", deletions(&deleted)),
        ("not delete", deletions(&kept)),
    ];
    let mut lines = vec![format!("{:?}", assessment.phase)];
    let parts = parts.iter().filter(|(_, ids)| !ids.is_empty());
    lines.extend(parts.map(|(what, ids)| format!("  {what}: {ids}")));
    lines.extend(gate.awaited.iter().map(|it| format!("  awaits: {it}")));
    lines.join("\n") + "\n"
}

fn is_webhook(id: &ObjectId) -> bool {
    id.is(&MUTATING_WEBHOOK) || id.is(&VALIDATING_WEBHOOK)
}

/// An installed control plane without its webhooks.
fn without_webhooks() -> Simulated {
    let mut cluster = Simulated::settled(&[]);
    cluster.live.retain(|id, _| !is_webhook(id));
    cluster
}

#[test]
fn definitions_come_first_and_must_be_served() {
    let mut cluster = Simulated::new(&[]);
    let mut table = gate(&mut cluster);
    cluster.take_step();
    table.push_str(&gate(&mut cluster));
    cluster.change(&CUSTOM_RESOURCE_DEFINITION, |it| it["status"] = json!({}));
    table.push_str(&gate(&mut cluster));
    expect![[r#"
        Off
          apply: 15 CustomResourceDefinition
          not apply: 3 ConfigMap, 2 ServiceAccount, 3 ClusterRole, 3 ClusterRoleBinding, Role istiod, RoleBinding istiod, Service istiod, Deployment istiod, HorizontalPodAutoscaler istiod, ValidatingWebhookConfiguration istio-validator-mesh, MutatingWebhookConfiguration istio-sidecar-injector-mesh, Gateway istio-gateway
        Off
          apply: 3 ConfigMap, 2 ServiceAccount, 3 ClusterRole, 3 ClusterRoleBinding, Role istiod, RoleBinding istiod, Service istiod, Deployment istiod, HorizontalPodAutoscaler istiod
          not apply: ValidatingWebhookConfiguration istio-validator-mesh, MutatingWebhookConfiguration istio-sidecar-injector-mesh, Gateway istio-gateway
          awaits: istiod not created yet
        Off
          not apply: 3 ConfigMap, 2 ServiceAccount, 3 ClusterRole, 3 ClusterRoleBinding, Role istiod, RoleBinding istiod, Service istiod, Deployment istiod, HorizontalPodAutoscaler istiod, ValidatingWebhookConfiguration istio-validator-mesh, MutatingWebhookConfiguration istio-sidecar-injector-mesh, Gateway istio-gateway
          awaits: authorizationpolicies.security.istio.io not established yet
    "#]].assert_eq(&table);
}

#[test]
fn new_webhooks_wait_for_istiod() {
    let mut cluster = without_webhooks();
    let mut table = gate(&mut cluster);
    let mut istiod = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut cluster = without_webhooks();
        cluster.change(&DEPLOYMENT, change);
        table.push_str(&gate(&mut cluster));
    };
    istiod(&|it| it["metadata"]["generation"] = json!(2));
    istiod(&|it| it["status"]["availableReplicas"] = json!(0));
    istiod(&|it| {
        it["status"]["availableReplicas"] = json!(0);
        it["status"]["conditions"] = json!([
            {"type": "Progressing", "reason": "ProgressDeadlineExceeded", "message": "too slow"},
            {"type": "ReplicaFailure", "status": "True", "message": "exceeded quota"},
        ]);
    });
    cluster.live.retain(|id, _| !id.is(&DEPLOYMENT));
    table.push_str(&gate(&mut cluster));
    expect![[r#"
        Off
          apply: ValidatingWebhookConfiguration istio-validator-mesh, MutatingWebhookConfiguration istio-sidecar-injector-mesh
        Off
          not apply: ValidatingWebhookConfiguration istio-validator-mesh, MutatingWebhookConfiguration istio-sidecar-injector-mesh
          awaits: istiod rollout not begun
        Off
          not apply: ValidatingWebhookConfiguration istio-validator-mesh, MutatingWebhookConfiguration istio-sidecar-injector-mesh
          awaits: istiod 0/1 ready
        Off
          not apply: ValidatingWebhookConfiguration istio-validator-mesh, MutatingWebhookConfiguration istio-sidecar-injector-mesh
          awaits: istiod 0/1 ready (exceeded quota)
        Off
          apply: Deployment istiod
          not apply: ValidatingWebhookConfiguration istio-validator-mesh, MutatingWebhookConfiguration istio-sidecar-injector-mesh
          awaits: istiod not created yet
    "#]].assert_eq(&table);
}

#[test]
fn webhooks_that_exist_wait_for_nothing() {
    let mut cluster = Simulated::settled(&[]);
    cluster.live.retain(|id, _| !id.is(&VALIDATING_WEBHOOK));
    cluster.change(&DEPLOYMENT, |it| {
        it["status"]["availableReplicas"] = json!(0);
    });
    cluster.change(&MUTATING_WEBHOOK, |it| {
        it["webhooks"][0]["failurePolicy"] = json!("Ignore");
    });
    expect![[r#"
        Off
          apply: MutatingWebhookConfiguration istio-sidecar-injector-mesh
          not apply: ValidatingWebhookConfiguration istio-validator-mesh
          awaits: istiod 0/1 ready
    "#]]
    .assert_eq(&gate(&mut cluster));
}

#[test]
fn what_is_wanted_no_more_goes_in_any_wave_while_a_control_plane_is_wanted() {
    let mut cluster = Simulated::settled(&BOTH_PATHS);
    cluster.configure(&[]);
    cluster.live.retain(|id, _| !id.is(&DAEMON_SET));
    cluster.agent.pods.clear();
    expect![[r#"
        Off
          apply: 2 ConfigMap
          delete: ConfigMap istio-cni-config, ServiceAccount istio-cni, 2 ClusterRole, 2 ClusterRoleBinding
    "#]].assert_eq(&gate(&mut cluster));
}

#[test]
fn a_removal_goes_wave_by_wave_from_the_last() {
    let mut cluster = Simulated::settled(&[]);
    cluster.remove();
    let mut table = String::new();
    for _ in 0..5 {
        table.push_str(&gate(&mut cluster));
        cluster.take_step();
    }
    expect![[r#"
        Off
          delete: Gateway istio-gateway
          not delete: MutatingWebhookConfiguration istio-sidecar-injector-mesh, ValidatingWebhookConfiguration istio-validator-mesh, Deployment istiod, HorizontalPodAutoscaler istiod, 3 ConfigMap, Service istiod, 2 ServiceAccount, 3 ClusterRole, 3 ClusterRoleBinding, Role istiod, RoleBinding istiod
        Off
          delete: MutatingWebhookConfiguration istio-sidecar-injector-mesh, ValidatingWebhookConfiguration istio-validator-mesh
          not delete: Deployment istiod, HorizontalPodAutoscaler istiod, 3 ConfigMap, Service istiod, 2 ServiceAccount, 3 ClusterRole, 3 ClusterRoleBinding, Role istiod, RoleBinding istiod
        Off
          delete: Deployment istiod, HorizontalPodAutoscaler istiod
          not delete: 3 ConfigMap, Service istiod, 2 ServiceAccount, 3 ClusterRole, 3 ClusterRoleBinding, Role istiod, RoleBinding istiod
        Off
          delete: 3 ConfigMap, Service istiod, 2 ServiceAccount, 3 ClusterRole, 3 ClusterRoleBinding, Role istiod, RoleBinding istiod
        Off
          delete: 15 CustomResourceDefinition
    "#]].assert_eq(&table);
}

#[test]
fn pods_that_need_the_node_agent_hold_workloads_and_what_is_below_them() {
    let mut cluster = Simulated::settled(&BOTH_PATHS);
    cluster.pending.push(waiting_pod("a"));
    cluster.remove();
    cluster.step_until("Gateway");
    let mut table = gate(&mut cluster);
    cluster.take_step();
    table.push_str(&gate(&mut cluster));
    for gone in [DEPLOYMENT, HORIZONTAL_POD_AUTOSCALER] {
        cluster.live.retain(|id, _| !id.is(&gone));
        table.push_str(&gate(&mut cluster));
    }
    expect![[r#"
        Draining
          delete: MutatingWebhookConfiguration istio-sidecar-injector-mesh, ValidatingWebhookConfiguration istio-validator-mesh
          not delete: Deployment istiod, HorizontalPodAutoscaler istiod, 3 ConfigMap, Service istiod, 2 ServiceAccount, 3 ClusterRole, 3 ClusterRoleBinding, Role istiod, RoleBinding istiod
        Draining
          not delete: Deployment istiod, HorizontalPodAutoscaler istiod, 3 ConfigMap, Service istiod, 2 ServiceAccount, 3 ClusterRole, 3 ClusterRoleBinding, Role istiod, RoleBinding istiod
        Draining
          not delete: HorizontalPodAutoscaler istiod, 3 ConfigMap, Service istiod, 2 ServiceAccount, 3 ClusterRole, 3 ClusterRoleBinding, Role istiod, RoleBinding istiod
        Draining
          not delete: 3 ConfigMap, Service istiod, 2 ServiceAccount, 3 ClusterRole, 3 ClusterRoleBinding, Role istiod, RoleBinding istiod
    "#]].assert_eq(&table);
}

#[test]
fn a_removal_waits_for_what_is_being_deleted_but_not_for_definitions() {
    let leaving = |it: &mut serde_json::Value| {
        it["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    };
    let mut cluster = without_webhooks();
    cluster.live.retain(|id, _| !id.is(&GATEWAY));
    cluster.remove();
    cluster.change(&DEPLOYMENT, leaving);
    let mut table = gate(&mut cluster);
    cluster
        .live
        .retain(|id, _| id.is(&CUSTOM_RESOURCE_DEFINITION));
    cluster.change(&CUSTOM_RESOURCE_DEFINITION, leaving);
    table.push_str(&gate(&mut cluster));
    expect![[r#"
        Off
          delete: Deployment istiod, HorizontalPodAutoscaler istiod
          not delete: 3 ConfigMap, Service istiod, 2 ServiceAccount, 3 ClusterRole, 3 ClusterRoleBinding, Role istiod, RoleBinding istiod
          awaits: deleting Deployment mesh/istiod
        Off
          delete: 15 CustomResourceDefinition
    "#]].assert_eq(&table);
}

//! What does not go on by itself: something that a person has stopped, deleted or forbidden.

use std::time::Duration;

use expect_test::{Expect, expect};
use serde_json::json;

use crate::cluster::error::FailureKind;
use crate::k8s::kind::{CONFIG_MAP, CUSTOM_RESOURCE_DEFINITION, DAEMON_SET, DEPLOYMENT};
use crate::observed::Effect;
use crate::observed::attempts::Refusal;
use crate::simulated::{BOTH_PATHS, Simulated};
use crate::step::deadlines::Timeouts;

#[track_caller]
fn check(cluster: &mut Simulated, expected: &Expect) {
    expected.assert_eq(&cluster.run());
}

/// A hook that begins where everything is as asked, after a change of one object.
#[track_caller]
fn check_after(options: &[(&str, &str)], change: impl Fn(&mut Simulated), expected: &Expect) {
    let mut cluster = Simulated::settled(options);
    change(&mut cluster);
    check(&mut cluster, expected);
}

#[test]
fn an_istiod_that_somebody_has_stopped_is_not_active() {
    let to_zero = |it: &mut Simulated| {
        it.change(&DEPLOYMENT, |it| {
            it["spec"]["replicas"] = json!(0);
            it["status"] = json!({"observedGeneration": 1});
        });
    };
    check_after(
        &[],
        to_zero,
        &expect![[r#"
        Off: waiting: istiod has 0 replicas, so no pod is injected (run: kubectl scale --replicas=1 deployment istiod --namespace mesh); continues at the next update-status, or: juju run pilot/leader reconcile
    "#]],
    );
    check_after(
        &BOTH_PATHS,
        to_zero,
        &expect![[r#"
        On: waiting: istiod has 0 replicas, so no pod is injected (run: kubectl scale --replicas=1 deployment istiod --namespace mesh); continues at the next update-status, or: juju run pilot/leader reconcile
    "#]],
    );
    let paused = |it: &mut Simulated| {
        it.change(&DEPLOYMENT, |it| {
            it["spec"]["paused"] = json!(true);
            it["status"]["updatedReplicas"] = json!(0);
        });
    };
    check_after(
        &[],
        paused,
        &expect![[r#"
        Off: waiting: istiod is paused (run: kubectl rollout resume deployment istiod --namespace mesh); continues at the next update-status, or: juju run pilot/leader reconcile
    "#]],
    );
    let paused_in_time = |it: &mut Simulated| {
        it.change(&DEPLOYMENT, |it| it["spec"]["paused"] = json!(true));
    };
    check_after(
        &[],
        paused_in_time,
        &expect![[r#"
        Off: active: CNI off
    "#]],
    );
}

#[test]
fn an_istiod_whose_pods_the_cluster_forbids_is_blocked_with_the_command() {
    for message in [
        r#"pods "istiod" is forbidden: violates PodSecurity "restricted:latest": seccompProfile"#,
        "insufficient quota to match these scopes: [{PriorityClass In [system-cluster-critical]}]",
    ] {
        let mut cluster = Simulated::new(&[]);
        cluster.istiod_is_ready = false;
        cluster.run();
        cluster.change(&DEPLOYMENT, |it| {
            let failure = json!({"type": "ReplicaFailure", "status": "True", "message": message});
            it["status"]["conditions"] = json!([failure]);
        });
        let mut story = cluster.run();
        cluster.now = std::time::Duration::from_secs(15);
        story.push_str(&cluster.run());
        let expected = if message.contains("quota") {
            expect![[r#"
                Off: blocked: this cluster needs a quota for the priority class of istiod; run: kubectl create quota istio-priority --namespace mesh --hard=pods=1000 --scopes=PriorityClass
                Off: blocked: this cluster needs a quota for the priority class of istiod; run: kubectl create quota istio-priority --namespace mesh --hard=pods=1000 --scopes=PriorityClass
            "#]]
        } else {
            expect![[r#"
                Off: blocked: Pod Security refuses istiod; run: kubectl label namespace mesh --overwrite pod-security.kubernetes.io/enforce=privileged
                Off: blocked: Pod Security refuses istiod; run: kubectl label namespace mesh --overwrite pod-security.kubernetes.io/enforce=privileged
            "#]]
        };
        expected.assert_eq(&story);
    }
}

#[test]
fn a_node_agent_that_the_cluster_would_refuse_does_not_take_the_working_one_away() {
    let mut cluster = Simulated::settled(&BOTH_PATHS);
    let text = "applying DaemonSet mesh/istio-cni-node: the cluster refuses it: no such path";
    cluster.effect_of_applying = Effect::Refused(Refusal {
        kind: FailureKind::Denied("no such path".to_owned()),
        text: text.to_owned(),
    });
    cluster.configure(&[
        ("cni-bin-dir", "/forbidden"),
        ("cni-conf-dir", "/etc/cni/net.d"),
    ]);
    check(
        &mut cluster,
        &expect![[r#"
        On: apply ConfigMap values
        On: blocked: applying DaemonSet mesh/istio-cni-node: the cluster refuses it: no such path
    "#]],
    );
    assert_eq!(cluster.agent.pods.len(), 3);
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
}

#[test]
fn the_node_agent_goes_although_istiod_was_never_ready() {
    let mut cluster = Simulated::new(&BOTH_PATHS);
    cluster.istiod_is_ready = false;
    cluster.injects = Some(Vec::new());
    cluster.run();
    cluster.configure(&[]);
    let mut story = String::new();
    while cluster.live.values().any(|it| it.is(&DAEMON_SET)) && story.len() < 9999 {
        story.push_str(&cluster.run());
    }
    story.push_str(&cluster.run());
    expect![[r#"
        Draining: apply 2 ConfigMap
        Draining: wait: istiod 0/1 ready
        Draining: wait: istiod 0/1 ready
        Removing: delete DaemonSet istio-cni-node
        Off: delete ConfigMap istio-cni-config, ServiceAccount istio-cni, 2 ClusterRole, 2 ClusterRoleBinding
        Off: wait: istiod 0/1 ready
        Off: wait: istiod 0/1 ready
    "#]].assert_eq(&story);
}

#[test]
fn an_object_that_is_being_deleted_is_waited_for_with_what_keeps_it() {
    let delete = |it: &mut serde_json::Value| {
        it["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        it["metadata"]["finalizers"] = json!(["example.test/hold", "foregroundDeletion"]);
    };
    check_after(
        &[],
        |it| it.change(&CONFIG_MAP, delete),
        &expect![[r#"
        Off: wait: deleting ConfigMap mesh/istio
    "#]],
    );
    let mut cluster = Simulated::settled(&BOTH_PATHS);
    cluster.change(&DAEMON_SET, delete);
    cluster.agent.pods.clear();
    cluster.configure(&[]);
    cluster.step_until("wait");
    cluster.now = Timeouts::default().switching;
    check(
        &mut cluster,
        &expect![[r#"
        Removing: waiting: removing istio-cni-node (kept by the finalizer example.test/hold: what set it has to take it off); continues at the next update-status, or: juju run pilot/leader reconcile
    "#]],
    );
}

/// Another control plane, which relies on our node agent or not.
fn canary(cluster: &mut Simulated, relies: bool) {
    cluster.put_as_it_is(json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {
            "name": "istiod-canary", "namespace": "canary",
            "labels": {"istio.io/rev": "canary"},
        },
    }));
    let values = json!({"pilot": {"cni": {"enabled": relies}}}).to_string();
    cluster.put_as_it_is(json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "istio-sidecar-injector-canary", "namespace": "canary"},
        "data": {"values": values},
    }));
}

#[test]
fn the_node_agent_stays_while_another_control_plane_relies_on_it() {
    let mut cluster = Simulated::settled(&BOTH_PATHS);
    canary(&mut cluster, true);
    cluster.configure(&[]);
    let mut story = cluster.run();
    canary(&mut cluster, false);
    cluster.begin_hook(Timeouts::default());
    story.push_str(&cluster.run());
    expect![[r#"
        Draining: apply 2 ConfigMap
        Draining: waiting: the CNI node agent stays, as it serves Deployment canary/istiod-canary too (switch their CNI off first: pilot.cni.enabled=false); continues at the next update-status, or: juju run pilot/leader reconcile
        Draining: wait: looking once more for pods that need the CNI node agent
        Removing: delete DaemonSet istio-cni-node
        Off: delete ConfigMap istio-cni-config, ServiceAccount istio-cni, 2 ClusterRole, 2 ClusterRoleBinding
        Off: active: CNI off
    "#]].assert_eq(&story);
}

#[test]
fn a_removal_leaves_the_node_agent_to_another_control_plane_and_nothing_else() {
    let mut cluster = Simulated::settled(&BOTH_PATHS);
    canary(&mut cluster, true);
    cluster.remove();
    // However long it takes.
    cluster.now = Duration::from_secs(50);
    check(
        &mut cluster,
        &expect![[r#"
            Draining: delete Gateway istio-gateway
            Draining: delete MutatingWebhookConfiguration istio-sidecar-injector-mesh, ValidatingWebhookConfiguration istio-validator-mesh
            Draining: delete Deployment istiod, HorizontalPodAutoscaler istiod
            Draining: delete 3 ConfigMap, Service istiod, 2 ServiceAccount, 3 ClusterRole, 3 ClusterRoleBinding, Role istiod, RoleBinding istiod
            Draining: active
        "#]],
    );
    let left = cluster.live.into_keys();
    let left = left.filter(|id| !id.is(&CUSTOM_RESOURCE_DEFINITION));
    let left: Vec<_> = left.map(|id| format!("{id}\n")).collect();
    expect![[r#"
        ConfigMap canary/istio-sidecar-injector-canary
        ConfigMap mesh/istio-cni-config
        ServiceAccount mesh/istio-cni
        DaemonSet mesh/istio-cni-node
        Deployment canary/istiod-canary
        ClusterRole istio-cni
        ClusterRole istio-cni-repair-role
        ClusterRoleBinding istio-cni
        ClusterRoleBinding istio-cni-repair-rolebinding
    "#]]
    .assert_eq(&left.concat());
}

#[test]
fn an_object_that_is_refused_hides_no_istiod_that_is_not_ready() {
    let mut cluster = Simulated::settled(&[]);
    cluster.live.retain(|id, _| id.name != "values");
    cluster.refuses.insert("values".to_owned());
    cluster.change(&DEPLOYMENT, |it| {
        it["status"]["availableReplicas"] = json!(0);
    });
    check(
        &mut cluster,
        &expect![[r#"
        Off: apply ConfigMap values: refused
        Off: wait: istiod 0/1 ready
    "#]],
    );
}

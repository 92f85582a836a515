//! The CNI switch, and what holds it.

use expect_test::expect;
use serde_json::json;

use super::check;
use crate::istio::{Injection, names};
use crate::k8s::kind::DAEMON_SET;
use crate::observed::Effect;
use crate::simulated::{BOTH_PATHS, Simulated, node, waiting_pod};
use crate::step::deadlines::Timeouts;

#[test]
fn with_both_paths_injection_switches_after_the_node_agent_is_ready() {
    check(
        &mut Simulated::new(&BOTH_PATHS),
        &expect![[r#"
            RollingOut: apply 15 CustomResourceDefinition
            RollingOut: apply 4 ConfigMap, 3 ServiceAccount, 5 ClusterRole, 5 ClusterRoleBinding, Role istiod, RoleBinding istiod, Service istiod, DaemonSet istio-cni-node, Deployment istiod, HorizontalPodAutoscaler istiod
            On: apply 2 ConfigMap, ValidatingWebhookConfiguration istio-validator-mesh, MutatingWebhookConfiguration istio-sidecar-injector-mesh, Gateway istio-gateway
            On: active: CNI on (3/3 nodes)
        "#]],
    );
}

#[test]
fn the_cni_is_switched_on() {
    let mut cluster = Simulated::settled(&[]);
    cluster.configure(&BOTH_PATHS);
    check(
        &mut cluster,
        &expect![[r#"
        RollingOut: apply 2 ConfigMap, ServiceAccount istio-cni, 2 ClusterRole, 2 ClusterRoleBinding, DaemonSet istio-cni-node
        On: apply 2 ConfigMap
        On: active: CNI on (3/3 nodes)
    "#]],
    );
}

#[test]
fn the_cni_is_switched_off() {
    let mut cluster = Simulated::settled(&BOTH_PATHS);
    cluster.configure(&BOTH_PATHS[..1]);
    check(
        &mut cluster,
        &expect![[r#"
            Draining: apply 2 ConfigMap
            Draining: wait: looking once more for pods that need the CNI node agent
            Removing: delete DaemonSet istio-cni-node
            Off: delete ConfigMap istio-cni-config, ServiceAccount istio-cni, 2 ClusterRole, 2 ClusterRoleBinding
            Off: active: CNI off: cni-conf-dir is not set
        "#]],
    );
}

#[test]
fn other_paths_are_off_then_on() {
    let mut cluster = Simulated::settled(&BOTH_PATHS);
    cluster.configure(&[BOTH_PATHS[0], ("cni-conf-dir", "/etc/cni/other")]);
    check(
        &mut cluster,
        &expect![[r#"
            Draining: apply 2 ConfigMap
            Draining: wait: looking once more for pods that need the CNI node agent
            Removing: delete DaemonSet istio-cni-node
            RollingOut: apply ConfigMap values, DaemonSet istio-cni-node
            On: apply 2 ConfigMap
            On: active: CNI on (3/3 nodes)
        "#]],
    );
}

#[test]
fn a_template_that_a_webhook_rewrites_is_no_reason_to_switch_off() {
    let mut cluster = Simulated::settled(&BOTH_PATHS);
    cluster.change(&DAEMON_SET, |it| {
        it["spec"]["template"]["spec"]["containers"][0]["image"] = json!("mirror.test/cni:1");
    });
    cluster.effect_of_applying = Effect::KeepsPods;
    check(
        &mut cluster,
        &expect![[r#"
        On: apply DaemonSet istio-cni-node
        On: active: CNI on (3/3 nodes)
    "#]],
    );
}

#[test]
fn pods_that_wait_for_the_node_agent_hold_it() {
    let mut cluster = Simulated::settled(&BOTH_PATHS);
    cluster.pending = ["a", "b", "c", "d"].map(waiting_pod).into();
    cluster.configure(&[]);
    check(
        &mut cluster,
        &expect![[r#"
        Draining: apply 2 ConfigMap
        Draining: wait: pods that still need the CNI node agent: shop/a, shop/b, shop/c (+1 more)
    "#]],
    );
    cluster.now = Timeouts::default().switching;
    check(
        &mut cluster,
        &expect![[r#"
        Draining: waiting: pods that still need the CNI node agent: shop/a, shop/b, shop/c (+1 more) (not scheduled yet); continues at the next update-status, or: juju run pilot/leader reconcile
    "#]],
    );
    cluster.pending.clear();
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
fn an_istiod_that_has_not_taken_the_change_up_holds_the_node_agent() {
    let mut cluster = Simulated::settled(&BOTH_PATHS);
    cluster.configure(&[]);
    let answers = [
        ("istiod-1", Some(Injection::IstioInit)),
        ("istiod-2", Some(Injection::IstioValidation)),
    ];
    let answers = answers.map(|(name, injects)| (name.to_owned(), injects));
    cluster.injects = Some(answers.into());
    cluster.take_step();
    let (line, _) = cluster.take_step();
    expect!["Draining: wait: istiod-2 has not taken up the change yet"].assert_eq(&line);
}

#[test]
fn the_rights_of_the_node_agent_stay_until_its_pods_are_gone() {
    let mut cluster = Simulated::settled(&BOTH_PATHS);
    cluster.configure(&[]);
    let pods = cluster.agent.pods.clone();
    cluster.step_until("delete DaemonSet");
    cluster.agent.pods = pods;
    check(
        &mut cluster,
        &expect![[r#"
            Removing: wait: removing istio-cni-node, 3 pods left
        "#]],
    );
    cluster.agent.pods.clear();
    check(
        &mut cluster,
        &expect![[r#"
        Off: delete ConfigMap istio-cni-config, ServiceAccount istio-cni, 2 ClusterRole, 2 ClusterRoleBinding
        Off: active: CNI off
    "#]],
    );
}

#[test]
fn a_missing_directory_blocks_and_injection_stays() {
    let mut cluster = Simulated::settled(&[]);
    cluster.configure(&BOTH_PATHS);
    cluster.take_step();
    cluster.fail_agent("n2", &json!({"waiting": {"reason": "ContainerCreating"}}));
    let event = json!({
        "metadata": {}, "involvedObject": {"uid": "uid-n2"}, "reason": "FailedMount",
        "message": "hostPath type check failed: /opt/cni/bin is not a directory",
    });
    cluster
        .agent
        .events
        .push(serde_json::from_value(event).unwrap());
    check(
        &mut cluster,
        &expect![[r#"
        RollingOut: wait: 
    "#]],
    );
    check(
        &mut cluster,
        &expect![[r#"
        RollingOut: blocked: cni-bin-dir /opt/cni/bin does not exist on n2; injection stays at istio-init
    "#]],
    );
}

#[test]
fn a_fault_waits_for_a_control_plane_that_is_not_finished() {
    let mut cluster = Simulated::new(&BOTH_PATHS);
    cluster.istiod_is_ready = false;
    cluster.step_until("DaemonSet");
    cluster.agent.pods.clear();
    cluster.change(&DAEMON_SET, |it| it["status"]["numberReady"] = json!(0));
    let uid = cluster.live.values().find(|it| it.is(&DAEMON_SET)).unwrap();
    let event = json!({
        "metadata": {}, "involvedObject": {"uid": uid.uid()}, "reason": "FailedCreate",
        "message": "pods \"istio-cni-node-\" is forbidden: violates PodSecurity \"baseline\"",
    });
    cluster
        .agent
        .events
        .push(serde_json::from_value(event).unwrap());
    check(
        &mut cluster,
        &expect![[r#"
        RollingOut: wait: 
    "#]],
    );
    cluster.now = Timeouts::default().switching;
    check(
        &mut cluster,
        &expect![[r#"
        RollingOut: blocked: Pod Security refuses the CNI node agent; run: kubectl label namespace mesh --overwrite pod-security.kubernetes.io/enforce=privileged (+1 more, see debug-log)
    "#]],
    );
}

#[test]
fn a_directory_without_configuration_is_found_in_the_logs_when_it_takes_long() {
    let mut cluster = Simulated::settled(&[]);
    cluster.configure(&BOTH_PATHS);
    cluster.take_step();
    cluster.fail_agent("n2", &json!({"running": {}}));
    cluster.without_configuration.insert("n2".to_owned());
    check(
        &mut cluster,
        &expect![[r#"
        RollingOut: wait: istio-cni-node 2/3 nodes
    "#]],
    );
    check(
        &mut cluster,
        &expect![[r#"
        RollingOut: wait: 
    "#]],
    );
    check(
        &mut cluster,
        &expect![[r#"
        RollingOut: blocked: cni-conf-dir holds no CNI configuration on n2: set the directory that the container runtime reads; injection stays at istio-init
    "#]],
    );
}

#[test]
fn once_on_a_failing_node_is_named_and_a_joining_one_is_not() {
    let mut cluster = Simulated::settled(&BOTH_PATHS);
    cluster.fail_agent("n2", &json!({"running": {}}));
    check(
        &mut cluster,
        &expect![[r#"
            On: wait: istio-cni-node 2/3 nodes
        "#]],
    );
    let image = json!({"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}});
    cluster.fail_agent("n2", &image);
    check(
        &mut cluster,
        &expect![[r#"
            On: wait: istio-cni-node 2/3 nodes (n2: ImagePullBackOff: no such image)
        "#]],
    );
}

#[test]
fn an_agent_that_crashes_is_told_with_the_last_words_of_its_log() {
    let mut cluster = Simulated::settled(&[]);
    cluster.configure(&BOTH_PATHS);
    cluster.take_step();
    let crashing = json!({"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s"}});
    cluster.fail_agent("n2", &crashing);
    cluster.now = Timeouts::default().switching;
    check(
        &mut cluster,
        &expect![[r#"
        RollingOut: waiting: istio-cni-node 2/3 nodes (n2: container install-cni keeps crashing (exit code 1): Error: permission denied); continues at the next update-status, or: juju run pilot/leader reconcile
    "#]],
    );
}

#[test]
fn a_node_that_is_not_ready_holds_nothing() {
    let mut cluster = Simulated::settled(&[]);
    cluster.configure(&BOTH_PATHS);
    cluster.take_step();
    cluster.fail_agent("n2", &json!({"running": {}}));
    cluster.agent.nodes[1] = node("n2", "Unknown");
    check(
        &mut cluster,
        &expect![[r#"
        On: apply 2 ConfigMap
        On: active: CNI on (2/3 nodes)
    "#]],
    );
}

#[test]
fn what_somebody_edits_does_not_show_that_the_node_agent_is_ready() {
    let mut cluster = Simulated::settled(&[]);
    cluster.configure(&BOTH_PATHS);
    cluster.take_step();
    cluster.fail_agent("n1", &json!({"waiting": {"reason": "ContainerCreating"}}));
    let values = json!({"pilot": {"cni": {"enabled": true}}}).to_string();
    cluster.edit_data(names::INJECTOR_CONFIG, "values", &values);
    check(
        &mut cluster,
        &expect![[r#"
        RollingOut: apply ConfigMap istio-sidecar-injector
        RollingOut: wait: istio-cni-node 2/3 nodes
    "#]],
    );
}

#[test]
fn what_pods_get_goes_back_before_anything_else_is_set_right() {
    let mut cluster = Simulated::settled(&BOTH_PATHS);
    cluster.edit_data(names::MESH_CONFIG, "mesh", "{}");
    cluster.configure(&[]);
    assert_eq!(cluster.take_step().0, "Draining: apply 2 ConfigMap");
}

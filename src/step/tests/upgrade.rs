//! From one version of Istio to another.

use std::time::Duration;

use expect_test::{Expect, expect};
use serde_json::json;

use crate::k8s::kind::{DAEMON_SET, DEPLOYMENT};
use crate::k8s::labels;
use crate::simulated::{BOTH_PATHS, Simulated};
use crate::step::deadlines::Timeouts;

#[track_caller]
fn check(cluster: &mut Simulated, expected: &Expect) {
    expected.assert_eq(&cluster.run());
}

/// A cluster on which a charm of another version has installed everything, and its istiod serves.
fn installed(version: &str, options: &[(&str, &str)]) -> Simulated {
    let mut cluster = Simulated::settled(options);
    cluster.change_all(|it| it["metadata"]["labels"][labels::VERSION] = version.into());
    cluster.older_istiod = Some(version.to_owned());
    cluster.istiod_is_ready = false;
    cluster
}

/// The new istiod is ready, and the one before it has gone.
fn istiod_comes_up(cluster: &mut Simulated) {
    cluster.older_istiod = None;
    cluster.istiod_is_ready = true;
    cluster.change(&DEPLOYMENT, |it| {
        it["status"]["availableReplicas"] = json!(1);
    });
}

#[test]
fn istiod_comes_first_and_what_pods_get_when_it_is_there() {
    let mut cluster = installed("1.30.2", &[]);
    check(
        &mut cluster,
        &expect![[r#"
        Off: apply 15 CustomResourceDefinition
        Off: apply ConfigMap istio, 2 ServiceAccount, 3 ClusterRole, 3 ClusterRoleBinding, Role istiod, RoleBinding istiod, Service istiod, Deployment istiod, HorizontalPodAutoscaler istiod, Gateway istio-gateway
        Off: wait: istiod 0/1 ready
    "#]],
    );
    istiod_comes_up(&mut cluster);
    check(
        &mut cluster,
        &expect![[r#"
        Off: apply 2 ConfigMap, ValidatingWebhookConfiguration istio-validator-mesh, MutatingWebhookConfiguration istio-sidecar-injector-mesh
        Off: active: CNI off
    "#]],
    );
}

#[test]
fn a_node_agent_stays_until_the_new_istiod_is_there() {
    let mut cluster = installed("1.30.2", &BOTH_PATHS);
    cluster.change(&DAEMON_SET, |it| {
        it["spec"]["template"]["spec"]["containers"][0]["image"] = "hub/install-cni:1.30.2".into();
    });
    check(
        &mut cluster,
        &expect![[r#"
        Draining: apply 15 CustomResourceDefinition
        Draining: apply ConfigMap istio, 2 ServiceAccount, 3 ClusterRole, 3 ClusterRoleBinding, Role istiod, RoleBinding istiod, Service istiod, Deployment istiod, HorizontalPodAutoscaler istiod, Gateway istio-gateway
        Draining: wait: istiod 0/1 ready
    "#]],
    );
    istiod_comes_up(&mut cluster);
    check(
        &mut cluster,
        &expect![[r#"
        Draining: apply 2 ConfigMap
        Draining: apply ValidatingWebhookConfiguration istio-validator-mesh, MutatingWebhookConfiguration istio-sidecar-injector-mesh
        Draining: wait: looking once more for pods that need the CNI node agent
        Removing: delete DaemonSet istio-cni-node
        RollingOut: apply 2 ConfigMap, ServiceAccount istio-cni, 2 ClusterRole, 2 ClusterRoleBinding, DaemonSet istio-cni-node
        On: apply 2 ConfigMap
        On: active: CNI on (3/3 nodes)
    "#]],
    );
}

#[test]
fn an_istiod_that_does_not_come_up_leaves_the_older_one_with_its_configuration() {
    let mut cluster = installed("1.30.2", &[]);
    cluster.begin_hook(Timeouts::all(Duration::ZERO));
    check(
        &mut cluster,
        &expect![[r#"
        Off: apply 15 CustomResourceDefinition
        Off: apply ConfigMap istio, 2 ServiceAccount, 3 ClusterRole, 3 ClusterRoleBinding, Role istiod, RoleBinding istiod, Service istiod, Deployment istiod, HorizontalPodAutoscaler istiod, Gateway istio-gateway
        Off: waiting: istiod 0/1 ready; continues at the next update-status, or: juju run pilot/leader reconcile
    "#]],
    );
    cluster.begin_hook(Timeouts::default());
    check(
        &mut cluster,
        &expect![[r#"
        Off: wait: istiod 0/1 ready
    "#]],
    );
}

#[test]
fn a_step_that_is_too_large_changes_nothing_until_a_person_forces_it() {
    let mut cluster = installed("1.29.0", &[]);
    check(
        &mut cluster,
        &expect![[r#"
        Off: blocked: Istio 1.29.0 is installed, and 1.31.1 would be more than one minor version: nothing is changed, CNI options included; juju refresh pilot to a revision that may follow, or: juju run pilot/leader upgrade force=true
    "#]],
    );
    // An option does not act meanwhile.
    cluster.configure(&BOTH_PATHS);
    check(
        &mut cluster,
        &expect![[r#"
        RollingOut: blocked: Istio 1.29.0 is installed, and 1.31.1 would be more than one minor version: nothing is changed, CNI options included; juju refresh pilot to a revision that may follow, or: juju run pilot/leader upgrade force=true
    "#]],
    );
    cluster.configure(&[]);
    cluster.intent.forces_upgrade = true;
    cluster.step_until("istiod");
    // The hooks after that are not forced, and go on.
    cluster.configure(&[]);
    istiod_comes_up(&mut cluster);
    check(
        &mut cluster,
        &expect![[r#"
        Off: apply 2 ConfigMap, ValidatingWebhookConfiguration istio-validator-mesh, MutatingWebhookConfiguration istio-sidecar-injector-mesh
        Off: active: CNI off
    "#]],
    );
}

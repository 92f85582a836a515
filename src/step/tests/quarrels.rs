//! What happens where something else wants another cluster: an object that does not stay as it is
//! applied, and one that the cluster does not take.

use expect_test::{Expect, expect};
use serde_json::{Value, json};

use crate::istio::{Injection, names};
use crate::k8s::kind::{
    CONFIG_MAP, CUSTOM_RESOURCE_DEFINITION, DEPLOYMENT, Kind, MUTATING_WEBHOOK,
};
use crate::k8s::object::Object;
use crate::simulated::{BOTH_PATHS, Simulated};

/// Takes steps, and lets something else change the cluster before each of them.
fn run_against(cluster: &mut Simulated, change: impl Fn(&mut Simulated)) -> String {
    let mut story = String::new();
    for _ in 0..12 {
        change(cluster);
        let (line, ends) = cluster.take_step();
        story.push_str(&line);
        story.push('\n');
        if ends {
            break;
        }
    }
    story
}

/// Changes the object of that kind and name, as an editor does.
fn edit(cluster: &mut Simulated, kind: &Kind, name: &str, edit: impl Fn(&mut Value)) {
    cluster.change_named(kind, name, |it| {
        edit(it);
        let entries = it["metadata"]["managedFields"].as_array_mut().unwrap();
        entries.retain(|it| it["manager"] == "istio-pilot");
        entries.push(json!({
            "manager": "kubectl-edit", "operation": "Update", "time": "2026-01-01T00:00:00Z",
        }));
    });
}

/// What somebody else lets pods get.
fn set_injection(cluster: &mut Simulated, injection: Injection) {
    if !cluster
        .live
        .values()
        .any(|it| it.id().name == names::INJECTOR_CONFIG)
    {
        return;
    }
    let enabled = injection == Injection::IstioValidation;
    let values = json!({"pilot": {"cni": {"enabled": enabled}}}).to_string();
    cluster.edit_data(names::INJECTOR_CONFIG, "values", &values);
}

#[track_caller]
fn check(story: &str, expected: &Expect) {
    expected.assert_eq(story);
}

#[test]
fn an_object_that_does_not_stay_is_applied_three_times_and_then_told() {
    let mut cluster = Simulated::settled(&[]);
    let story = run_against(&mut cluster, |it| {
        it.edit_data(names::MESH_CONFIG, "mesh", "{}");
    });
    check(
        &story,
        &expect![[r#"
            Off: apply ConfigMap istio
            Off: apply ConfigMap istio
            Off: apply ConfigMap istio
            Off: waiting: ConfigMap mesh/istio: something else keeps changing .data.mesh, and has to stop (kubectl-edit); continues at the next update-status, or: juju run pilot/leader reconcile
        "#]],
    );
}

#[test]
fn the_cni_is_not_said_to_be_on_while_something_else_decides_what_pods_get() {
    let mut cluster = Simulated::settled(&BOTH_PATHS);
    let story = run_against(&mut cluster, |it| set_injection(it, Injection::IstioInit));
    check(
        &story,
        &expect![[r#"
            On: apply ConfigMap istio-sidecar-injector
            On: apply ConfigMap istio-sidecar-injector
            On: apply ConfigMap istio-sidecar-injector
            On: waiting: ConfigMap mesh/istio-sidecar-injector: something else keeps changing .data.values, and has to stop (kubectl-edit); continues at the next update-status, or: juju run pilot/leader reconcile
        "#]],
    );
    let mut cluster = Simulated::settled(&[]);
    let story = run_against(&mut cluster, |it| {
        set_injection(it, Injection::IstioValidation);
    });
    check(
        &story,
        &expect![[r#"
            Off: apply ConfigMap istio-sidecar-injector
            Off: apply ConfigMap istio-sidecar-injector
            Off: apply ConfigMap istio-sidecar-injector
            Off: waiting: ConfigMap mesh/istio-sidecar-injector: something else keeps changing .data.values, and has to stop (kubectl-edit); continues at the next update-status, or: juju run pilot/leader reconcile
        "#]],
    );
}

#[test]
fn the_node_agent_stays_while_something_else_gives_pods_istio_validation() {
    let mut cluster = Simulated::settled(&BOTH_PATHS);
    cluster.configure(&[]);
    let story = run_against(&mut cluster, |it| {
        set_injection(it, Injection::IstioValidation);
    });
    check(
        &story,
        &expect![[r#"
            Draining: apply 2 ConfigMap
            Draining: apply ConfigMap istio-sidecar-injector
            Draining: apply ConfigMap istio-sidecar-injector
            Draining: waiting: ConfigMap mesh/istio-sidecar-injector: something else keeps changing .data.values, and has to stop (kubectl-edit); continues at the next update-status, or: juju run pilot/leader reconcile
        "#]],
    );
}

#[test]
fn a_definition_that_does_not_stay_starves_nothing_else() {
    let mut cluster = Simulated::new(&[]);
    let story = run_against(&mut cluster, |it| {
        let name = "gateways.networking.istio.io";
        if it.live.values().any(|it| it.id().name == name) {
            edit(it, &CUSTOM_RESOURCE_DEFINITION, name, |it| {
                it["spec"]["scope"] = "Cluster".into();
            });
        }
    });
    check(
        &story,
        &expect![[r#"
            Off: apply 15 CustomResourceDefinition
            Off: apply CustomResourceDefinition gateways.networking.istio.io
            Off: apply CustomResourceDefinition gateways.networking.istio.io
            Off: apply 3 ConfigMap, 2 ServiceAccount, 3 ClusterRole, 3 ClusterRoleBinding, Role istiod, RoleBinding istiod, Service istiod, Deployment istiod, HorizontalPodAutoscaler istiod
            Off: apply ValidatingWebhookConfiguration istio-validator-mesh, MutatingWebhookConfiguration istio-sidecar-injector-mesh, Gateway istio-gateway
            Off: waiting: CustomResourceDefinition gateways.networking.istio.io: something else keeps changing .spec.scope, and has to stop (kubectl-edit); continues at the next update-status, or: juju run pilot/leader reconcile
        "#]],
    );
}

#[test]
fn a_hook_that_goes_through_every_phase_quarrels_with_nobody() {
    let mut cluster = Simulated::settled(&BOTH_PATHS);
    cluster.configure(&[
        ("cni-bin-dir", "/var/lib/cni/bin"),
        ("cni-conf-dir", "/etc/cni/net.d"),
    ]);
    check(
        &cluster.run(),
        &expect![[r#"
        Draining: apply 2 ConfigMap
        Draining: wait: looking once more for pods that need the CNI node agent
        Removing: delete DaemonSet istio-cni-node
        RollingOut: apply ConfigMap values, DaemonSet istio-cni-node
        On: apply 2 ConfigMap
        On: active: CNI on (3/3 nodes)
    "#]],
    );
    assert!(cluster.journal.warnings().is_empty());
}

#[test]
fn an_object_that_the_cluster_does_not_take_holds_only_what_is_new_and_comes_later() {
    let mut cluster = Simulated::new(&[]);
    cluster
        .refuses
        .insert("istio-reader-service-account".to_owned());
    check(
        &cluster.run(),
        &expect![[r#"
            Off: apply 15 CustomResourceDefinition
            Off: apply 3 ConfigMap, 2 ServiceAccount, 3 ClusterRole, 3 ClusterRoleBinding, Role istiod, RoleBinding istiod, Service istiod, Deployment istiod, HorizontalPodAutoscaler istiod: refused
            Off: apply 3 ConfigMap, 3 ClusterRole, 3 ClusterRoleBinding, ServiceAccount istiod, Role istiod, RoleBinding istiod, Service istiod
            Off: blocked: applying ServiceAccount mesh/istio-reader-service-account: the cluster refuses it: a policy says no
        "#]],
    );
    let mut cluster = Simulated::settled(&[]);
    cluster.live.retain(|id, _| !id.is(&DEPLOYMENT));
    cluster.change(&CONFIG_MAP, |it| it["data"] = json!({}));
    cluster.refuses.insert(names::MESH_CONFIG.to_owned());
    check(
        &cluster.run(),
        &expect![[r#"
        Off: apply ConfigMap istio, Deployment istiod: refused
        Off: apply Deployment istiod
        Off: blocked: applying ConfigMap mesh/istio: the cluster refuses it: a policy says no
    "#]],
    );
}

#[test]
fn a_refused_object_does_not_keep_the_switch_from_going_back() {
    let mut cluster = Simulated::settled(&BOTH_PATHS);
    cluster.change_named(
        &CUSTOM_RESOURCE_DEFINITION,
        "gateways.networking.istio.io",
        |it| {
            it["spec"]["scope"] = "Cluster".into();
        },
    );
    cluster
        .refuses
        .insert("gateways.networking.istio.io".to_owned());
    cluster.configure(&[]);
    check(
        &cluster.run(),
        &expect![[r#"
        Draining: apply 2 ConfigMap
        Draining: apply CustomResourceDefinition gateways.networking.istio.io: refused
        Draining: wait: looking once more for pods that need the CNI node agent
        Removing: delete DaemonSet istio-cni-node
        Off: delete ConfigMap istio-cni-config, ServiceAccount istio-cni, 2 ClusterRole, 2 ClusterRoleBinding
        Off: blocked: applying CustomResourceDefinition gateways.networking.istio.io: the cluster refuses it: a policy says no
    "#]],
    );
}

#[test]
fn what_moves_the_switch_is_written_only_to_the_version_that_was_seen() {
    let mut cluster = Simulated::settled(&BOTH_PATHS);
    cluster.configure(&[]);
    let (_, assessment) = cluster.assess();
    let versions = assessment.plan.upserts.iter().map(|it| {
        let live = cluster.live.get(it.object.id());
        let is_seen = it.only_at.as_deref() == live.and_then(Object::resource_version);
        format!(
            "{}: {}\n",
            it.object.id(),
            if is_seen { "only as seen" } else { "anyway" }
        )
    });
    check(
        &versions.collect::<String>(),
        &expect![[r#"
        ConfigMap mesh/istio-sidecar-injector: only as seen
        ConfigMap mesh/values: anyway
    "#]],
    );
}

/// Applies an object, and something in the cluster lets it be as it was.
fn apply_in_vain(cluster: &mut Simulated, kind: &Kind, name: &str) -> Vec<String> {
    let (_, assessment) = cluster.assess();
    let mut upserts = assessment.plan.upserts.iter();
    let upsert = upserts.find(|it| it.object.id().is(kind) && it.object.id().name == name);
    let object = &upsert.expect("it is to be changed").object;
    let version = cluster.live[object.id()].resource_version().unwrap();
    cluster
        .journal
        .applied(object, Some(version), Some(version));
    let (_, assessment) = cluster.assess();
    let told = assessment.plan.skipped.iter();
    told.map(|(id, why)| format!("{id}: {why}")).collect()
}

#[test]
fn what_is_changed_on_the_way_is_told_of_a_webhook_and_left_of_a_workload() {
    let mut cluster = Simulated::settled(&[]);
    cluster.change(&MUTATING_WEBHOOK, |it| {
        it["webhooks"][0]["failurePolicy"] = json!("Ignore");
    });
    let name = "istio-sidecar-injector-mesh";
    let told = apply_in_vain(&mut cluster, &MUTATING_WEBHOOK, name);
    expect!["MutatingWebhookConfiguration istio-sidecar-injector-mesh: a webhook or policy of this cluster sets .webhooks[name=rev.namespace.sidecar-injector.istio.io].failurePolicy otherwise"].assert_eq(&told.join("\n"));
    check(
        &cluster.run(),
        &expect![[r#"
        Off: active: CNI off
    "#]],
    );
    let mut cluster = Simulated::settled(&[]);
    cluster.change(&DEPLOYMENT, |it| {
        it["spec"]["template"]["spec"]["containers"][0]["image"] = json!("mirror/pilot");
    });
    let told = apply_in_vain(&mut cluster, &DEPLOYMENT, names::ISTIOD);
    assert_eq!(told, Vec::<String>::new());
    check(
        &cluster.run(),
        &expect![[r#"
        Off: active: CNI off
    "#]],
    );
}

#[test]
fn an_injection_configuration_that_is_changed_on_the_way_matters_where_pods_get_something_else() {
    let story = |key: &str, change: fn(&str) -> String| {
        let mut cluster = Simulated::settled(&BOTH_PATHS);
        cluster.change_named(&CONFIG_MAP, names::INJECTOR_CONFIG, |it| {
            it["data"][key] = change(it["data"][key].as_str().unwrap()).into();
        });
        apply_in_vain(&mut cluster, &CONFIG_MAP, names::INJECTOR_CONFIG);
        cluster.run()
    };
    let init = |_: &str| json!({"pilot": {"cni": {"enabled": false}}}).to_string();
    let longer = |config: &str| format!("{config}\n");
    let both = story("values", init) + &story("config", longer);
    expect![[r#"
        On: waiting: ConfigMap mesh/istio-sidecar-injector: something else keeps changing .data.values, and has to stop (a webhook or policy of this cluster); continues at the next update-status, or: juju run pilot/leader reconcile
        On: active: CNI on (3/3 nodes)
    "#]].assert_eq(&both);
}

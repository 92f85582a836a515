//! Whose a webhook, an istiod or a node agent is, where several may claim to be the one.

use super::*;
use crate::k8s::kind::MUTATING_WEBHOOK;

/// A webhook configuration that calls a service, with these labels.
fn webhook(
    kind: &str,
    name: &str,
    labels: &serde_json::Value,
    calls: (&str, &str),
) -> serde_json::Value {
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": kind,
        "metadata": {"name": name, "labels": labels, "managedFields": [{
            "manager": "istioctl", "operation": "Apply", "fieldsV1": {},
        }]},
        "webhooks": [{
            "name": "w.test",
            "clientConfig": {"service": {"name": calls.0, "namespace": calls.1}},
        }],
    })
}

/// What is in the way beside an installed control plane.
fn in_the_way(object: serde_json::Value) -> String {
    let mut cluster = Simulated::settled(&[]);
    cluster.put_as_it_is(object);
    let (_, assessment) = cluster.assess();
    let obstacles = assessment.obstacles().map(|it| format!("{it}\n"));
    obstacles.collect()
}

#[test]
fn a_webhook_of_the_default_revision_or_tag_that_calls_elsewhere_is_a_rival() {
    let (mutating, validating) = (
        "MutatingWebhookConfiguration",
        "ValidatingWebhookConfiguration",
    );
    let default = json!({"app": "istiod", "istio.io/rev": "default"});
    let tag =
        json!({"app": "sidecar-injector", "istio.io/rev": "canary", "istio.io/tag": "default"});
    let canary = json!({"app": "sidecar-injector", "istio.io/rev": "canary"});
    let table = [
        webhook(
            mutating,
            "istio-revision-tag-default",
            &tag,
            ("istiod-canary", "mesh"),
        ),
        webhook(
            mutating,
            "istio-sidecar-injector",
            &default,
            ("istiod", "istio-system"),
        ),
        webhook(
            validating,
            "istiod-default-validator",
            &default,
            ("istiod", "istio-system"),
        ),
        webhook(
            mutating,
            "istio-sidecar-injector-canary",
            &canary,
            ("istiod-canary", "mesh"),
        ),
        webhook(validating, "calls-ours", &default, ("istiod", "mesh")),
        json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": mutating,
            "metadata": {"name": "disabled", "labels": default}, "webhooks": [],
        }),
    ];
    let lines = table.map(in_the_way);
    expect![[r#"
        MutatingWebhookConfiguration istio-revision-tag-default belongs to a control plane that has the default tag of this cluster; remove it first
        MutatingWebhookConfiguration istio-sidecar-injector belongs to another control plane of the default revision in this cluster; remove it first
        ValidatingWebhookConfiguration istiod-default-validator belongs to another control plane of the default revision in this cluster; remove it first
    "#]].assert_eq(&lines.concat());
}

#[test]
fn our_own_webhook_that_somebody_has_emptied_is_repaired() {
    let mut cluster = Simulated::settled(&[]);
    cluster.change(&MUTATING_WEBHOOK, |it| it["webhooks"] = json!([]));
    expect![[r#"
        Off: apply MutatingWebhookConfiguration istio-sidecar-injector-mesh
        Off: active: CNI off
    "#]]
    .assert_eq(&cluster.run());
}

/// The istiod of another application of this charm, made that many seconds after the beginning.
fn istiod_of_another(seconds: u32) -> serde_json::Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {
            "name": "istiod", "namespace": "other",
            "labels": {"istio.io/rev": "default", "app.kubernetes.io/instance": "pilot-other"},
            "creationTimestamp": format!("2026-01-01T00:00:{seconds:02}Z"),
            "managedFields": [{"manager": "istio-pilot", "operation": "Apply", "fieldsV1": {}}],
        },
    })
}

#[test]
fn of_two_applications_only_the_younger_minds_the_other() {
    let mut cluster = Simulated::settled(&[]);
    cluster.change(&DEPLOYMENT, |it| {
        it["metadata"]["creationTimestamp"] = json!("2026-01-01T00:00:10Z");
    });
    let mut lines = String::new();
    // Of two of one age the first by name of its namespace goes first: `mesh` before `other`.
    for seconds in [9, 10, 11] {
        cluster.put_as_it_is(istiod_of_another(seconds));
        let (_, assessment) = cluster.assess();
        writeln!(lines, "{seconds}: {}", assessment.plan_text()).unwrap();
    }
    expect![[r#"
        9: ! Deployment other/istiod belongs to another control plane of the default revision in this cluster; remove it first

        10: 
        11: 
    "#]].assert_eq(&lines);
    let mut fresh = Simulated::new(&[]);
    fresh.put_as_it_is(istiod_of_another(11));
    assert_eq!(fresh.assess().1.conflicts.len(), 1, "it was there first");
}

#[test]
fn a_node_agent_of_somebody_else_in_our_namespace_is_named_where_ours_is_wanted() {
    let theirs = |cluster: &mut Simulated| {
        cluster.put_as_it_is(json!({
            "apiVersion": "apps/v1", "kind": "DaemonSet",
            "metadata": {"name": "istio-cni-node", "namespace": "mesh"},
        }));
    };
    let mut cluster = Simulated::settled(&[]);
    theirs(&mut cluster);
    let mut story = cluster.run();
    cluster.configure(&BOTH_PATHS);
    story.push_str(&cluster.run());
    expect![[r#"
        Off: active: CNI off
        RollingOut: blocked: DaemonSet mesh/istio-cni-node belongs to somebody else; remove it first
    "#]]
    .assert_eq(&story);
}

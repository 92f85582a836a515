//! What is not this application's stays as it is; what is, is kept as it shall be.

use serde_json::json;

use super::support::{APPLICATION, MODEL, World, assert_says, shown};

#[test]
fn an_object_of_somebody_else_blocks_and_nothing_is_written() {
    let mut world = World::new();
    let release = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {
            "name": "istio", "namespace": MODEL,
            "annotations": {"meta.helm.sh/release-name": "istiod"},
        },
        "data": {"mesh": "theirs"},
    });
    world.cluster.apply(&release).unwrap();
    world.deploy(true);
    let text = format!("ConfigMap {MODEL}/istio belongs to the Helm release istiod");
    assert_says(&world.shown(), "blocked", &text);
    assert!(world.objects().is_empty());
    assert_eq!(world.writes(), 0);
    world
        .cluster
        .kubectl(&["delete", "configmap", "istio", "-n", MODEL])
        .unwrap();
    assert_eq!(
        world.update_status(),
        shown("active", "CNI off"),
        "{}",
        world.log()
    );
}

#[test]
fn another_control_plane_of_the_default_revision_blocks() {
    let mut world = World::new();
    world
        .cluster
        .kubectl(&["create", "namespace", "istio-system"])
        .unwrap();
    let istiod = json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "istiod", "namespace": "istio-system", "labels": {
            "app": "istiod", "istio.io/rev": "default",
        }},
        "spec": {
            "selector": {"matchLabels": {"app": "istiod"}},
            "template": {
                "metadata": {"labels": {"app": "istiod"}},
                "spec": {"containers": [{"name": "discovery", "image": "pilot"}]},
            },
        },
    });
    world.cluster.apply(&istiod).unwrap();
    world.deploy(true);
    assert_says(&world.shown(), "blocked", "Deployment istio-system/istiod");
    assert_eq!(world.writes(), 0);
}

#[test]
fn an_edit_is_set_back_and_named_in_the_log() {
    let mut world = World::deployed();
    let edit = json!({"data": {"mesh": "edited"}}).to_string();
    let patch = [
        "patch",
        "configmap",
        "istio",
        "-n",
        MODEL,
        "--type=merge",
        "-p",
        &edit,
    ];
    world.cluster.kubectl(&patch).unwrap();
    world
        .cluster
        .kubectl(&["delete", "service", "istiod", "-n", MODEL])
        .unwrap();
    // What others add is theirs.
    let annotate = [
        "annotate",
        "deployment",
        "istiod",
        "-n",
        MODEL,
        "theirs=kept",
    ];
    world.cluster.kubectl(&annotate).unwrap();
    assert_eq!(
        world.update_status(),
        shown("active", "CNI off"),
        "{}",
        world.log()
    );
    assert_ne!(world.get("configmap", "istio")["data"]["mesh"], "edited");
    world.get("service", "istiod");
    let istiod = world.get("deployment", "istiod");
    assert_eq!(istiod["metadata"]["annotations"]["theirs"], "kept");
    let log = world.log();
    assert!(
        log.contains(".data.mesh is set back") && log.contains("kubectl-patch"),
        "{log}"
    );
}

#[test]
fn a_quarrel_with_another_applier_blocks_and_names_it() {
    let mut world = World::deployed();
    let theirs = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "istio", "namespace": MODEL},
        "data": {"mesh": "theirs"},
    });
    let apply = [
        "apply",
        "--server-side",
        "--force-conflicts",
        "--field-manager=gitops",
        "-f",
        "-",
    ];
    world
        .cluster
        .kubectl_with_input(&apply, &theirs.to_string())
        .unwrap();
    let status = world.update_status();
    assert_says(&status, "blocked", "gitops");
    assert_says(&status, "blocked", "ConfigMap mesh/istio");
    assert_eq!(world.get("configmap", "istio")["data"]["mesh"], "theirs");
}

#[test]
fn a_definition_of_somebody_else_is_left() {
    let mut world = World::new();
    let gateway = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "gateways.networking.istio.io"},
        "spec": {
            "group": "networking.istio.io", "scope": "Namespaced",
            "names": {"kind": "Gateway", "plural": "gateways", "singular": "gateway"},
            "versions": [{
                "name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object"}},
            }],
        },
    });
    world.cluster.apply(&gateway).unwrap();
    let name = "gateways.networking.istio.io";
    let before = world
        .cluster
        .get(&["customresourcedefinition", name])
        .unwrap();
    world.deploy(true);
    assert_eq!(world.shown(), shown("active", "CNI off"), "{}", world.log());
    world.model.remove_application(APPLICATION).unwrap();
    world.settle();
    let after = world
        .cluster
        .get(&["customresourcedefinition", name])
        .unwrap();
    assert_eq!(after["spec"], before["spec"]);
    let all = world.cluster.get(&["customresourcedefinitions"]).unwrap();
    assert_eq!(all["items"].as_array().unwrap().len(), 1);
}

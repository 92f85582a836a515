//! Definitions that are there already.

use super::*;

fn definition(change: impl Fn(&mut Value)) -> Object {
    let mut value = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "d", "labels": {
            "app.kubernetes.io/managed-by": "istio-pilot",
            "app.kubernetes.io/version": "1.31.1",
        }, "managedFields": [{"manager": "istio-pilot", "operation": "Apply", "fieldsV1": {}}]},
        "spec": {"versions": [{"name": "v1", "storage": true, "schema": {
            "openAPIV3Schema": {"properties": {"spec": {"type": "object"}}},
        }}]},
    });
    change(&mut value);
    object(value)
}

#[test]
fn a_foreign_or_newer_definition_is_left() {
    let wanted = definition(|_| {});
    let foreign = definition(|it| {
        it["metadata"]["labels"] = json!({"app": "istio"});
        it["metadata"]["managedFields"] = json!([]);
    });
    let newer_of_istioctl = definition(|it| {
        it["metadata"]["labels"]["operator.istio.io/version"] = json!("1.31.10");
    });
    let with_another_field = definition(|it| {
        let field = json!({"properties": {"added": {"type": "string"}}});
        it["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"] = field;
    });
    let newer = definition(|it| {
        it["metadata"]["labels"]["app.kubernetes.io/version"] = json!("1.32.0");
    });
    for there in [foreign, newer, newer_of_istioctl, with_another_field] {
        let plan = planned(std::slice::from_ref(&wanted), &live([there]));
        assert!(plan.is_empty() && plan.skipped.len() == 1, "{plan:?}");
    }
    let older = definition(|it| {
        it["metadata"]["labels"]["app.kubernetes.io/version"] = json!("1.9.0");
    });
    assert_eq!(planned(&[wanted], &live([older])).upserts.len(), 1);
}

#[test]
fn a_definition_is_never_loosened() {
    let open = definition(|it| {
        it["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["x-kubernetes-preserve-unknown-fields"] =
            json!(true);
    });
    let plan = planned(&[open], &live([definition(|_| {})]));
    assert!(
        plan.upserts.is_empty() && plan.skipped.len() == 1,
        "{plan:?}"
    );
}

#[test]
fn versions_with_stored_objects_stay() {
    let there = definition(|it| {
        it["spec"]["versions"] = json!([{"name": "v1alpha1", "storage": true}]);
        it["status"] = json!({"storedVersions": ["v1alpha1"]});
    });
    let plan = planned(&[definition(|_| {})], &live([there]));
    let versions = plan.upserts[0].object.at("/spec/versions").unwrap();
    assert_eq!(versions[1], json!({"name": "v1alpha1", "storage": false}));
}

#[test]
fn labels_of_juju_are_taken_off_definitions_alone() {
    let with_labels = |it: &mut Value| {
        it["metadata"]["labels"]["model.juju.is/name"] = json!("mesh");
        it["metadata"]["labels"]["app.juju.is/created-by"] = json!("pilot");
    };
    let plan = planned(&[definition(|_| {})], &live([definition(with_labels)]));
    let sheds = &plan.upserts[0].sheds;
    assert_eq!(sheds, &["app.juju.is/created-by", "model.juju.is/name"]);
    assert!(
        plan.to_string()
            .contains(".metadata.labels[model.juju.is/name]: \"mesh\" -> (none)")
    );
    let config = wanted("a", &json!({"k": "v"}));
    let mut labelled = applied(&config, &data_fields(&["k"])).into_value();
    with_labels(&mut labelled);
    assert!(planned(&[config], &live([object(labelled)])).is_empty());
}

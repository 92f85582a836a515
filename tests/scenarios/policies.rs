//! What a cluster's own policies make of the charm's objects.

use serde_json::json;

use super::support::{BOTH_PATHS, MODEL, World, shown, until};

/// Lets the API server take the images of all DaemonSets from a mirror, as policies do.
fn mirror_images(world: &World) {
    let expression = "object.spec.template.spec.containers[0].image.startsWith('mirror.test/') \
        ? [] : [JSONPatch{op: 'replace', path: '/spec/template/spec/containers/0/image', \
        value: 'mirror.test/' + object.spec.template.spec.containers[0].image}]";
    let policy = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingAdmissionPolicy",
        "metadata": {"name": "mirror.test"},
        "spec": {
            "matchConstraints": {"resourceRules": [{
                "apiGroups": ["apps"], "apiVersions": ["v1"], "resources": ["daemonsets"],
                "operations": ["CREATE", "UPDATE"],
            }]},
            "failurePolicy": "Fail",
            "reinvocationPolicy": "Never",
            "mutations": [{"patchType": "JSONPatch", "jsonPatch": {"expression": expression}}],
        },
    });
    let binding = json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingAdmissionPolicyBinding",
        "metadata": {"name": "mirror.test"},
        "spec": {"policyName": "mirror.test"},
    });
    world.cluster.apply(&policy).unwrap();
    world.cluster.apply(&binding).unwrap();
    // The API server takes a moment to heed a policy.
    until("images come from the mirror", || {
        let probe = json!({
            "apiVersion": "apps/v1", "kind": "DaemonSet",
            "metadata": {"name": "probe", "namespace": MODEL},
            "spec": {
                "selector": {"matchLabels": {"app": "probe"}},
                "template": {
                    "metadata": {"labels": {"app": "probe"}},
                    "spec": {"containers": [{"name": "a", "image": "a"}]},
                },
            },
        });
        let create = ["create", "--dry-run=server", "-o", "json", "-f", "-"];
        let made = world
            .cluster
            .kubectl_with_input(&create, &probe.to_string());
        made.unwrap().contains("mirror.test/a")
    });
}

fn image(world: &World) -> String {
    let daemon_set = world.get("daemonset", "istio-cni-node");
    let image = &daemon_set["spec"]["template"]["spec"]["containers"][0]["image"];
    image.as_str().unwrap().to_owned()
}

#[test]
fn a_policy_that_rewrites_images_keeps_the_cni_neither_off_nor_from_staying_on() {
    let mut world = World::deployed();
    mirror_images(&world);
    let on = shown("active", "CNI on (3/3 nodes)");
    assert_eq!(world.configure(&BOTH_PATHS), on, "{}", world.log());
    assert!(image(&world).starts_with("mirror.test/"));
    assert!(world.injects_validation());
    let generation =
        |world: &World| world.get("daemonset", "istio-cni-node")["metadata"]["generation"].clone();
    let before = generation(&world);
    assert_eq!(world.update_status(), on, "{}", world.log());
    assert_eq!(generation(&world), before);
    let off = world.configure(&[("cni-bin-dir", "")]);
    assert_eq!(off.0, "active", "{}", world.log());
    assert_eq!(world.agent_objects(), Vec::<String>::new());
}

#[test]
fn a_policy_that_comes_later_does_not_take_the_cni_away() {
    let mut world = World::deployed();
    let on = shown("active", "CNI on (3/3 nodes)");
    assert_eq!(world.configure(&BOTH_PATHS), on, "{}", world.log());
    mirror_images(&world);
    let restart = [
        "rollout",
        "restart",
        "daemonset/istio-cni-node",
        "-n",
        MODEL,
    ];
    world.cluster.kubectl(&restart).unwrap();
    assert!(image(&world).starts_with("mirror.test/"));
    let uid = |world: &World| world.get("daemonset", "istio-cni-node")["metadata"]["uid"].clone();
    let before = uid(&world);
    assert_eq!(world.update_status(), on, "{}", world.log());
    assert!(world.injects_validation());
    assert_eq!(uid(&world), before, "the node agent was made anew");
}

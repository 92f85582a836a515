//! What a cluster's own policies make of the charm's objects.

use anyhow::Result;
use charm_world::{World, until};
use expect_test::expect;
use serde_json::{Value, json};

use super::support::{BOTH_PATHS, MODEL, NO_PATHS, deployed, world};

/// Lets the API server take the images of all DaemonSets from a mirror, as policies do.
fn mirror_images(world: &World) -> Result<()> {
    world.apply(include_str!("manifests/mirror_images.yaml"))?;
    let probe = format!(
        "
        apiVersion: apps/v1
        kind: DaemonSet
        metadata: {{name: probe, namespace: {MODEL}}}
        spec:
          selector:
            matchLabels: {{app: probe}}
          template:
            metadata:
              labels: {{app: probe}}
            spec:
              containers: [{{name: a, image: a}}]
        "
    );
    // The API server takes a moment to heed a policy.
    until("images come from the mirror", || {
        let create = "create --dry-run=server -o json -f -";
        let made = world.cluster.kubectl_with_input(create, &probe)?;
        Ok(made.contains("mirror.test/a"))
    })
}

/// A field of the node agent's DaemonSet.
fn daemon_set(world: &World, pointer: &str) -> Result<Value> {
    let daemon_set = world.get("daemonset istio-cni-node")?;
    Ok(daemon_set.pointer(pointer).unwrap().clone())
}

/// Fails unless the node agent's image comes from the mirror.
fn assert_mirrored(world: &World) -> Result<()> {
    let image = daemon_set(world, "/spec/template/spec/containers/0/image")?;
    assert!(
        image.as_str().unwrap().starts_with("mirror.test/"),
        "{image}"
    );
    Ok(())
}

#[test]
fn a_policy_that_rewrites_images_keeps_the_cni_neither_off_nor_from_staying_on() -> Result<()> {
    let mut world = deployed()?;
    mirror_images(&world)?;
    expect!["active: CNI on (3/3 nodes)"].assert_eq(&world.configure(&BOTH_PATHS)?);
    assert_mirrored(&world)?;
    assert!(world.injects_validation()?);
    let before = daemon_set(&world, "/metadata/generation")?;
    expect!["active: CNI on (3/3 nodes)"].assert_eq(&world.update_status()?);
    assert_eq!(daemon_set(&world, "/metadata/generation")?, before);
    expect!["active: CNI off: cni-bin-dir is not set"]
        .assert_eq(&world.configure(&[("cni-bin-dir", "")])?);
    assert_eq!(world.agent_objects()?, Vec::<String>::new());
    Ok(())
}

#[test]
fn a_policy_that_comes_later_does_not_take_the_cni_away() -> Result<()> {
    let mut world = deployed()?;
    expect!["active: CNI on (3/3 nodes)"].assert_eq(&world.configure(&BOTH_PATHS)?);
    mirror_images(&world)?;
    world.kubectl("rollout restart daemonset/istio-cni-node")?;
    assert_mirrored(&world)?;
    let before = daemon_set(&world, "/metadata/uid")?;
    expect!["active: CNI on (3/3 nodes)"].assert_eq(&world.update_status()?);
    assert!(world.injects_validation()?);
    let after = daemon_set(&world, "/metadata/uid")?;
    assert_eq!(after, before, "the node agent was made again");
    Ok(())
}

#[test]
fn a_juju_that_overwrites_a_label_of_ours_changes_nothing() -> Result<()> {
    let mut world = world()?;
    world.apply(include_str!("manifests/overwritten_label.yaml"))?;
    until("the label is overwritten", || {
        let create = "create --dry-run=server -o json -f -";
        let probe = json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {
                "name": "probe", "namespace": "default",
                "labels": {"app.kubernetes.io/managed-by": "somebody"},
            },
        });
        let made = world
            .cluster
            .kubectl_with_input(create, &probe.to_string())?;
        Ok(made.contains("juju"))
    })?;
    expect!["active: CNI off"].assert_eq(&world.deploy()?);
    let istiod = world.get("deployment istiod")?;
    let label = &istiod["metadata"]["labels"]["app.kubernetes.io/managed-by"];
    assert_eq!(label, "juju");
    let before = world.writes()?;
    expect!["active: CNI off"].assert_eq(&world.update_status()?);
    assert_eq!(world.writes()?, before);
    expect!["active: CNI on (3/3 nodes)"].assert_eq(&world.configure(&BOTH_PATHS)?);
    expect!["active: CNI off"].assert_eq(&world.configure(&NO_PATHS)?);
    assert_eq!(world.agent_objects()?, Vec::<String>::new());
    world.remove()?;
    assert!(world.objects()?.is_empty(), "{:?}", world.objects()?);
    Ok(())
}

#[test]
fn definitions_carry_no_label_by_which_juju_deletes_a_model() -> Result<()> {
    let mut world = world()?;
    world.apply(include_str!("manifests/labels_of_juju.yaml"))?;
    until("objects are labelled", || {
        let create = "create --dry-run=server -o json configmap probe";
        Ok(world.kubectl(create)?.contains("app.juju.is/created-by"))
    })?;
    expect!["active: CNI off"].assert_eq(&world.deploy()?);
    let labels = |world: &World, object: &str| -> Result<Vec<String>> {
        let labels = world.get(object)?["metadata"]["labels"].take();
        let labels = labels.as_object().unwrap().keys();
        Ok(labels
            .filter(|it| it.contains("juju.is"))
            .cloned()
            .collect())
    };
    let definition = "customresourcedefinition gateways.networking.istio.io";
    assert_eq!(
        labels(&world, definition)?,
        ["model.juju.is/disable-webhook"]
    );
    assert_eq!(
        labels(&world, "configmap istio")?,
        ["app.juju.is/created-by", "model.juju.is/name"]
    );

    // What an earlier version of this charm has left to Juju.
    world.kubectl(&format!(
        "label {definition} app.juju.is/created-by=x model.juju.is/id=y"
    ))?;
    expect!["active: CNI off"].assert_eq(&world.update_status()?);
    assert_eq!(
        labels(&world, definition)?,
        ["model.juju.is/disable-webhook"]
    );
    let before = world.writes()?;
    expect!["active: CNI off"].assert_eq(&world.update_status()?);
    assert_eq!(world.writes()?, before);
    Ok(())
}

//! What a cluster's own policies make of the charm's objects.

use anyhow::Result;
use charm_world::{World, until};
use expect_test::expect;
use serde_json::Value;

use super::support::{BOTH_PATHS, MODEL, deployed};

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

//! What is not this application's stays as it is; what is, is kept as it shall be.

use anyhow::Result;
use expect_test::expect;
use serde_json::json;

use super::support::{MODEL, deployed, until_definitions, world};

#[test]
fn an_object_of_somebody_else_blocks_and_nothing_is_written() -> Result<()> {
    let mut world = world()?;
    world.apply(&json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {
            "name": "istio", "namespace": MODEL,
            "annotations": {"meta.helm.sh/release-name": "istiod"},
        },
        "data": {"mesh": "theirs"},
    }))?;
    expect!["blocked: ConfigMap mesh/istio belongs to the Helm release istiod; remove it first"]
        .assert_eq(&world.deploy()?);
    assert!(world.objects()?.is_empty());
    assert_eq!(world.writes()?, 0);
    world.kubectl("delete configmap istio")?;
    expect!["active: CNI off"].assert_eq(&world.update_status()?);
    Ok(())
}

#[test]
fn another_control_plane_of_the_default_revision_blocks() -> Result<()> {
    let mut world = world()?;
    world.kubectl("create namespace istio-system")?;
    world.apply(include_str!("manifests/other_istiod.yaml"))?;
    expect!["blocked: Deployment istio-system/istiod belongs to another control plane of the default revision in this cluster; remove it first"].assert_eq(&world.deploy()?);
    assert_eq!(world.writes()?, 0);
    Ok(())
}

#[test]
fn an_edit_is_set_back_and_named_in_the_log() -> Result<()> {
    let mut world = deployed()?;
    world.patch("configmap istio", &json!({"data": {"mesh": "edited"}}))?;
    world.kubectl("delete service istiod")?;
    // What others add is theirs.
    world.kubectl("annotate deployment istiod theirs=kept")?;
    expect!["active: CNI off"].assert_eq(&world.update_status()?);
    expect![[
        r#"ConfigMap mesh/istio: .data.mesh is set back (conflict with "kubectl-patch" using v1)"#
    ]]
    .assert_eq(&world.logged("WARNING"));
    assert_ne!(world.get("configmap istio")?["data"]["mesh"], "edited");
    world.get("service istiod")?;
    let istiod = world.get("deployment istiod")?;
    assert_eq!(istiod["metadata"]["annotations"]["theirs"], "kept");
    Ok(())
}

#[test]
fn a_quarrel_with_another_applier_blocks_and_names_it() -> Result<()> {
    let mut world = deployed()?;
    let theirs = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "istio", "namespace": MODEL},
        "data": {"mesh": "theirs"},
    });
    let apply = "apply --server-side --force-conflicts --field-manager=gitops -f -";
    world
        .cluster
        .kubectl_with_input(apply, &theirs.to_string())?;
    expect![[
        r#"blocked: applying ConfigMap mesh/istio: others own .data.mesh (conflict with "gitops")"#
    ]]
    .assert_eq(&world.update_status()?);
    assert_eq!(world.get("configmap istio")?["data"]["mesh"], "theirs");
    Ok(())
}

#[test]
fn a_definition_of_somebody_else_is_left() -> Result<()> {
    let mut world = world()?;
    world.apply(include_str!("manifests/definition_of_others.yaml"))?;
    let gateway = "customresourcedefinition gateways.networking.istio.io";
    let before = world.get(gateway)?;
    expect!["blocked: applying Gateway mesh/istio-gateway: failed to create typed patch object (mesh/istio-gateway; networking.istio.io/v1, Kind=Gateway): .spec: field not declared in schema"].assert_eq(&world.deploy()?);
    world.remove()?;
    assert_eq!(world.get(gateway)?["spec"], before["spec"]);
    until_definitions(&world, &["gateways.networking.istio.io"])
}

//! From one version of Istio to another: what is installed says which steps may be taken.

use anyhow::Result;
use charm_world::World;
use expect_test::expect;
use serde_json::json;

use crate::support::{BOTH_PATHS, NO_PATHS, deployed, outcome};

/// Makes what is installed look as if a charm of that version had done it.
fn as_if_installed_by(world: &World, version: &str) -> Result<()> {
    let kinds = "deployments,configmaps,services,serviceaccounts";
    let label = format!("--overwrite --all app.kubernetes.io/version={version}");
    world.kubectl(&format!("label {kinds} {label}"))?;
    Ok(())
}

fn version(world: &World) -> Result<String> {
    let istiod = world.get("deployment istiod")?;
    let version = &istiod["metadata"]["labels"]["app.kubernetes.io/version"];
    Ok(version.as_str().unwrap_or_default().to_owned())
}

#[test]
fn one_minor_version_is_followed_and_more_only_if_a_person_forces_it() -> Result<()> {
    let mut world = deployed()?;
    let this = version(&world)?;
    as_if_installed_by(&world, "1.30.5")?;
    expect!["active: CNI off"].assert_eq(&world.update_status()?);
    assert_eq!(version(&world)?, this);

    as_if_installed_by(&world, "1.29.0")?;
    let before = world.writes()?;
    expect!["blocked: Istio 1.29.0 is installed, and 1.31.1 would be more than one minor version: nothing is changed, CNI options included; juju refresh pilot to a revision that may follow, or: juju run pilot/leader upgrade force=true"].assert_eq(&world.update_status()?);
    // Options do not act, and all of that together writes nothing.
    expect!["blocked: Istio 1.29.0 is installed, and 1.31.1 would be more than one minor version: nothing is changed, CNI options included; juju refresh pilot to a revision that may follow, or: juju run pilot/leader upgrade force=true"].assert_eq(&world.configure(&BOTH_PATHS)?);
    world.configure(&NO_PATHS)?;
    let plan = outcome(&world.run_action("plan", &json!({}))?);
    let refusal = plan.lines().find(|it| it.starts_with('!'));
    expect!["! Istio 1.29.0 is installed, and 1.31.1 would be more than one minor version"]
        .assert_eq(refusal.unwrap_or_default());
    let refused = world.run_action("upgrade", &json!({"force": false}))?;
    expect![[r#"
        failed: Istio 1.29.0 is installed, and 1.31.1 would be more than one minor version: nothing is changed, CNI options included; juju refresh pilot to a revision that may follow, or: juju run pilot/leader upgrade force=true
        message: Istio 1.29.0 is installed, and 1.31.1 would be more than one minor version: nothing is changed, CNI options included; juju refresh pilot to a revision that may follow, or: juju run pilot/leader upgrade force=true
        status: blocked"#]].assert_eq(&outcome(&refused));
    assert_eq!(world.writes()?, before);
    assert_eq!(version(&world)?, "1.29.0");

    let forced = world.run_action("upgrade", &json!({"force": true}))?;
    expect![[r#"
        completed
        message: CNI off
        status: active"#]]
    .assert_eq(&outcome(&forced));
    assert_eq!(version(&world)?, this);
    let before = world.writes()?;
    expect!["active: CNI off"].assert_eq(&world.update_status()?);
    assert_eq!(world.writes()?, before);
    Ok(())
}

#[test]
fn a_step_back_is_blocked_and_does_not_hinder_a_removal() -> Result<()> {
    let mut world = deployed()?;
    as_if_installed_by(&world, "1.32.1")?;
    expect!["blocked: Istio 1.32.1 is installed, and 1.31.1 would be a step back: nothing is changed, CNI options included; juju refresh pilot to a revision that may follow, or: juju run pilot/leader upgrade force=true"].assert_eq(&world.update_status()?);
    world.remove()?;
    assert!(world.objects()?.is_empty(), "{:?}", world.objects());
    Ok(())
}

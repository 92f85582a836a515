//! What other charms get through relations.

use std::path::Path;

use anyhow::Result;
use charm_world::{Charm, World};
use expect_test::expect;
use juju_sim::ModelOptions;
use test_cluster::{Options, TestCluster};

use super::support::{APPLICATION, MODEL, databag, deployed};

#[test]
fn a_gateway_gets_the_address_of_istiod() -> Result<()> {
    let mut world = deployed()?;
    let gateway = "istio-ingressgateway";
    let interface = "k8s-service";
    world
        .model
        .add_remote_application(gateway, "istio-pilot", interface, 1)?;
    let relation = world
        .model
        .integrate(gateway, &format!("{APPLICATION}:istio-pilot"))?;
    world.settle()?;
    // The versions come first: the other side may wait for them before it writes its own.
    expect![[r#"_supported_versions = "- v1\n""#]].assert_eq(&databag(
        &world,
        relation,
        APPLICATION,
    ));
    expect!["waiting: istio-pilot:1 with istio-ingressgateway: `_supported_versions` is not set yet; istio-ingressgateway must list v1 there, as charms made for this interface do"].assert_eq(&world.shown()?);
    world
        .model
        .write_remote(relation, gateway, &[("_supported_versions", "- v1\n")])?;
    world.settle()?;
    expect![[r#"
        _supported_versions = "- v1\n"
        data = "service-name: istiod.mesh.svc\nservice-port: '15012'\n""#]]
    .assert_eq(&databag(&world, relation, APPLICATION));
    expect!["active: CNI off"].assert_eq(&world.shown()?);

    // Nothing is written twice.
    world.update_status()?;
    let dispatch = world.model.dispatches().last().unwrap();
    assert_eq!(dispatch.calls_of("relation-set").count(), 0);

    // One that speaks another version is a problem of its own.
    let newer = "egressgateway";
    world
        .model
        .add_remote_application(newer, "istio-pilot", interface, 1)?;
    let other = world
        .model
        .integrate(newer, &format!("{APPLICATION}:istio-pilot"))?;
    world
        .model
        .write_remote(other, newer, &[("_supported_versions", "- v9\n")])?;
    world.settle()?;
    expect!["blocked: istio-pilot:2 with egressgateway: `_supported_versions` lists no version that is supported here; egressgateway must support v1: refresh one of the two charms"].assert_eq(&world.shown()?);
    world.model.remove_relation(newer, APPLICATION)?;
    world.settle()?;
    expect!["active: CNI off"].assert_eq(&world.shown()?);
    Ok(())
}

#[test]
fn a_new_leader_continues_and_a_follower_writes_nothing() -> Result<()> {
    let mut world = deployed()?;
    world.scale(2)?;
    let gateway = "istio-ingressgateway";
    world
        .model
        .add_remote_application(gateway, "istio-pilot", "k8s-service", 1)?;
    let relation = world
        .model
        .integrate(gateway, &format!("{APPLICATION}:istio-pilot"))?;
    world.model.set_leader(&world.unit(1))?;
    world
        .model
        .write_remote(relation, gateway, &[("_supported_versions", "[\"v1\"]")])?;
    world.settle()?;
    expect![[r#"
        _supported_versions = "- v1\n"
        data = "service-name: istiod.mesh.svc\nservice-port: '15012'\n""#]]
    .assert_eq(&databag(&world, relation, APPLICATION));
    let follower = world.unit(0);
    expect![[r#"
        egress-subnets = "10.152.0.2/32"
        ingress-address = "10.152.0.2""#]]
    .assert_eq(&databag(&world, relation, &follower));
    Ok(())
}

#[test]
fn a_unit_leaves_while_an_offer_of_another_model_is_consumed() -> Result<()> {
    // Juju 3.6 names it by its URL in `goal-state`, which `remove` reads.
    let charm = Charm::of_program(Path::new(env!("CARGO_BIN_EXE_istio-pilot")))?;
    let options = ModelOptions::named(MODEL).juju_version("3.6.14");
    let cluster = TestCluster::start(&Options::default())?;
    let mut world = World::new(options, cluster, APPLICATION, charm)?;
    world.deploy()?;
    world
        .model
        .add_remote_application("scrape", "metrics-endpoint", "prometheus_scrape", 1)?;
    world
        .model
        .integrate("scrape", &format!("{APPLICATION}:metrics-endpoint"))?;
    world.scale(2)?;
    world.scale(1)?;
    assert_eq!(world.model.hooks_of("pilot/1").last(), Some(&"remove"));
    expect!["active: CNI off"].assert_eq(&world.shown()?);
    assert!(world.get("deployment istiod").is_ok());
    Ok(())
}

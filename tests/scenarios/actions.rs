//! What `juju run` does.

use serde_json::Map;

use super::support::{APPLICATION, MODEL, World};

#[test]
fn plan_shows_what_reconcile_then_does() {
    let mut world = World::deployed();
    let unit = format!("{APPLICATION}/0");
    let plan = world.model.run_action(&unit, "plan", &Map::new()).unwrap();
    assert!(plan.completed, "{}", plan.message);
    assert_eq!(plan.results["plan"], "nothing to change");
    world
        .cluster
        .kubectl(&["delete", "configmap", "istio", "-n", MODEL])
        .unwrap();
    let writes = world.writes();
    let plan = world.model.run_action(&unit, "plan", &Map::new()).unwrap();
    assert_eq!(plan.results["changes"], "1");
    assert_eq!(plan.results["plan"], format!("+ ConfigMap {MODEL}/istio\n"));
    assert_eq!(world.writes(), writes, "a plan changes nothing");
    let reconcile = world
        .model
        .run_action(&unit, "reconcile", &Map::new())
        .unwrap();
    assert!(reconcile.completed, "{}", reconcile.message);
    assert_eq!(reconcile.results["status"], "active");
    world.get("configmap", "istio");
}

#[test]
fn an_action_fails_with_what_to_do() {
    let mut world = World::deployed();
    world.model.scale(APPLICATION, 2).unwrap();
    world.settle();
    let follower = format!("{APPLICATION}/1");
    let reconcile = world
        .model
        .run_action(&follower, "reconcile", &Map::new())
        .unwrap();
    assert!(!reconcile.completed);
    let told = format!("juju run {APPLICATION}/leader reconcile");
    assert!(reconcile.message.contains(&told), "{}", reconcile.message);
}

//! What people do with the charm, from deploying to removing.

use std::thread;
use std::time::Duration;

use anyhow::Result;
use charm_world::{World, until};
use expect_test::expect;
use serde_json::{Value, json};

use super::support::{
    APPLICATION, BOTH_PATHS, MODEL, NO_PATHS, deployed, mounted, names, until_definitions, world,
};

/// The objects of `look_alikes.yaml`, which are not the application's.
const LOOK_ALIKES: [&str; 6] = [
    "configmap istio -n elsewhere",
    "serviceaccount istiod -n elsewhere",
    "configmap users-own",
    "configmap of-another-application",
    "configmap copied",
    "clusterrole copied",
];

/// The versions of the look-alikes.
fn versions(world: &World) -> Result<Vec<(&'static str, Value)>> {
    let version = |object| {
        let version = world.get(object)?["metadata"]["resourceVersion"].clone();
        Ok((object, version))
    };
    LOOK_ALIKES.into_iter().map(version).collect()
}

#[test]
fn deploy_switch_and_remove() -> Result<()> {
    let mut world = world()?;
    world.apply(include_str!("manifests/look_alikes.yaml"))?;
    let planted = versions(&world)?;
    expect!["active: CNI off"].assert_eq(&world.deploy()?);
    assert_eq!(world.model.status().applications[0].version, "1.31.1");
    assert!(!world.injects_validation()?);
    assert_eq!(world.agent_objects()?, Vec::<String>::new());
    let off: Vec<String> = world.objects()?.into_keys().collect();
    expect![[r#"
        ClusterRole copied
        ClusterRole istio-reader-clusterrole-mesh
        ClusterRole istiod-clusterrole-mesh
        ClusterRole istiod-gateway-controller-mesh
        ClusterRoleBinding istio-reader-clusterrole-mesh
        ClusterRoleBinding istiod-clusterrole-mesh
        ClusterRoleBinding istiod-gateway-controller-mesh
        ConfigMap copied
        ConfigMap istio
        ConfigMap istio-sidecar-injector
        ConfigMap values
        Deployment istiod
        HorizontalPodAutoscaler istiod
        MutatingWebhookConfiguration istio-sidecar-injector-mesh
        Role istiod
        RoleBinding istiod
        Service istiod
        ServiceAccount istio-reader-service-account
        ServiceAccount istiod
        ValidatingWebhookConfiguration istio-validator-mesh"#]]
    .assert_eq(&off.join("\n"));

    // Both set: on.
    expect!["active: CNI on (3/3 nodes)"].assert_eq(&world.configure(&BOTH_PATHS)?);
    assert!(world.injects_validation()?);
    assert_eq!(mounted(&world)?, ["/opt/cni/bin", "/etc/cni/net.d"]);

    // Other paths: off and on again.
    let uid = |world: &World| -> Result<Value> {
        Ok(world.get("daemonset istio-cni-node")?["metadata"]["uid"].clone())
    };
    let before = uid(&world)?;
    let other = world.configure(&[
        ("cni-bin-dir", "/var/lib/cni/bin"),
        ("cni-conf-dir", "/var/lib/cni/conf/"),
    ])?;
    expect!["active: CNI on (3/3 nodes)"].assert_eq(&other);
    assert_eq!(mounted(&world)?, ["/var/lib/cni/bin", "/var/lib/cni/conf"]);
    assert_ne!(uid(&world)?, before);

    // One unset: off, with nothing of the node agent left.
    let one = world.configure(&[("cni-conf-dir", "")])?;
    expect!["active: CNI off: cni-conf-dir is not set"].assert_eq(&one);
    assert!(!world.injects_validation()?);
    assert_eq!(world.agent_objects()?, Vec::<String>::new());
    assert_eq!(world.objects()?.into_keys().collect::<Vec<_>>(), off);

    // Removed: nothing of it is left, and the definitions go with the last user.
    world.remove()?;
    let left: Vec<_> = world.objects()?.into_keys().collect();
    assert_eq!(left, ["ClusterRole copied", "ConfigMap copied"]);
    until_definitions(&world, &[])?;
    assert_eq!(versions(&world)?, planted, "one was touched");
    Ok(())
}

#[test]
fn a_second_run_writes_nothing() -> Result<()> {
    let mut world = deployed()?;
    for paths in [NO_PATHS, BOTH_PATHS] {
        world.configure(&paths)?;
        let before = (world.writes()?, world.objects()?);
        world.update_status()?;
        assert_eq!((world.writes()?, world.objects()?), before);
        let dispatch = world.model.dispatches().last().unwrap();
        assert_eq!(dispatch.hook, "update-status");
        assert!(dispatch.tool_calls.len() <= 4, "{:?}", dispatch.tool_calls);
        assert_eq!(
            dispatch.calls_of("status-set").count(),
            0,
            "the status has not changed"
        );
    }
    Ok(())
}

#[test]
fn only_the_leader_changes_the_cluster_and_the_last_unit_removes_it() -> Result<()> {
    let mut world = deployed()?;
    world.scale(2)?;
    expect![[r#"
        pilot/0* active: CNI off
        pilot/1 active: standby"#]]
    .assert_eq(&world.shown_of_all());
    // The leader leaves; its successor has nothing to do.
    world.model.set_leader(&world.unit(1))?;
    world.settle()?;
    expect![[r#"
        pilot/0 active: CNI off
        pilot/1* active: CNI off"#]]
    .assert_eq(&world.shown_of_all());
    let before = world.objects()?;
    world.scale(1)?;
    assert_eq!(
        world.objects()?,
        before,
        "a unit that leaves takes nothing with it"
    );
    world.scale(0)?;
    assert!(
        world.objects()?.is_empty(),
        "the last unit takes all with it"
    );
    Ok(())
}

#[test]
fn definitions_stay_while_somebody_uses_them() -> Result<()> {
    let mut world = deployed()?;
    // istiod does not run here, so its webhook would refuse.
    world.kubectl("delete validatingwebhookconfigurations --all")?;
    world.apply(include_str!("manifests/gateway_of_a_user.yaml"))?;
    world.remove()?;
    let definitions = world.get("customresourcedefinitions")?;
    assert_eq!(names(&definitions).len(), 15);
    world.get("gateways.networking.istio.io users-own -n default")?;
    let log = world.logged("INFO");
    let lines: Vec<&str> = log.lines().collect();
    expect![[r#"
        Istio's definitions stay: there are gateways.networking.istio.io
        everything this application made is removed"#]]
    .assert_eq(&lines[lines.len() - 2..].join("\n"));
    Ok(())
}

#[test]
fn removal_leaves_the_node_agent_its_rights_until_its_pods_are_gone() -> Result<()> {
    let mut world = deployed()?;
    world.configure(&BOTH_PATHS)?;
    let agents = world.get("pods -l k8s-app=istio-cni-node")?;
    let agents = names(&agents);
    assert_eq!(agents.len(), 3);
    let cluster = &*world.cluster;
    let hold = |finalizers: Value| -> Result<()> {
        let patch = json!({"metadata": {"finalizers": finalizers}});
        for pod in &agents {
            cluster.kubectl(&format!(
                "patch pod {pod} -n {MODEL} --type=merge -p '{patch}'"
            ))?;
        }
        Ok(())
    };
    hold(json!(["example.test/hold"]))?;
    world.model.remove_application(APPLICATION)?;
    let model = &mut world.model;
    let (settled, rights) = thread::scope(|scope| {
        let looking = scope.spawn(|| -> Result<bool> {
            let exists = |object: &str| cluster.get(&format!("{object} -n {MODEL}")).is_ok();
            until("the DaemonSet goes", || {
                Ok(!exists("daemonset istio-cni-node"))
            })?;
            // Long enough for several looks of the removal.
            thread::sleep(Duration::from_secs(2));
            let rights = exists("serviceaccount istio-cni");
            hold(json!(null))?;
            Ok(rights)
        });
        (model.settle(), looking.join().unwrap())
    });
    assert_eq!(settled?.in_error, Vec::<String>::new());
    assert!(rights?, "the rights went before the pods");
    let objects = world.objects()?;
    assert!(objects.is_empty(), "{objects:?}");
    Ok(())
}

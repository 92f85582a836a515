//! What people do with the charm, from deploying to removing.

use serde_json::{Value, json};
use test_cluster::TestCluster;

use super::support::{APPLICATION, BOTH_PATHS, INSTANCE, MODEL, World, assert_says, shown, until};

/// Objects that are not the application's, however much they look like it.
fn plant(world: &World) -> Vec<(Vec<&'static str>, String)> {
    let labels = json!({
        "app.kubernetes.io/instance": INSTANCE, "app.kubernetes.io/managed-by": "istio-pilot",
    });
    let of_others = json!({
        "app.kubernetes.io/instance": "other-mesh", "app.kubernetes.io/managed-by": "istio-pilot",
    });
    let object = |kind: &str, api: &str, namespace: Option<&str>, name: &str, labels: &Value| {
        let mut metadata = json!({"name": name, "labels": labels});
        if let Some(namespace) = namespace {
            metadata["namespace"] = json!(namespace);
        }
        json!({"apiVersion": api, "kind": kind, "metadata": metadata})
    };
    let rbac = "rbac.authorization.k8s.io/v1";
    let objects = json!({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "elsewhere"}},
        // The same name, and even our labels, in another namespace.
        object("ConfigMap", "v1", Some("elsewhere"), "istio", &labels),
        object("ServiceAccount", "v1", Some("elsewhere"), "istiod", &labels),
        // In our namespace, but somebody else's.
        object("ConfigMap", "v1", Some(MODEL), "users-own", &json!({})),
        object("ConfigMap", "v1", Some(MODEL), "of-another-application", &of_others),
        // A copy somebody made, labels and all.
        object("ConfigMap", "v1", Some(MODEL), "copied", &labels),
        object("ClusterRole", rbac, None, "copied", &labels),
    ]});
    world.cluster.apply(&objects).unwrap();
    let planted = [
        vec!["configmap", "istio", "--namespace", "elsewhere"],
        vec!["serviceaccount", "istiod", "--namespace", "elsewhere"],
        vec!["configmap", "users-own", "--namespace", MODEL],
        vec!["configmap", "of-another-application", "--namespace", MODEL],
        vec!["configmap", "copied", "--namespace", MODEL],
        vec!["clusterrole", "copied"],
    ];
    planted
        .map(|arguments| (arguments.clone(), version(world, &arguments)))
        .into()
}

fn version(world: &World, arguments: &[&str]) -> String {
    let object = world.cluster.get(arguments).unwrap();
    object["metadata"]["resourceVersion"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[test]
fn deploy_switch_and_remove() {
    let mut world = World::new();
    let planted = plant(&world);
    world.deploy(true);
    assert_eq!(world.shown(), shown("active", "CNI off"), "{}", world.log());
    let status = world.model.status();
    assert_eq!(status.applications[0].version, "1.31.1");
    assert!(!world.injects_validation());
    assert_eq!(world.agent_objects(), Vec::<String>::new());
    let off = world.objects();
    for name in ["Deployment istiod", "Service istiod", "ConfigMap istio"] {
        assert!(off.contains_key(name), "{name} is missing in {off:?}");
    }
    assert!(
        off.keys()
            .any(|it| it.starts_with("MutatingWebhookConfiguration")),
        "{off:?}"
    );

    // Both set: on.
    let on = world.configure(&BOTH_PATHS);
    assert_eq!(on, shown("active", "CNI on (3/3 nodes)"), "{}", world.log());
    assert!(world.injects_validation());
    assert_eq!(world.mounted(), ["/opt/cni/bin", "/etc/cni/net.d"]);

    // Other paths: off and on again.
    let other = [
        ("cni-bin-dir", "/var/lib/cni/bin"),
        ("cni-conf-dir", "/var/lib/cni/conf/"),
    ];
    let uid = world.get("daemonset", "istio-cni-node")["metadata"]["uid"].clone();
    assert_eq!(
        world.configure(&other),
        shown("active", "CNI on (3/3 nodes)"),
        "{}",
        world.log()
    );
    assert_eq!(world.mounted(), ["/var/lib/cni/bin", "/var/lib/cni/conf"]);
    assert_ne!(
        world.get("daemonset", "istio-cni-node")["metadata"]["uid"],
        uid
    );

    // One unset: off, with nothing of the node agent left.
    let one = world.configure(&[("cni-conf-dir", "")]);
    assert_eq!(
        one,
        shown("active", "CNI off: cni-conf-dir is not set"),
        "{}",
        world.log()
    );
    assert!(!world.injects_validation());
    assert_eq!(world.agent_objects(), Vec::<String>::new());
    assert_eq!(
        world.objects().keys().collect::<Vec<_>>(),
        off.keys().collect::<Vec<_>>()
    );

    // Removed: nothing of it is left, and the definitions go with the last user.
    world.model.remove_application(APPLICATION).unwrap();
    world.settle();
    let left: Vec<_> = world.objects().into_keys().collect();
    assert_eq!(
        left,
        ["ClusterRole copied", "ConfigMap copied"],
        "{}",
        world.log()
    );
    let definitions = world.cluster.get(&["customresourcedefinitions"]).unwrap();
    assert_eq!(definitions["items"], json!([]));
    for (arguments, before) in planted {
        assert_eq!(
            version(&world, &arguments),
            before,
            "{arguments:?} was touched"
        );
    }
}

#[test]
fn a_second_run_writes_nothing() {
    let mut world = World::deployed();
    for paths in [[("cni-bin-dir", ""), ("cni-conf-dir", "")], BOTH_PATHS] {
        world.configure(&paths);
        let before = (world.writes(), world.objects());
        world.update_status();
        assert_eq!((world.writes(), world.objects()), before, "{}", world.log());
        let dispatch = world.model.dispatches().last().unwrap();
        assert_eq!(dispatch.hook, "update-status");
        assert!(dispatch.tool_calls.len() <= 12, "{:?}", dispatch.tool_calls);
        assert_eq!(
            dispatch.calls_of("status-set").count(),
            0,
            "the status has not changed"
        );
    }
}

#[test]
fn only_the_leader_changes_the_cluster_and_the_last_unit_removes_it() {
    let mut world = World::deployed();
    world.model.scale(APPLICATION, 2).unwrap();
    world.settle();
    let follower = world.model.status().units[1].workload.clone();
    assert_eq!(
        (follower.status.as_str(), follower.message.as_str()),
        ("active", "standby")
    );
    // The leader leaves; its successor has nothing to do.
    world.model.set_leader(&format!("{APPLICATION}/1")).unwrap();
    world.settle();
    let successor = world.model.status().units[1].workload.clone();
    assert_eq!(
        (successor.status.as_str(), successor.message.as_str()),
        ("active", "CNI off")
    );
    let before = world.objects();
    world.model.scale(APPLICATION, 1).unwrap();
    world.settle();
    assert_eq!(
        world.objects(),
        before,
        "a unit that leaves takes nothing with it"
    );
    world.model.scale(APPLICATION, 0).unwrap();
    world.settle();
    assert!(
        world.objects().is_empty(),
        "the last unit takes all with it"
    );
}

#[test]
fn definitions_stay_while_somebody_uses_them() {
    let mut world = World::deployed();
    let own = json!({
        "apiVersion": "networking.istio.io/v1", "kind": "Gateway",
        "metadata": {"name": "users-own", "namespace": "default"},
        "spec": {"servers": [{"hosts": ["*"], "port": {
            "name": "http", "number": 80, "protocol": "HTTP",
        }}]},
    });
    // istiod does not run here, so its webhook would refuse.
    let webhooks = "validatingwebhookconfigurations";
    world
        .cluster
        .kubectl(&["delete", webhooks, "--all"])
        .unwrap();
    world.cluster.apply(&own).unwrap();
    world.model.remove_application(APPLICATION).unwrap();
    world.settle();
    let definitions = world.cluster.get(&["customresourcedefinitions"]).unwrap();
    assert_eq!(definitions["items"].as_array().unwrap().len(), 15);
    world
        .cluster
        .get(&["gateways.networking.istio.io", "users-own", "-n", "default"])
        .unwrap();
    assert_says(&(String::new(), world.log()), "", "definitions stay");
}

#[test]
fn removal_leaves_the_node_agent_its_rights_until_its_pods_are_gone() {
    let mut world = World::deployed();
    world.configure(&BOTH_PATHS);
    let agents = ["pods", "-n", MODEL, "-l", "k8s-app=istio-cni-node"];
    let agents = world.cluster.get(&agents).unwrap();
    let names = agents["items"].as_array().unwrap().iter();
    let names: Vec<_> = names
        .map(|it| it["metadata"]["name"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(names.len(), 3);
    let hold = |cluster: &TestCluster, finalizers: &Value| {
        let patch = json!({"metadata": {"finalizers": finalizers}}).to_string();
        for name in &names {
            let patch = [
                "patch",
                "pod",
                name,
                "-n",
                MODEL,
                "--type=merge",
                "-p",
                &patch,
            ];
            cluster.kubectl(&patch).unwrap();
        }
    };
    hold(&world.cluster, &json!(["example.test/hold"]));
    world.model.remove_application(APPLICATION).unwrap();
    let (model, cluster) = (&mut world.model, &world.cluster);
    let (served, rights) = std::thread::scope(|scope| {
        let looking = scope.spawn(|| {
            let exists = |kind: &str, name: &str| cluster.get(&[kind, name, "-n", MODEL]).is_ok();
            until("the DaemonSet goes", || {
                !exists("daemonset", "istio-cni-node")
            });
            // Long enough for several looks of the removal.
            std::thread::sleep(std::time::Duration::from_secs(2));
            let rights = exists("serviceaccount", "istio-cni");
            hold(cluster, &json!(null));
            rights
        });
        (model.settle().unwrap(), looking.join().unwrap())
    });
    assert_eq!(served.in_error, Vec::<String>::new());
    assert!(rights, "the rights went before the pods");
    assert!(world.objects().is_empty(), "{:?}", world.objects());
}

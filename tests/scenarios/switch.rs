//! The CNI switch when something is in the way, or a hook is killed.

use juju_sim::{Progress, Reaction};
use serde_json::{Value, json};

use super::support::{APPLICATION, BOTH_PATHS, MODEL, World, assert_says, shown};

/// Says of every pod of the node agent what kubelet says when a directory is missing. It counts
/// for those that are not ready.
fn refuse_mounts(world: &World, path: &str) {
    let pods = world
        .cluster
        .get(&["pods", "-n", MODEL, "-l", "k8s-app=istio-cni-node"])
        .unwrap();
    for pod in pods["items"].as_array().unwrap() {
        let event = json!({
            "apiVersion": "v1", "kind": "Event",
            "metadata": {"generateName": "mount-", "namespace": MODEL},
            "involvedObject": {
                "apiVersion": "v1", "kind": "Pod", "namespace": MODEL,
                "name": pod["metadata"]["name"], "uid": pod["metadata"]["uid"],
            },
            "reason": "FailedMount", "type": "Warning", "source": {"component": "kubelet"},
            "message": format!(
                "MountVolume.SetUp failed for volume \"cni-bin-dir\" : hostPath type check failed, \
                 {path} is not a directory, unable to determine its type: path \"{path}\" does not exist"
            ),
        });
        world
            .cluster
            .kubectl_with_input(&["create", "-f", "-"], &event.to_string())
            .unwrap();
    }
}

/// Adds Ready nodes on which pods never start: nothing plays kubelet for them.
pub(super) fn add_bare_nodes(world: &World) {
    for name in ["bare1", "bare2"] {
        let node = json!({
            "apiVersion": "v1", "kind": "Node",
            "metadata": {"name": name, "labels": {"kubernetes.io/os": "linux"}},
            "status": {"allocatable": {"cpu": "8", "memory": "8Gi", "pods": "110"}},
        });
        world.cluster.apply(&node).unwrap();
        let ready = json!({"status": {"conditions": [{
            "type": "Ready", "status": "True", "reason": "Test", "message": "",
            "lastHeartbeatTime": "2026-01-01T00:00:00Z", "lastTransitionTime": "2026-01-01T00:00:00Z",
        }]}})
        .to_string();
        let patch = [
            "patch",
            "node",
            name,
            "--subresource=status",
            "--type=merge",
            "-p",
            &ready,
        ];
        world.cluster.kubectl(&patch).unwrap();
    }
}

#[test]
fn a_missing_directory_blocks_and_names_the_nodes() {
    let mut world = World::deployed();
    add_bare_nodes(&world);
    world.model.set_variable("ISTIO_PILOT_ROLLOUT_TIMEOUT", "8");
    let paths = [
        ("cni-bin-dir", "/no/such/bin"),
        ("cni-conf-dir", "/etc/cni/net.d"),
    ];
    assert_says(
        &world.configure(&paths),
        "waiting",
        "istio-cni-node 3/5 nodes (bare1: ",
    );
    refuse_mounts(&world, "/no/such/bin");
    let message = "cni-bin-dir /no/such/bin does not exist on bare1, bare2; \
                   injection stays at istio-init";
    assert_eq!(
        world.update_status(),
        shown("blocked", message),
        "{}",
        world.log()
    );
    assert!(!world.injects_validation());
    // Another path is tried once the pods of the first one are gone, which a kubelet would see to.
    world
        .model
        .set_variable("ISTIO_PILOT_ROLLOUT_TIMEOUT", "15");
    assert_says(
        &world.configure(&BOTH_PATHS),
        "waiting",
        "istio-cni-node is going (2 pods left)",
    );
    let agents = ["-n", MODEL, "-l", "k8s-app=istio-cni-node"];
    let kill = [
        &["delete", "pods", "--force", "--grace-period=0"],
        &agents[..],
    ]
    .concat();
    world.cluster.kubectl(&kill).unwrap();
    assert_says(
        &world.update_status(),
        "waiting",
        "istio-cni-node 3/5 nodes",
    );
    assert_eq!(world.mounted(), ["/opt/cni/bin", "/etc/cni/net.d"]);
    assert!(!world.injects_validation());
}

#[test]
fn pod_security_blocks_and_tells_the_command() {
    let mut world = World::deployed();
    let label = "pod-security.kubernetes.io/enforce";
    let enforce = |level: &str| format!("{label}={level}");
    world
        .cluster
        .kubectl(&["label", "namespace", MODEL, &enforce("baseline")])
        .unwrap();
    let status = world.configure(&BOTH_PATHS);
    let command = format!(
        "kubectl label namespace {MODEL} --overwrite {}",
        enforce("privileged")
    );
    assert_says(&status, "blocked", &command);
    assert!(!world.injects_validation());
    world
        .cluster
        .kubectl(&[
            "label",
            "namespace",
            MODEL,
            "--overwrite",
            &enforce("privileged"),
        ])
        .unwrap();
    assert_eq!(
        world.update_status(),
        shown("active", "CNI on (3/3 nodes)"),
        "{}",
        world.log()
    );
}

/// A pod that was injected before the switch and cannot be scheduled.
fn unscheduled_pod() -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "too-big", "namespace": "default"},
        "spec": {
            "containers": [{
                "name": "app", "image": "app", "resources": {"requests": {"cpu": "4000"}},
            }],
            "initContainers": [{"name": "istio-validation", "image": "proxyv2"}],
        },
    })
}

#[test]
fn a_pod_that_still_needs_the_plugin_holds_the_drain() {
    let mut world = World::deployed();
    world.configure(&BOTH_PATHS);
    world.cluster.apply(&unscheduled_pod()).unwrap();
    world
        .model
        .set_variable("ISTIO_PILOT_ROLLOUT_TIMEOUT", "15");
    let off = [("cni-bin-dir", ""), ("cni-conf-dir", "")];
    let status = world.configure(&off);
    assert_says(&status, "waiting", "default/too-big");
    assert!(!world.injects_validation(), "new pods are safe already");
    world.get("daemonset", "istio-cni-node");
    world
        .cluster
        .kubectl(&["delete", "pod", "too-big", "-n", "default", "--now"])
        .unwrap();
    world
        .model
        .set_variable("ISTIO_PILOT_ROLLOUT_TIMEOUT", "60");
    assert_eq!(
        world.update_status(),
        shown("active", "CNI off"),
        "{}",
        world.log()
    );
    assert_eq!(world.agent_objects(), Vec::<String>::new());
}

#[test]
fn the_node_agents_rights_outlive_its_pods() {
    let mut world = World::deployed();
    world.configure(&BOTH_PATHS);
    world.configure(&[("cni-bin-dir", "")]);
    let requests = world.cluster.audit_requests().unwrap();
    let deleted = |part: &str| {
        requests
            .iter()
            .position(|it| it.verb == "delete" && it.uri.contains(part))
            .unwrap()
    };
    let daemon_set = deleted("daemonsets/istio-cni-node");
    for rights in ["serviceaccounts/istio-cni", "clusterrolebindings/istio-cni"] {
        assert!(
            deleted(rights) > daemon_set,
            "{rights} went before the DaemonSet"
        );
    }
}

/// Kills the hook at each of its status changes in turn; the next hook goes on from there.
#[test]
fn a_killed_hook_goes_on_where_it_stopped() {
    let mut world = World::new();
    let killed = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = killed.clone();
    let mut seen = std::collections::BTreeSet::new();
    world.model.observe(move |progress| match progress {
        Progress::Status {
            status: "maintenance",
            message,
            ..
        } if seen.insert(message.to_owned()) => {
            count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            Reaction::Kill
        }
        _ => Reaction::Continue,
    });
    let settle = |world: &mut World| {
        for _ in 0..50 {
            let settled = world.model.settle().unwrap();
            let Some(unit) = settled.in_error.first().cloned() else {
                return;
            };
            world.model.resolved(&unit, true).unwrap();
        }
        panic!("the hook never gets through:\n{}", world.log());
    };
    world.deploy_without_settling();
    settle(&mut world);
    assert_eq!(world.shown(), shown("active", "CNI off"));
    for (paths, message) in [
        (BOTH_PATHS, "CNI on (3/3 nodes)"),
        (
            [("cni-bin-dir", "/a"), ("cni-conf-dir", "/b")],
            "CNI on (3/3 nodes)",
        ),
        ([("cni-bin-dir", ""), ("cni-conf-dir", "")], "CNI off"),
    ] {
        world.model.set_config(APPLICATION, &paths).unwrap();
        settle(&mut world);
        assert_eq!(world.shown(), shown("active", message), "{}", world.log());
    }
    let kills = killed.load(std::sync::atomic::Ordering::Relaxed);
    assert!(kills >= 8, "only {kills} hooks were killed");
    assert_eq!(world.agent_objects(), Vec::<String>::new());
}

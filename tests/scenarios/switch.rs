//! The CNI switch when something is in the way, a hook is killed, or its leader is deposed.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use juju_sim::{Progress, Reaction};
use serde_json::{Value, json};
use test_cluster::Program;

use super::nodes::{add_node, refuse_mounts};
use super::support::{APPLICATION, BOTH_PATHS, MODEL, World, assert_says, shown};

#[test]
fn a_missing_directory_blocks_and_names_the_nodes() {
    let mut world = World::deployed();
    add_node(&world, "bare1", "linux", "True");
    add_node(&world, "bare2", "linux", "True");
    world.model.set_variable("ISTIO_PILOT_ROLLOUT_TIMEOUT", "8");
    let paths = [
        ("cni-bin-dir", "/no/such/bin"),
        ("cni-conf-dir", "/etc/cni/net.d"),
    ];
    assert_says(
        &world.configure(&paths),
        "waiting",
        "istio-cni-node 3/5 nodes (bare1, bare2: ",
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
    let hint = format!("juju run {APPLICATION}/leader list-stale-workloads");
    assert!(world.log().contains(&hint), "{}", world.log());
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

/// Does something to the hook at each new status while the model settles after each change, to the
/// end and back. Tells how often.
fn disturb(world: &mut World, reaction: Reaction) -> usize {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    let mut seen = BTreeSet::new();
    world.model.observe(move |progress| match progress {
        Progress::Status {
            status: "maintenance",
            message,
            ..
        } if seen.insert(message.to_owned()) => {
            counted.fetch_add(1, Ordering::Relaxed);
            reaction
        }
        _ => Reaction::Continue,
    });
    settle_whatever_fails(world);
    assert_eq!(active(world), "CNI off", "{}", world.log());
    for (paths, message) in [
        (BOTH_PATHS, "CNI on (3/3 nodes)"),
        (
            [("cni-bin-dir", "/a"), ("cni-conf-dir", "/b")],
            "CNI on (3/3 nodes)",
        ),
        ([("cni-bin-dir", ""), ("cni-conf-dir", "")], "CNI off"),
    ] {
        world.model.set_config(APPLICATION, &paths).unwrap();
        settle_whatever_fails(world);
        assert_eq!(active(world), message, "{}", world.log());
        assert_eq!(world.injects_validation(), message != "CNI off");
    }
    assert_eq!(world.agent_objects(), Vec::<String>::new());
    count.load(Ordering::Relaxed)
}

/// Settles; hooks that fail are tried again.
fn settle_whatever_fails(world: &mut World) {
    for _ in 0..50 {
        let settled = world.model.settle().unwrap();
        let Some(unit) = settled.in_error.first().cloned() else {
            return;
        };
        world.model.resolved(&unit, true).unwrap();
    }
    panic!("the hook never gets through:\n{}", world.log());
}

/// What the leader shows; every unit must be active.
fn active(world: &World) -> String {
    let status = world.model.status();
    let shown: Vec<_> = status.units.iter().map(|it| &it.workload).collect();
    assert!(shown.iter().all(|it| it.status == "active"), "{shown:?}");
    let leader = shown.iter().find(|it| it.message != "standby");
    leader.map(|it| it.message.clone()).unwrap_or_default()
}

/// The next hook goes on from where the killed one stopped.
#[test]
fn a_killed_hook_goes_on_where_it_stopped() {
    let mut world = World::new();
    world.deploy_without_settling();
    let kills = disturb(&mut world, Reaction::Kill);
    assert!(kills >= 8, "only {kills} hooks were killed");
}

/// The hook that runs stops writing, and the new leader goes on from there.
#[test]
fn a_leader_that_is_deposed_in_any_state_leaves_the_rest_to_the_next() {
    let mut world = World::new();
    world.deploy_without_settling();
    world.model.scale(APPLICATION, 2).unwrap();
    let changes = disturb(&mut world, Reaction::Depose);
    assert!(changes >= 8, "only {changes} leaders were deposed");
}

#[test]
fn a_leader_that_is_deposed_while_it_waits_writes_no_more() {
    let mut world = World::deployed();
    world.model.scale(APPLICATION, 2).unwrap();
    world.settle();
    // The node agent waits for a node, which goes at the moment the leadership does.
    add_node(&world, "bare", "linux", "True");
    let mut kubectl = world.cluster.command(Program::Kubectl).unwrap();
    kubectl.args(["delete", "node", "bare"]);
    let mut deposed = false;
    world.model.observe(move |progress| match progress {
        Progress::Status { message, .. } if message.starts_with("istio-cni-node ") && !deposed => {
            deposed = kubectl.status().unwrap().success();
            Reaction::Depose
        }
        _ => Reaction::Continue,
    });
    world.model.set_config(APPLICATION, &BOTH_PATHS).unwrap();
    world.settle();
    // How many nodes there are is the DaemonSet's word, and may be a moment old.
    assert!(active(&world).starts_with("CNI on ("), "{}", world.log());
    let wrote = |unit: &str, what: &str| {
        let unit = format!("{APPLICATION}/{unit}");
        let log = world.model.debug_log();
        log.iter()
            .any(|it| it.unit == unit && it.message.contains(what))
    };
    let switch = format!("changed ConfigMap {MODEL}/istio-sidecar-injector");
    assert!(wrote(
        "0",
        &format!("created DaemonSet {MODEL}/istio-cni-node")
    ));
    assert!(!wrote("0", &switch), "{}", world.log());
    assert!(wrote("1", &switch), "{}", world.log());
}

/// The writes that matter for the order of a switch, from that request of the log on.
fn order(world: &World, from: usize) -> Vec<String> {
    let requests = world.cluster.audit_requests().unwrap();
    let what = |uri: &str| {
        let names = [
            "configmaps/istio-sidecar-injector",
            "daemonsets/istio-cni-node",
        ];
        names.into_iter().find(|it| uri.contains(it))
    };
    let writes = requests[from..]
        .iter()
        .filter(|it| it.is_write() && !it.uri.contains("dryRun") && !it.uri.contains("/status"));
    writes
        .filter_map(|it| Some(format!("{} {}", it.verb, what(&it.uri)?)))
        .collect()
}

#[test]
fn the_node_agents_template_changes_only_when_it_must_and_never_while_it_is_on() {
    let mut world = World::deployed();
    let on = shown("active", "CNI on (3/3 nodes)");
    assert_eq!(world.configure(&BOTH_PATHS), on, "{}", world.log());
    let from = world.cluster.audit_requests().unwrap().len();
    // What others get does not concern the node agent.
    let option = "image-configuration";
    let other = [(option, "{global-proxy-image: other, pilot-image: other}")];
    assert_eq!(world.configure(&other), on, "{}", world.log());
    let injector = "patch configmaps/istio-sidecar-injector";
    assert_eq!(order(&world, from), [injector]);
    let from = world.cluster.audit_requests().unwrap().len();
    let own = [(option, "{global-cni-image: own-cni}")];
    assert_eq!(world.configure(&own), on, "{}", world.log());
    let daemon_set = "daemonsets/istio-cni-node";
    let (delete, create) = (
        format!("delete {daemon_set}"),
        format!("patch {daemon_set}"),
    );
    assert_eq!(order(&world, from), [injector, &delete, &create, injector]);
}

/// What Istio's own installer leaves of a node agent.
fn installed_agent() -> Value {
    let labels = json!({"k8s-app": "istio-cni-node"});
    json!({
        "apiVersion": "apps/v1", "kind": "DaemonSet",
        "metadata": {"name": "istio-cni-node", "namespace": MODEL, "labels": {
            "k8s-app": "istio-cni-node", "app.kubernetes.io/name": "istio-cni",
            "operator.istio.io/managed": "Reconcile",
            "install.operator.istio.io/owning-resource-namespace": MODEL,
        }},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "install-cni", "image": "install-cni:1.30.0"}]},
            },
        },
    })
}

#[test]
fn the_node_agent_of_a_replaced_installation_goes_or_makes_room() {
    for (paths, message) in [
        (&[][..], "CNI off"),
        (&BOTH_PATHS[..], "CNI on (3/3 nodes)"),
    ] {
        let mut world = World::new();
        let apply = [
            "apply",
            "--server-side",
            "--field-manager=istio-operator",
            "-f",
            "-",
        ];
        let installed = installed_agent().to_string();
        world
            .cluster
            .kubectl_with_input(&apply, &installed)
            .unwrap();
        let before = world.get("daemonset", "istio-cni-node")["metadata"]["uid"].clone();
        world.deploy_without_settling();
        world.model.set_config(APPLICATION, paths).unwrap();
        world.settle();
        assert_eq!(world.shown(), shown("active", message), "{}", world.log());
        let all = world.cluster.get(&["daemonsets", "-n", MODEL]).unwrap();
        let uids = all["items"].as_array().unwrap().iter();
        let uids: Vec<_> = uids.map(|it| &it["metadata"]["uid"]).collect();
        assert_eq!(uids.len(), paths.len() / 2);
        assert!(!uids.contains(&&before));
    }
}

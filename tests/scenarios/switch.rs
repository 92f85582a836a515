//! The CNI switch when something is in the way, a hook is killed, or its leader is deposed.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};

use anyhow::{Result, bail, ensure};
use charm_world::World;
use expect_test::expect;
use juju_sim::{Progress, Reaction};

use super::nodes::{add_node, refuse_mounts};
use super::support::{
    APPLICATION, BOTH_PATHS, MODEL, NO_PATHS, deployed, mounted, without_desired_nodes,
    without_numbers, without_pod_suffixes, world,
};

#[test]
fn a_missing_directory_blocks_and_names_the_nodes() -> Result<()> {
    let mut world = deployed()?;
    add_node(&world, "bare1", "linux", "True")?;
    add_node(&world, "bare2", "linux", "True")?;
    world.set_rollout_timeout(8);
    let missing = world.configure(&[
        ("cni-bin-dir", "/no/such/bin"),
        ("cni-conf-dir", "/etc/cni/net.d"),
    ])?;
    expect!["waiting: istio-cni-node 3/5 nodes (bare1, bare2: starting); continues at the next update-status, or: juju run pilot/leader reconcile"].assert_eq(&missing);
    refuse_mounts(&world, "/no/such/bin")?;
    expect!["blocked: cni-bin-dir /no/such/bin does not exist on bare1, bare2; injection stays at istio-init"].assert_eq(&world.update_status()?);
    assert!(!world.injects_validation()?);
    // Another path is tried once the pods of the first one are gone, which a kubelet would see to.
    world.set_rollout_timeout(15);
    expect!["waiting: removing istio-cni-node, 2 pods left; continues at the next update-status, or: juju run pilot/leader reconcile"].assert_eq(&world.configure(&BOTH_PATHS)?);
    world.kubectl("delete pods --force --grace-period=0 -l k8s-app=istio-cni-node")?;
    expect!["waiting: istio-cni-node 3/5 nodes (bare1, bare2: starting); continues at the next update-status, or: juju run pilot/leader reconcile"].assert_eq(&world.update_status()?);
    assert_eq!(mounted(&world)?, ["/opt/cni/bin", "/etc/cni/net.d"]);
    assert!(!world.injects_validation()?);
    Ok(())
}

#[test]
fn pod_security_blocks_and_tells_the_command() -> Result<()> {
    let mut world = deployed()?;
    world.kubectl("label namespace mesh pod-security.kubernetes.io/enforce=baseline")?;
    let blocked = world.configure(&BOTH_PATHS)?;
    expect!["blocked: Pod Security refuses the CNI node agent; run: kubectl label namespace mesh --overwrite pod-security.kubernetes.io/enforce=privileged"].assert_eq(&blocked);
    assert!(!world.injects_validation()?);
    // As the message says.
    let (_, command) = blocked.split_once(" kubectl ").unwrap();
    world.kubectl(command)?;
    expect!["active: CNI on (3/3 nodes)"].assert_eq(&world.update_status()?);
    Ok(())
}

#[test]
fn a_pod_that_still_needs_the_plugin_holds_the_drain() -> Result<()> {
    let mut world = deployed()?;
    world.configure(&BOTH_PATHS)?;
    world.apply(include_str!("manifests/unscheduled_pod.yaml"))?;
    world.set_rollout_timeout(15);
    expect!["waiting: pods that still need the CNI node agent: default/too-big (not scheduled: 0/3 nodes are available: 3 Insufficient cpu. preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.); continues at the next update-status, or: juju run pilot/leader reconcile"].assert_eq(&world.configure(&NO_PATHS)?);
    assert!(!world.injects_validation()?, "new pods are safe already");
    world.get("daemonset istio-cni-node")?;
    world.kubectl("delete pod too-big -n default --now")?;
    world.set_rollout_timeout(60);
    expect!["active: CNI off"].assert_eq(&world.update_status()?);
    assert_eq!(world.agent_objects()?, Vec::<String>::new());
    Ok(())
}

#[test]
fn the_node_agents_rights_outlive_its_pods() -> Result<()> {
    let mut world = deployed()?;
    world.configure(&BOTH_PATHS)?;
    world.configure(&[("cni-bin-dir", "")])?;
    expect![[r#"
        istiod-…-… does not say what it injects; continuing without it
        pods created while the CNI was on cannot start again after a reboot of their node; to list their workloads: juju run pilot/leader list-stale-workloads"#]]
    .assert_eq(&without_pod_suffixes(&world.logged("WARNING")));
    let requests = world.requests()?;
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
    Ok(())
}

/// Does something to the hook at each new status while the model settles after each change, to the
/// end and back. Returns how often, and what the leader showed after each change.
fn disturb(world: &mut World, reaction: Reaction) -> Result<(usize, String)> {
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
    settle_whatever_fails(world)?;
    let mut shown = vec![shown_of_leader(world)?];
    let other_paths = [("cni-bin-dir", "/a"), ("cni-conf-dir", "/b")];
    for (paths, validates) in [(BOTH_PATHS, true), (other_paths, true), (NO_PATHS, false)] {
        world.model.set_config(APPLICATION, &paths)?;
        settle_whatever_fails(world)?;
        shown.push(shown_of_leader(world)?);
        assert_eq!(world.injects_validation()?, validates);
    }
    assert_eq!(world.agent_objects()?, Vec::<String>::new());
    Ok((count.load(Ordering::Relaxed), shown.join("\n")))
}

/// Settles; hooks that fail are tried again.
fn settle_whatever_fails(world: &mut World) -> Result<()> {
    for _ in 0..50 {
        let settled = world.model.settle()?;
        let Some(unit) = settled.in_error.first() else {
            return Ok(());
        };
        world.model.resolved(unit, true)?;
    }
    bail!("the hook never gets through:\n{}", world.log());
}

/// What `juju status` shows of the leader; every unit must be active.
fn shown_of_leader(world: &World) -> Result<String> {
    let status = world.model.status();
    let mut units = status.units.iter();
    ensure!(
        units.clone().all(|it| it.workload.status == "active"),
        "{status}"
    );
    let leader = units.find(|it| it.leader).map(|it| &it.workload);
    Ok(leader.map_or_else(String::new, |it| format!("{}: {}", it.status, it.message)))
}

/// The next hook goes on from where the killed one stopped.
#[test]
fn a_killed_hook_goes_on_where_it_stopped() -> Result<()> {
    let mut world = world()?;
    world.model.deploy(world.deployment().trusted())?;
    let (kills, shown) = disturb(&mut world, Reaction::Kill)?;
    expect![[r#"
        active: CNI off
        active: CNI on (3/3 nodes)
        active: CNI on (3/3 nodes)
        active: CNI off"#]]
    .assert_eq(&shown);
    assert!(kills >= 8, "only {kills} hooks were killed");
    Ok(())
}

/// The hook that runs stops writing, and the new leader goes on from there.
#[test]
fn a_leader_that_is_deposed_in_any_state_leaves_the_rest_to_the_next() -> Result<()> {
    let mut world = world()?;
    world.model.deploy(world.deployment().trusted())?;
    world.model.scale(APPLICATION, 2)?;
    let (changes, shown) = disturb(&mut world, Reaction::Depose)?;
    expect![[r#"
        active: CNI off
        active: CNI on (3/3 nodes)
        active: CNI on (3/3 nodes)
        active: CNI off"#]]
    .assert_eq(&shown);
    assert!(changes >= 8, "only {changes} leaders were deposed");
    Ok(())
}

#[test]
fn a_leader_that_is_deposed_while_it_waits_writes_no_more() -> Result<()> {
    let mut world = deployed()?;
    world.scale(2)?;
    // The node agent waits for a node, which goes at the moment the leadership does.
    add_node(&world, "bare", "linux", "True")?;
    let cluster = Arc::clone(&world.cluster);
    let (deposing, deposed_at) = mpsc::channel();
    let mut deposed = false;
    world.model.observe(move |progress| match progress {
        Progress::Status {
            status: "maintenance",
            message,
            ..
        } if !deposed
            && cluster
                .get(&format!("ds istio-cni-node -n {MODEL}"))
                .is_ok() =>
        {
            deposed = true;
            cluster.kubectl("delete node bare").unwrap();
            deposing.send(message.to_owned()).unwrap();
            Reaction::Depose
        }
        _ => Reaction::Continue,
    });
    world.model.set_config(APPLICATION, &BOTH_PATHS)?;
    world.settle()?;
    expect!["istio-cni-node …/… nodes"].assert_eq(&without_numbers(&deposed_at.recv()?));
    // How many nodes there are is the DaemonSet's word, and may be a moment old.
    let on = shown_of_leader(&world)?;
    expect!["active: CNI on (3/… nodes)"].assert_eq(&without_desired_nodes(&on));
    let wrote = |unit: u32, what: &str| {
        let unit = world.unit(unit);
        let log = world.model.debug_log();
        log.iter()
            .any(|it| it.unit == unit && it.message.contains(what))
    };
    let switch = format!("changed ConfigMap {MODEL}/istio-sidecar-injector");
    let created = format!("created DaemonSet {MODEL}/istio-cni-node");
    assert!(wrote(0, &created));
    assert!(!wrote(0, &switch));
    assert!(wrote(1, &switch));
    Ok(())
}

/// The writes that matter for the order of a switch, from that request of the log on.
fn order(world: &World, from: usize) -> Result<Vec<String>> {
    let requests = world.cluster.audit_requests()?;
    let what = |uri: &str| {
        let names = [
            "configmaps/istio-sidecar-injector",
            "daemonsets/istio-cni-node",
        ];
        names.into_iter().find(|it| uri.contains(it))
    };
    let writes = requests[from..]
        .iter()
        .filter(|it| it.is_write() && !it.is_dry_run() && !it.uri.contains("/status"));
    Ok(writes
        .filter_map(|it| Some(format!("{} {}", it.verb, what(&it.uri)?)))
        .collect())
}

#[test]
fn the_node_agents_template_changes_only_when_it_must_and_never_while_it_is_on() -> Result<()> {
    let mut world = deployed()?;
    expect!["active: CNI on (3/3 nodes)"].assert_eq(&world.configure(&BOTH_PATHS)?);
    let from = world.cluster.audit_requests()?.len();
    // What others get does not concern the node agent.
    let option = "image-configuration";
    let other = [(option, "{global-proxy-image: other, pilot-image: other}")];
    expect!["active: CNI on (3/3 nodes)"].assert_eq(&world.configure(&other)?);
    let injector = "patch configmaps/istio-sidecar-injector";
    assert_eq!(order(&world, from)?, [injector]);
    let from = world.cluster.audit_requests()?.len();
    let own = [(option, "{global-cni-image: own-cni}")];
    expect!["active: CNI on (3/3 nodes)"].assert_eq(&world.configure(&own)?);
    let delete = "delete daemonsets/istio-cni-node";
    let create = "patch daemonsets/istio-cni-node";
    assert_eq!(order(&world, from)?, [injector, delete, create, injector]);
    Ok(())
}

#[test]
fn the_node_agent_of_a_replaced_installation_goes_or_makes_room() -> Result<()> {
    for (paths, shown) in [
        (&[][..], expect!["active: CNI off"]),
        (&BOTH_PATHS[..], expect!["active: CNI on (3/3 nodes)"]),
    ] {
        let mut world = world()?;
        world.cluster.kubectl_with_input(
            "apply --server-side --field-manager=istio-operator -f -",
            include_str!("manifests/installed_agent.yaml"),
        )?;
        let before = world.get("daemonset istio-cni-node")?["metadata"]["uid"].clone();
        world.model.deploy(world.deployment().trusted())?;
        shown.assert_eq(&world.configure(paths)?);
        let all = world.get("daemonsets")?;
        let all = all["items"].as_array().unwrap().iter();
        let uids: Vec<_> = all.map(|it| &it["metadata"]["uid"]).collect();
        assert_eq!(uids.len(), paths.len() / 2);
        assert!(!uids.contains(&&before));
    }
    Ok(())
}

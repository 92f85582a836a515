use serde_json::{Value, json};

use super::*;
use crate::configuration;
use crate::plan::plan;

fn settings(on: bool) -> Settings {
    let mut options = json!({});
    if on {
        options = json!({"cni-bin-dir": "/opt/cni/bin", "cni-conf-dir": "/etc/cni/net.d"});
    }
    Settings {
        application: "pilot".to_owned(),
        namespace: "mesh".to_owned(),
        configuration: configuration::parse(options.as_object().unwrap()).unwrap(),
        kubernetes: KubernetesVersion {
            major: 1,
            minor: 34,
        },
    }
}

/// What the server has after everything wanted was applied.
fn applied(settings: &Settings) -> Snapshot {
    let wanted = Wanted::finally(settings).unwrap();
    let mut snapshot = Snapshot::default();
    for object in wanted.objects {
        let mut value = object.value().clone();
        value["metadata"]["uid"] = json!("uid");
        value["status"] = match object.kind() {
            "CustomResourceDefinition" => {
                json!({"conditions": [{"type": "Established", "status": "True"}]})
            }
            "Deployment" => json!({
                "observedGeneration": 1, "replicas": 1, "updatedReplicas": 1,
                "availableReplicas": 1,
            }),
            "DaemonSet" => json!({
                "observedGeneration": 1, "desiredNumberScheduled": 3,
                "updatedNumberScheduled": 3, "numberReady": 3,
            }),
            _ => Value::Null,
        };
        insert(&mut snapshot, value);
    }
    snapshot
}

fn insert(snapshot: &mut Snapshot, value: Value) {
    let object = Object::from_value(value).unwrap();
    snapshot.live.insert(object.id().clone(), object);
}

fn change(snapshot: &mut Snapshot, kind: &str, change: impl Fn(&mut Value)) {
    let found = snapshot.live.values().find(|it| it.kind() == kind).unwrap();
    let mut value = found.value().clone();
    change(&mut value);
    insert(snapshot, value);
}

fn planned(settings: &Settings, snapshot: &Snapshot) -> Plan {
    let wanted = Wanted::finally(settings).unwrap();
    plan(
        &wanted.objects,
        &BTreeSet::new(),
        &snapshot.live,
        &settings.owner(),
    )
}

fn kinds(batch: &Batch<'_>) -> BTreeSet<String> {
    batch
        .upserts
        .iter()
        .map(|it| it.object.kind().to_owned())
        .collect()
}

#[test]
fn definitions_come_first_and_alone() {
    let snapshot = Snapshot::default();
    let plan = planned(&settings(false), &snapshot);
    let batch = batch(&plan, &snapshot, "mesh");
    assert_eq!(
        kinds(&batch),
        ["CustomResourceDefinition".to_owned()].into()
    );
}

#[test]
fn nothing_follows_definitions_that_are_not_established() {
    let mut snapshot = applied(&settings(false));
    change(&mut snapshot, "CustomResourceDefinition", |it| {
        it["status"] = Value::Null;
    });
    let mut plan = planned(&settings(false), &snapshot);
    plan.upserts.retain(|it| it.wave != Wave::Definitions);
    assert!(!plan.upserts.is_empty());
    let batch = batch(&plan, &snapshot, "mesh");
    assert!(batch.upserts.is_empty());
    assert!(
        batch.awaited[0].progress.ends_with("not established yet"),
        "{:?}",
        batch.awaited
    );
}

#[test]
fn new_webhooks_wait_for_istiod_and_old_ones_do_not() {
    let mut snapshot = applied(&settings(false));
    change(&mut snapshot, "Deployment", |it| {
        it["status"]["availableReplicas"] = json!(0);
    });
    let mut plan = planned(&settings(false), &snapshot);
    plan.upserts.retain(|it| it.wave != Wave::Definitions);
    let webhook = "MutatingWebhookConfiguration".to_owned();
    let old = batch(&plan, &snapshot, "mesh");
    assert!(kinds(&old).contains(&webhook), "{:?}", kinds(&old));
    assert_eq!(old.awaited[0].progress, "istiod 0/1 ready");
    for upsert in &mut plan.upserts {
        upsert.differences = None;
    }
    assert!(!kinds(&batch(&plan, &snapshot, "mesh")).contains(&webhook));
    change(&mut snapshot, "Deployment", |it| {
        it["status"]["availableReplicas"] = json!(1);
    });
    assert!(kinds(&batch(&plan, &snapshot, "mesh")).contains(&webhook));
}

#[test]
fn another_default_control_plane_is_a_rival() {
    let ours = settings(true);
    let mut snapshot = applied(&ours);
    assert_eq!(rivals(&ours, &snapshot), []);
    let istiod = |namespace: &str, revision: &str| {
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "istiod", "namespace": namespace, "labels": {
                "app": "istiod", "istio.io/rev": revision,
            }},
        })
    };
    insert(&mut snapshot, istiod("canary", "canary"));
    assert_eq!(rivals(&ours, &snapshot), []);
    insert(&mut snapshot, istiod("istio-system", "default"));
    let found = rivals(&ours, &snapshot);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].id.to_string(), "Deployment istio-system/istiod");
}

#[test]
fn another_node_agent_is_a_rival_only_while_ours_is_wanted() {
    let agent = json!({
        "apiVersion": "apps/v1", "kind": "DaemonSet",
        "metadata": {"name": "istio-cni-node", "namespace": "istio-system"},
    });
    for (on, count) in [(true, 1), (false, 0)] {
        let mut snapshot = applied(&settings(on));
        insert(&mut snapshot, agent.clone());
        assert_eq!(rivals(&settings(on), &snapshot).len(), count);
    }
}

#[test]
fn the_node_agent_is_held_while_it_is_needed() {
    let on = settings(true);
    let live = applied(&on).live;
    let owner = on.owner();
    let all = held(Phase::Draining, &owner, &live);
    let without_daemon_set = held(Phase::Removing, &owner, &live);
    assert!(all.iter().any(|it| it.kind == "DaemonSet"));
    assert!(
        all.iter()
            .any(|it| it.kind == "ServiceAccount" && it.name == "istio-cni")
    );
    assert!(!all.iter().any(|it| it.name == "istiod"));
    assert_eq!(all.len(), without_daemon_set.len() + 1);
    assert!(!without_daemon_set.iter().any(|it| it.kind == "DaemonSet"));
    for phase in [Phase::Off, Phase::RollingOut, Phase::On] {
        assert!(held(phase, &owner, &live).is_empty());
    }
}

fn istiod_pod(image: &str, ready: &str) -> Pod {
    serde_json::from_value(json!({
        "metadata": {"name": "istiod-1"},
        "spec": {"containers": [{"name": "discovery", "image": image}]},
        "status": {"conditions": [{"type": "Ready", "status": ready}]},
    }))
    .unwrap()
}

#[test]
fn the_version_is_that_of_the_istiod_that_runs() {
    let mut snapshot = applied(&settings(false));
    let version = |snapshot: &Snapshot| running_version(snapshot, "mesh").unwrap();
    assert_eq!(version(&snapshot), "1.31.1");
    snapshot.istiods = vec![
        istiod_pod("registry:5000/istio/pilot:1.31.9@sha256:00", "True"),
        istiod_pod("docker.io/istio/pilot:1.32.0", "False"),
    ];
    assert_eq!(version(&snapshot), "1.31.9");
    snapshot.istiods = vec![istiod_pod("registry:5000/istio/pilot:latest", "True")];
    assert_eq!(version(&snapshot), "1.31.1");
}

#[test]
fn a_pod_on_a_node_that_is_not_ready_is_not_waited_for() {
    let pod = |node: &str| {
        serde_json::from_value(json!({
            "metadata": {"name": "agent"}, "spec": {"nodeName": node, "containers": []},
        }))
        .unwrap()
    };
    let node = |name: &str, ready: &str| {
        serde_json::from_value(json!({
            "metadata": {"name": name},
            "status": {"conditions": [{"type": "Ready", "status": ready}]},
        }))
        .unwrap()
    };
    let facts = AgentFacts {
        pods: vec![pod("up"), pod("down"), pod("deleted")],
        nodes: vec![node("up", "True"), node("down", "Unknown")],
        ..AgentFacts::default()
    };
    assert_eq!(pods_left(&facts), 1);
}

#[test]
fn the_node_agent_of_a_replaced_installation_goes_when_ours_would() {
    let on = settings(true);
    let mut snapshot = applied(&on);
    assert_eq!(
        replaced_agent(Phase::Removing, &on, &snapshot),
        None,
        "ours goes by itself"
    );
    let installed_for = |namespace: &'static str| {
        move |it: &mut Value| {
            it["metadata"]["labels"] = json!({
                "operator.istio.io/managed": "Reconcile",
                "install.operator.istio.io/owning-resource-namespace": namespace,
            });
        }
    };
    change(&mut snapshot, "DaemonSet", installed_for("mesh"));
    let deletion = replaced_agent(Phase::Removing, &on, &snapshot).unwrap();
    assert_eq!(
        (deletion.id.kind.as_str(), deletion.under_way),
        ("DaemonSet", false)
    );
    for phase in [Phase::Off, Phase::RollingOut, Phase::On, Phase::Draining] {
        assert_eq!(replaced_agent(phase, &on, &snapshot), None, "{phase:?}");
    }
    change(&mut snapshot, "DaemonSet", installed_for("elsewhere"));
    assert_eq!(replaced_agent(Phase::Removing, &on, &snapshot), None);
}

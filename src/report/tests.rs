//! What people and other charms see of each way in which a hook ends.

mod progress;
mod removal;
mod version;

use std::collections::BTreeMap;

use expect_test::{Expect, expect};
use juju::relation::{Databag, Relation};
use k8s_openapi::jiff::Timestamp;
use serde_json::json;

use super::*;
use crate::cluster::error::FailureKind;
use crate::decide::{Secrets, decide};
use crate::intent::identity::Identity;
use crate::k8s::kind::{CUSTOM_RESOURCE_DEFINITION, DEPLOYMENT};
use crate::simulated::{BOTH_PATHS, KUBERNETES, Simulated};

const VERSIONS: (&str, &str) = ("_supported_versions", "- v1\n");

/// What a unit knows; each relation is what its other side has written.
fn facts(leader: bool, options: &[(&str, &str)], remote: &[&[(&str, &str)]]) -> Facts {
    let text = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    let relation = |(index, bag): (usize, &&[(&str, &str)])| Relation {
        application: Some("gateway".parse().unwrap()),
        remote_application: Some(bag.iter().map(text).collect()),
        own_application: Some(Databag::default()),
        ..Relation::new(format!("istio-pilot:{index}").parse().unwrap())
    };
    let relations = remote.iter().enumerate().map(relation).collect();
    let options = options.iter();
    let options = options.map(|(key, value)| ((*key).to_owned(), json!(value)));
    Facts {
        forces_upgrade: false,
        identity: Identity::new("pilot", "mesh"),
        leader,
        options: options.collect(),
        relations: BTreeMap::from([("istio-pilot", relations)]),
        unit: None,
        secrets: Secrets::default(),
        now: Timestamp::default(),
    }
}

/// A hook that ends with these conditions, the cluster being as it is.
fn ending(cluster: &mut Simulated, conditions: Vec<Condition>) -> Outcome {
    let (observed, assessment) = cluster.assess();
    Outcome {
        conditions,
        view: Some(View {
            kubernetes: KUBERNETES,
            observed,
            assessment,
        }),
        journal: Some(cluster.journal.clone()),
    }
}

/// One that ends well.
fn settled(cluster: &mut Simulated) -> Outcome {
    let ready_nodes = cluster.assess().1.ready_nodes();
    ending(cluster, vec![Condition::Settled { ready_nodes }])
}

/// A report, a line each.
fn shown(report: &Report) -> String {
    let mut lines = vec![report.status.to_string()];
    lines.extend(report.version.iter().map(|it| format!("version: {it}")));
    if report.has_applied {
        lines.push("has applied".to_owned());
    }
    lines.extend(report.log.iter().map(|it| match it {
        LogLine::Info(text) => format!("INFO {text}"),
        LogLine::Warning(text) => format!("WARNING {text}"),
    }));
    for publication in &report.publications {
        for (key, value) in &publication.changes {
            let (relation, bag) = (&publication.relation, publication.bag);
            lines.push(format!("{relation} {bag:?} {key} = {value:?}"));
        }
    }
    lines.join("\n") + "\n"
}

#[track_caller]
fn check(facts: &Facts, outcome: &Outcome, expected: &Expect) {
    let intent = decide(facts);
    expected.assert_eq(&shown(&report(facts, &intent, outcome)));
}

#[test]
fn a_leader_tells_gateways_where_istiod_is() {
    let outcome = settled(&mut Simulated::settled(&[]));
    let both: [&[(&str, &str)]; 2] = [&[VERSIONS], &[VERSIONS]];
    check(
        &facts(true, &[], &both),
        &outcome,
        &expect![[r#"
        active: CNI off
        version: 1.31.1
        istio-pilot:0 Application _supported_versions = Some("- v1\n")
        istio-pilot:0 Application data = Some("service-name: istiod.mesh.svc\nservice-port: '15012'\n")
        istio-pilot:1 Application _supported_versions = Some("- v1\n")
        istio-pilot:1 Application data = Some("service-name: istiod.mesh.svc\nservice-port: '15012'\n")
    "#]],
    );
    check(
        &facts(false, &[], &both),
        &outcome,
        &expect![[r#"
        active: CNI off
        version: 1.31.1
    "#]],
    );
}

#[test]
fn a_follower_stands_by() {
    let outcome = Outcome::without_cluster(Some(Condition::Standby));
    check(
        &facts(false, &[], &[&[VERSIONS]]),
        &outcome,
        &expect![[r#"
        active: standby
    "#]],
    );
}

#[test]
fn an_option_that_cannot_be_used_is_the_status_and_no_line_of_the_log() {
    let bad = [("cni-bin-dir", "opt/cni/bin")];
    let nothing = Outcome::without_cluster(None);
    check(
        &facts(true, &bad, &[]),
        &nothing,
        &expect![[r#"
        blocked: cni-bin-dir: 'opt/cni/bin' is not absolute: it must begin with /
    "#]],
    );
    let two = [("cni-bin-dir", "opt/cni/bin"), ("default-gateway", "A B")];
    check(
        &facts(true, &two, &[]),
        &nothing,
        &expect![[r#"
            blocked: cni-bin-dir: 'opt/cni/bin' is not absolute: it must begin with / (+1 more, see debug-log)
            WARNING blocked: cni-bin-dir: 'opt/cni/bin' is not absolute: it must begin with /
            WARNING blocked: default-gateway: 'A B' must be a Kubernetes name: lower-case letters, digits, '-' and '.', at most 253 characters, a letter or digit at both ends and beside each '.'
        "#]],
    );
}

#[test]
fn a_relation_s_problem_stands_beside_how_the_control_plane_is() {
    let silent: &[(&str, &str)] = &[];
    let newer: &[(&str, &str)] = &[("_supported_versions", "- v9\n")];
    let outcome = settled(&mut Simulated::settled(&[]));
    check(
        &facts(true, &[], &[silent]),
        &outcome,
        &expect![[r#"
        waiting: istio-pilot:0 with gateway: `_supported_versions` is not set yet; gateway must list v1 there, as charms made for this interface do
        version: 1.31.1
        WARNING active: CNI off
        WARNING waiting: istio-pilot:0 with gateway: `_supported_versions` is not set yet; gateway must list v1 there, as charms made for this interface do
        istio-pilot:0 Application _supported_versions = Some("- v1\n")
    "#]],
    );
    check(
        &facts(true, &[], &[silent, newer, &[VERSIONS]]),
        &outcome,
        &expect![[r#"
            blocked: istio-pilot:1 with gateway: `_supported_versions` lists no version that is supported here; gateway must support v1: refresh one of the two charms (+1 more, see debug-log)
            version: 1.31.1
            WARNING active: CNI off
            WARNING waiting: istio-pilot:0 with gateway: `_supported_versions` is not set yet; gateway must list v1 there, as charms made for this interface do
            WARNING blocked: istio-pilot:1 with gateway: `_supported_versions` lists no version that is supported here; gateway must support v1: refresh one of the two charms
            istio-pilot:0 Application _supported_versions = Some("- v1\n")
            istio-pilot:1 Application _supported_versions = Some("- v1\n")
            istio-pilot:2 Application _supported_versions = Some("- v1\n")
            istio-pilot:2 Application data = Some("service-name: istiod.mesh.svc\nservice-port: '15012'\n")
        "#]],
    );
}

#[test]
fn a_hook_that_installs_has_applied() {
    let mut cluster = Simulated::new(&[]);
    cluster.run();
    check(
        &facts(true, &[], &[]),
        &settled(&mut cluster),
        &expect![[r#"
            active: CNI off
            version: 1.31.1
            has applied
        "#]],
    );
}

#[test]
fn init_containers_without_network_are_a_warning_of_the_hook_that_switched() {
    let older = |mut outcome: Outcome| {
        outcome.view.as_mut().unwrap().kubernetes.minor = 32;
        outcome
    };
    let facts = facts(true, &BOTH_PATHS, &[]);
    let mut switched = Simulated::new(&BOTH_PATHS);
    switched.run();
    check(
        &facts,
        &older(settled(&mut switched)),
        &expect![[r#"
        active: CNI on (3/3 nodes)
        version: 1.31.1
        has applied
        WARNING on nodes older than Kubernetes 1.33, init containers of users' pods have no network while the CNI is on
    "#]],
    );
    check(
        &facts,
        &settled(&mut switched),
        &expect![[r#"
        active: CNI on (3/3 nodes)
        version: 1.31.1
        has applied
    "#]],
    );
    let before = &mut Simulated::settled(&BOTH_PATHS);
    check(
        &facts,
        &older(settled(before)),
        &expect![[r#"
        active: CNI on (3/3 nodes)
        version: 1.31.1
    "#]],
    );
    let mut off = Simulated::new(&[]);
    off.run();
    check(
        &facts,
        &older(settled(&mut off)),
        &expect![[r#"
        active: CNI off
        version: 1.31.1
        has applied
    "#]],
    );
}

#[test]
fn the_hook_that_saw_the_node_agent_go_warns_of_stale_workloads() {
    let facts = facts(true, &[], &[]);
    let mut cluster = Simulated::settled(&BOTH_PATHS);
    cluster.configure(&[]);
    cluster.run();
    check(
        &facts,
        &settled(&mut cluster),
        &expect![[r#"
            active: CNI off
            version: 1.31.1
            has applied
            WARNING pods created while the CNI was on cannot start again after a reboot of their node; to list their workloads: juju run pilot/leader list-stale-workloads
        "#]],
    );
    cluster.begin_hook(crate::step::deadlines::Timeouts::default());
    check(
        &facts,
        &settled(&mut cluster),
        &expect![[r#"
        active: CNI off
        version: 1.31.1
    "#]],
    );
    // With other paths it goes and comes back, and nothing is left to be warned of.
    let other = [BOTH_PATHS[0], ("cni-conf-dir", "/etc/cni/other")];
    let mut cluster = Simulated::settled(&BOTH_PATHS);
    cluster.configure(&other);
    cluster.run();
    assert!(cluster.journal.has_seen_agent_go());
    let facts = self::facts(true, &other, &[]);
    let report = report(&facts, &decide(&facts), &settled(&mut cluster));
    assert!(!shown(&report).contains("stale"), "{report:?}");
}

#[test]
fn what_is_odd_is_a_warning() {
    let mut cluster = Simulated::settled(&BOTH_PATHS);
    cluster.journal.warn("something is odd".to_owned());
    cluster.change(&CUSTOM_RESOURCE_DEFINITION, |it| {
        it["metadata"]["labels"]["app.kubernetes.io/version"] = json!("99.1.0");
    });
    cluster.fail_agent("n2", &json!({"running": {}}));
    let options = [
        BOTH_PATHS[0],
        BOTH_PATHS[1],
        ("image-configuration", "ghost: x"),
    ];
    let facts = facts(true, &options, &[]);
    let mut outcome = settled(&mut cluster);
    check(
        &facts,
        &outcome,
        &expect![[r#"
        active: CNI on (2/3 nodes)
        version: 1.31.1
        WARNING image-configuration: the key "ghost" is unknown and not used
        WARNING something is odd
        WARNING CustomResourceDefinition authorizationpolicies.security.istio.io is left as it is: it is of Istio 99.1.0, newer than 1.31.1
        WARNING the node agent on n2 is not ready: running, not ready
    "#]],
    );
    // A hook that was cut off before it saw the cluster has them too.
    outcome.view = None;
    check(
        &facts,
        &outcome,
        &expect![[r#"
        active: CNI on (2/3 nodes)
        WARNING image-configuration: the key "ghost" is unknown and not used
        WARNING something is odd
    "#]],
    );
    outcome.journal = None;
    check(
        &facts,
        &outcome,
        &expect![[r#"
        active: CNI on (2/3 nodes)
        WARNING image-configuration: the key "ghost" is unknown and not used
    "#]],
    );
}

#[test]
fn the_log_has_in_full_what_the_status_cuts() {
    let long = format!("applying Deployment mesh/istiod: {}", "x".repeat(200));
    let refused = Condition::Refused(FailureKind::Invalid("x".repeat(200)), long);
    let outcome = Outcome::without_cluster(Some(refused));
    check(
        &facts(true, &[], &[]),
        &outcome,
        &expect![[r#"
        blocked: applying Deployment mesh/istiod: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…
        WARNING blocked: applying Deployment mesh/istiod: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
    "#]],
    );
    let mut cluster = Simulated::settled(&[]);
    cluster.change(&DEPLOYMENT, |it| {
        it["status"]["availableReplicas"] = json!(0);
        it["status"]["conditions"] = json!([
            {"type": "ReplicaFailure", "status": "True", "message": "y".repeat(201)},
        ]);
    });
    let awaited = cluster.assess().1.all_awaited().next().cloned().unwrap();
    let outcome = ending(&mut cluster, vec![Condition::StillWaiting(awaited)]);
    check(
        &facts(true, &[], &[]),
        &outcome,
        &expect![[r#"
        waiting: istiod 0/1 ready (yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy…); continues at the next update-status, or: juju run pilot/leader reconcile
        version: 1.31.1
        WARNING waiting: istiod 0/1 ready: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy
    "#]],
    );
}

#[test]
fn a_cluster_that_cannot_be_reached_is_waited_for() {
    let reason = "there is no service account".to_owned();
    let outcome = Outcome::without_cluster(Some(Condition::Unreachable(reason)));
    check(
        &facts(true, &[], &[&[VERSIONS]]),
        &outcome,
        &expect![[r#"
        waiting: no Kubernetes API: there is no service account
        istio-pilot:0 Application _supported_versions = Some("- v1\n")
        istio-pilot:0 Application data = Some("service-name: istiod.mesh.svc\nservice-port: '15012'\n")
    "#]],
    );
}

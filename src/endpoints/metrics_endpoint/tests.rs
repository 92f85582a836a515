use std::fmt::Write as _;

use expect_test::{Expect, expect};
use juju::context::Model;
use juju::relation::Databag;
use serde_json::{Value, json};

use super::*;
use crate::endpoints::{Relations, publications, publications_of_unit, request};
use crate::intent::identity::Identity;
use crate::k8s::object::Object;
use crate::observed::Observed;

fn unit() -> Unit {
    Unit {
        name: "istio-pilot/0".parse().unwrap(),
        model: Model {
            name: "kubeflow".parse().unwrap(),
            uuid: "1f8aa7f1-0b60-4d3c-9d5b-8a3f8f4f3c11".parse().unwrap(),
        },
        address: Some("10.1.2.3".to_owned()),
    }
}

fn relation(application: &[(&str, &str)], own: &[(&str, &str)]) -> Relation {
    let bag = |pairs: &[(&str, &str)]| -> Databag {
        let own = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        pairs.iter().map(own).collect()
    };
    Relation {
        own_application: Some(bag(application)),
        own_unit: Some(bag(own)),
        ..Relation::new("metrics-endpoint:3".parse().unwrap())
    }
}

/// What is written into the databags of a relation.
fn published(relation: Relation, observed: Option<&Observed>, leader: bool) -> Vec<Publication> {
    let intent = Intent::nothing(Identity::new("istio-pilot", "kubeflow"));
    let unit = unit();
    let world = World {
        intent: &intent,
        observed,
        leader,
        unit: Some(&unit),
        known: Known::NOTHING,
    };
    let relations = Relations::from([("metrics-endpoint", vec![relation])]);
    publications(&relations, &world)
}

/// One value of the application's databag; empty when it is not written.
fn value(published: &[Publication], key: &str) -> String {
    let of_application = published
        .iter()
        .find(|it| it.bag == OwnBag::Application)
        .unwrap();
    let value = of_application.changes.get(key).cloned().flatten();
    value.unwrap_or_default()
}

fn pod(node: &str, status: &Value, deleted: Option<&str>) -> Value {
    json!({
        "metadata": {"name": format!("agent-{node}"), "deletionTimestamp": deleted},
        "spec": {"nodeName": node, "containers": []},
        "status": status,
    })
}

/// A cluster with a node agent; its pods are unknown where there are none.
fn with_agents(pods: Option<&[Value]>) -> Observed {
    let daemon_set = json!({
        "apiVersion": "apps/v1", "kind": "DaemonSet",
        "metadata": {"name": "istio-cni-node", "namespace": "kubeflow"},
    });
    let read = |pod: &Value| serde_json::from_value(pod.clone()).unwrap();
    let mut observed = Observed {
        namespace: "kubeflow".to_owned(),
        scraped_agents: pods.map(|it| it.iter().map(read).collect()),
        ..Observed::default()
    };
    observed.add([Object::from_value(daemon_set).unwrap()]);
    observed
}

#[track_caller]
fn check_jobs(observed: Option<&Observed>, written: &[(&str, &str)], expected: &Expect) {
    let published = published(relation(written, &[]), observed, true);
    expected.assert_eq(&value(&published, "scrape_jobs"));
}

#[test]
fn the_databags_are_those_of_the_python_charm() {
    let published = published(relation(&[], &[]), Some(&Observed::default()), true);
    let mut lines = String::new();
    for publication in &published {
        for (key, value) in &publication.changes {
            let value = value.as_deref().unwrap();
            let shown = value.get(..340).unwrap_or(value);
            writeln!(lines, "{:?} {key} = {shown}", publication.bag).unwrap();
        }
    }
    expect![[r#"
        Application alert_rules = {"groups": [{"name": "kubeflow_1f8aa7f1_istio_pilot_control_plane_alerts", "rules": [{"alert": "IstiodDown", "expr": "up{juju_model=\"kubeflow\", juju_model_uuid=\"1f8aa7f1-0b60-4d3c-9d5b-8a3f8f4f3c11\", juju_application=\"istio-pilot\", node=\"\"} == 0", "for": "5m", "labels": {"severity": "critical", "juju_model": "kubeflow", "juju_mode
        Application scrape_jobs = [{"metrics_path": "/metrics", "static_configs": [{"targets": ["istiod.kubeflow.svc:15014"]}]}]
        Application scrape_metadata = {"model": "kubeflow", "model_uuid": "1f8aa7f1-0b60-4d3c-9d5b-8a3f8f4f3c11", "application": "istio-pilot", "unit": "istio-pilot/0", "charm_name": "istio-pilot"}
        Unit prometheus_scrape_unit_address = 10.1.2.3
        Unit prometheus_scrape_unit_name = istio-pilot/0
    "#]].assert_eq(&lines);
}

#[test]
fn every_rule_is_about_this_application_only() {
    let published = published(relation(&[], &[]), None, true);
    let rules: Value = serde_json::from_str(&value(&published, "alert_rules")).unwrap();
    let mut table = String::new();
    for group in rules["groups"].as_array().unwrap() {
        writeln!(table, "{}", group["name"].as_str().unwrap()).unwrap();
        for rule in group["rules"].as_array().unwrap() {
            let labels = rule["labels"].as_object().unwrap();
            assert_eq!(labels["juju_model"], "kubeflow");
            assert_eq!(
                labels["juju_model_uuid"],
                "1f8aa7f1-0b60-4d3c-9d5b-8a3f8f4f3c11"
            );
            assert_eq!(labels["juju_application"], "istio-pilot");
            assert_eq!(labels["juju_charm"], "istio-pilot");
            let expression = rule["expr"].as_str().unwrap();
            let selectors = expression.matches('{').count();
            let matchers = r#"{juju_model="kubeflow", juju_model_uuid="1f8aa7f1-0b60-4d3c-9d5b-8a3f8f4f3c11", juju_application="istio-pilot""#;
            assert_eq!(
                expression.matches(matchers).count(),
                selectors,
                "{expression}"
            );
            let (alert, severity) = (&rule["alert"], &labels["severity"]);
            writeln!(table, "  {alert} {severity}").unwrap();
        }
    }
    expect![[r#"
        kubeflow_1f8aa7f1_istio_pilot_control_plane_alerts
          "IstiodDown" "critical"
          "IstiodPushErrors" "warning"
          "IstioConfigurationRejected" "warning"
          "IstioConfigurationConflicts" "warning"
          "IstioRootCertificateExpires" "critical"
        kubeflow_1f8aa7f1_istio_pilot_charm_alerts
          "IstioPilotNotScraped" "warning"
          "IstioPilotUpgradeUnfinished" "warning"
        kubeflow_1f8aa7f1_istio_pilot_node_agents_alerts
          "IstioNodeAgentDown" "warning"
          "IstioNodeAgentNotReady" "critical"
          "IstioNodeAgentInstallFails" "critical"
    "#]]
    .assert_eq(&table);
}

#[test]
fn node_agents_are_scraped_where_they_are() {
    let running = |ip: &str| json!({"phase": "Running", "podIP": ip});
    let pods = [
        pod("n2", &running("10.1.0.2"), None),
        pod("n1", &running("fd00::1"), None),
        pod("pending", &json!({"phase": "Pending"}), None),
        pod("going", &running("10.1.0.4"), Some("2026-11-28T00:00:00Z")),
        pod(
            "evicted",
            &json!({"phase": "Failed", "podIP": "10.1.0.5"}),
            None,
        ),
    ];
    check_jobs(
        Some(&with_agents(Some(&pods))),
        &[],
        &expect![[
            r#"[{"metrics_path": "/metrics", "static_configs": [{"targets": ["istiod.kubeflow.svc:15014"]}]}, {"metrics_path": "/metrics", "static_configs": [{"targets": ["[fd00::1]:15014"], "labels": {"node": "n1"}}, {"targets": ["10.1.0.2:15014"], "labels": {"node": "n2"}}], "job_name": "istio-cni-node"}]"#
        ]],
    );
    check_jobs(
        Some(&with_agents(Some(&[]))),
        &[],
        &expect![[
            r#"[{"metrics_path": "/metrics", "static_configs": [{"targets": ["istiod.kubeflow.svc:15014"]}]}]"#
        ]],
    );
}

#[test]
fn what_is_written_stays_while_nobody_knows_the_node_agents() {
    let unknown = with_agents(None);
    for observed in [None, Some(&unknown)] {
        let written = relation(&[("scrape_jobs", "[...]")], &[]);
        assert_eq!(
            value(&published(written, observed, true), "scrape_jobs"),
            ""
        );
        let nothing = published(relation(&[], &[]), observed, true);
        assert!(value(&nothing, "scrape_jobs").contains("istiod.kubeflow.svc:15014"));
    }
}

#[test]
fn nothing_is_written_twice() {
    let observed = Observed::default();
    let mut written = relation(&[], &[]);
    for publication in published(written.clone(), Some(&observed), true) {
        let bag = publication.changes.into_iter();
        let bag = Some(bag.map(|(key, value)| (key, value.unwrap())).collect());
        match publication.bag {
            OwnBag::Application => written.own_application = bag,
            OwnBag::Unit => written.own_unit = bag,
        }
    }
    assert_eq!(published(written, Some(&observed), true), []);
}

#[test]
fn a_follower_writes_only_where_it_is() {
    let bags = |unit: &Unit| {
        let mut follower = relation(&[], &[]);
        follower.own_application = None;
        let relations = Relations::from([("metrics-endpoint", vec![follower])]);
        let intent = Intent::nothing(Identity::new("istio-pilot", "kubeflow"));
        let world = World {
            intent: &intent,
            observed: None,
            leader: false,
            unit: Some(unit),
            known: Known::NOTHING,
        };
        let published = publications_of_unit(&relations, &world).into_iter();
        published.map(|it| (it.bag, it.changes)).collect::<Vec<_>>()
    };
    let expected = changes([
        ("prometheus_scrape_unit_address", "10.1.2.3".to_owned()),
        ("prometheus_scrape_unit_name", "istio-pilot/0".to_owned()),
    ]);
    assert_eq!(bags(&unit()), [(OwnBag::Unit, expected.clone())]);
    let same = published(relation(&[], &[]), None, false).into_iter();
    let same: Vec<_> = same.map(|it| (it.bag, it.changes)).collect();
    assert_eq!(same, [(OwnBag::Unit, expected)]);
    let without_address = Unit {
        address: None,
        ..unit()
    };
    assert_eq!(bags(&without_address), []);
}

#[test]
fn who_scrapes_has_to_know_the_node_agents() {
    let asked = |relations: Vec<Relation>| {
        let mut intent = Intent::nothing(Identity::new("istio-pilot", "kubeflow"));
        request(
            &Relations::from([("metrics-endpoint", relations)]),
            &Known::NOTHING,
            &mut intent,
        );
        intent.is_scraped
    };
    assert!(asked(vec![relation(&[], &[])]));
    assert!(!asked(Vec::new()));
}

//! The alert rules, in the judgement of Prometheus's own `promtool`: each fires when it should, and
//! only then.
//!
//! The questions are in `observability/alerts/*_test.yaml`, beside the rules. There,
//! `%%juju_topology%%` stands for what selects the series of one application, `%%juju_labels%%` for the
//! same as labels, and `%%juju_instance%%` for the label `instance` that the Prometheus charm makes of
//! it.

#![allow(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it must be"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;
use istio_pilot::endpoints::{self, Known, Relations, Unit, World};
use istio_pilot::intent::Intent;
use istio_pilot::intent::identity::Identity;
use juju::context::Model;
use juju::relation::{Databag, Relation};
use serde_json::Value;
use test_cluster::Program;
use test_cluster::command::output_of;

const UUID: &str = "1f8aa7f1-0b60-4d3c-9d5b-8a3f8f4f3c11";

/// The rules as the databag of a relation holds them.
fn rules() -> String {
    let relation = Relation {
        own_application: Some(Databag::default()),
        ..Relation::new("metrics-endpoint:1".parse().unwrap())
    };
    let intent = Intent::nothing(Identity::new("pilot", "mesh"));
    let unit = Unit {
        name: "pilot/0".parse().unwrap(),
        model: Model {
            name: "mesh".parse().unwrap(),
            uuid: UUID.parse().unwrap(),
        },
        address: None,
    };
    let world = World {
        intent: &intent,
        observed: None,
        leader: true,
        unit: Some(&unit),
        known: Known::NOTHING,
    };
    let relations = Relations::from([("metrics-endpoint", vec![relation])]);
    let published = endpoints::publications(&relations, &world);
    let mut rules = published
        .iter()
        .filter_map(|it| it.changes.get("alert_rules"));
    rules.next().unwrap().clone().unwrap()
}

/// The files with questions.
fn questions() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("observability/alerts");
    let files = fs::read_dir(folder).unwrap().map(|it| it.unwrap().path());
    let mut files: Vec<_> = files
        .filter(|it| it.to_str().unwrap().ends_with("_test.yaml"))
        .collect();
    files.sort();
    assert!(files.len() > 1, "{files:?}");
    files
}

/// A file of questions about the application whose rules they are.
fn read(file: &Path) -> String {
    let matchers =
        format!(r#"juju_model="mesh", juju_model_uuid="{UUID}", juju_application="pilot""#);
    let labels = format!(
        "juju_model: mesh, juju_model_uuid: {UUID}, juju_application: pilot, juju_charm: istio-pilot"
    );
    fs::read_to_string(file)
        .unwrap()
        .replace("%%juju_topology%%", &matchers)
        .replace("%%juju_labels%%", &labels)
        .replace("%%juju_instance%%", &format!("mesh_{UUID}_pilot"))
}

#[test]
fn every_alert_fires_when_it_should_and_only_then() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("rules.yaml");
    // JSON is YAML.
    fs::write(&file, rules())?;
    let promtool = Program::Promtool.path()?;
    let mut check = Command::new(&promtool);
    output_of(
        check
            .args(["check", "rules", "--lint=all", "--lint-fatal"])
            .arg(&file),
    )?;
    let mut test = Command::new(&promtool);
    test.args(["test", "rules"]);
    for question in questions() {
        let copy = folder.path().join(question.file_name().unwrap());
        fs::write(&copy, read(&question))?;
        test.arg(copy);
    }
    output_of(&mut test)?;
    Ok(())
}

#[test]
fn every_alert_is_asked_for_both_when_it_fires_and_when_not() -> Result<()> {
    let rules: Value = serde_json::from_str(&rules())?;
    let groups = rules["groups"].as_array().unwrap().iter();
    let rules = groups.flat_map(|it| it["rules"].as_array().unwrap());
    let alerts: BTreeSet<_> = rules
        .map(|it| it["alert"].as_str().unwrap().to_owned())
        .collect();
    let (mut firing, mut silent) = (BTreeSet::new(), BTreeSet::new());
    for file in questions() {
        let questions: Value = serde_yaml::from_str(&read(&file))?;
        let tests = questions["tests"].as_array().unwrap().iter();
        for asked in tests.flat_map(|it| it["alert_rule_test"].as_array().unwrap()) {
            let alert = asked["alertname"].as_str().unwrap().to_owned();
            let fires = asked.get("exp_alerts").is_some();
            let set = if fires { &mut firing } else { &mut silent };
            set.insert(alert);
        }
    }
    assert_eq!(firing, alerts);
    assert_eq!(silent, alerts);
    Ok(())
}

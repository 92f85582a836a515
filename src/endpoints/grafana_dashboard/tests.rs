use std::fmt::Write as _;

use expect_test::expect;
use juju::context::Model;
use juju::relation::Databag;
use lzma_rust2::{Read as _, XzReader};
use serde_json::Value;

use super::*;
use crate::intent::identity::Identity;

fn unit(number: u32) -> Unit {
    Unit {
        name: format!("istio-pilot/{number}").parse().unwrap(),
        model: Model {
            name: "kubeflow".parse().unwrap(),
            uuid: "1f8aa7f1-0b60-4d3c-9d5b-8a3f8f4f3c11".parse().unwrap(),
        },
        address: None,
    }
}

/// What is written into a databag that holds this already.
fn published(own: Databag, leader: bool) -> Vec<DatabagChanges> {
    let intent = Intent::nothing(Identity::new("istio-pilot", "kubeflow"));
    let unit = unit(0);
    let world = World {
        intent: &intent,
        observed: None,
        leader,
        unit: Some(&unit),
        known: Known::NOTHING,
    };
    let relation = Relation {
        own_application: Some(own),
        ..Relation::new("grafana-dashboard:4".parse().unwrap())
    };
    let published = GrafanaDashboard.publish(&relation, &world).into_iter();
    published.map(|it| it.changes).collect()
}

#[test]
fn the_databag_is_that_of_the_python_charm() {
    let mut text = dashboards(&unit(0)).unwrap();
    let value: Value = serde_json::from_str(&text).unwrap();
    let mut table = String::new();
    for (key, template) in value["templates"].as_object().unwrap() {
        let content = template["content"].as_str().unwrap();
        let beginning = &content[..8];
        let compressed = STANDARD.decode(content).unwrap();
        let mut reader = XzReader::new(compressed.as_slice(), false);
        let mut json = vec![0; 1 << 20];
        let mut end = 0;
        while let length @ 1.. = reader.read(&mut json[end..]).unwrap() {
            end += length;
        }
        let dashboard: Value = serde_json::from_slice(&json[..end]).unwrap();
        writeln!(table, "{key} {beginning} {}", dashboard["title"]).unwrap();
        text = text.replace(content, "...");
    }
    expect![[r#"
        file:istio_control_plane.json /Td6WFoA "Istio control plane"
        file:istio_node_agents.json /Td6WFoA "Istio CNI node agents"
        {"templates": {"file:istio_control_plane.json": {"charm": "istio-pilot", "content": "...", "juju_topology": {"model": "kubeflow", "model_uuid": "1f8aa7f1-0b60-4d3c-9d5b-8a3f8f4f3c11", "application": "istio-pilot", "unit": "istio-pilot/0"}, "inject_dropdowns": true, "dashboard_alt_uid": "0a395accafe8fc80"}, "file:istio_node_agents.json": {"charm": "istio-pilot", "content": "...", "juju_topology": {"model": "kubeflow", "model_uuid": "1f8aa7f1-0b60-4d3c-9d5b-8a3f8f4f3c11", "application": "istio-pilot", "unit": "istio-pilot/0"}, "inject_dropdowns": true, "dashboard_alt_uid": "d4fd37ebb3e9af7a"}}, "uuid": "2ba1ae66-16d1-8035-8189-b2141cc8ccc4"}"#]].assert_eq(&format!("{table}{text}"));
}

#[test]
fn nothing_is_written_without_a_change() {
    let text = dashboards(&unit(0)).unwrap();
    assert_eq!(text, dashboards(&unit(0)).unwrap());
    assert_ne!(text, dashboards(&unit(1)).unwrap());
    let written = published(Databag::default(), true);
    assert_eq!(written.len(), 1);
    assert_eq!(written[0]["dashboards"].as_deref(), Some(text.as_str()));
    let unchanged = published(Databag::from([("dashboards", text.as_str())]), true);
    assert!(unchanged[0].is_empty());
}

#[test]
fn a_follower_writes_nothing() {
    assert_eq!(published(Databag::default(), false), []);
}

#[test]
fn a_uuid_is_one_of_its_own_kind_of_rfc_9562() {
    expect!["ca978112-ca1b-8dca-bac2-31b39a23dc4d"].assert_eq(&uuid_of("a"));
    expect!["3e23e816-0039-894a-b389-4f6564e1b134"].assert_eq(&uuid_of("b"));
}

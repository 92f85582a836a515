//! The code has what the charm's files declare, and nothing else.

#![allow(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it must be"
)]

use std::collections::BTreeSet;
use std::path::Path;

use istio_pilot::charm::actions::Action;
use istio_pilot::endpoints;
use istio_pilot::intent::options::OPTIONS;
use istio_pilot::intent::options::check;
use istio_pilot::intent::values::Options;
use serde_json::{Map, Value};

fn declared(file: &str) -> Map<String, Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    serde_yaml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn keys(map: &Map<String, Value>) -> BTreeSet<&str> {
    map.keys().map(String::as_str).collect()
}

#[test]
fn every_option_of_config_yaml_is_read() {
    let config = declared("config.yaml");
    let options = config["options"].as_object().unwrap();
    assert_eq!(keys(options), OPTIONS.into());
}

#[test]
fn the_defaults_of_config_yaml_are_those_of_the_code() {
    let config = declared("config.yaml");
    let defaults: Options = config["options"]
        .as_object()
        .unwrap()
        .iter()
        .filter_map(|(name, option)| Some((name.clone(), option.get("default")?.clone())))
        .collect();
    assert!(defaults.len() > 4, "{defaults:?}");
    let declared = check(&defaults);
    assert_eq!(declared.mesh, check(&Options::new()).mesh);
    assert_eq!(declared.warnings, Vec::<String>::new());
}

#[test]
fn every_endpoint_of_metadata_yaml_is_served() {
    let metadata = declared("metadata.yaml");
    let declared: BTreeSet<&str> = ["provides", "requires", "peers"]
        .iter()
        .flat_map(|role| keys(metadata[*role].as_object().unwrap()))
        .collect();
    let served: BTreeSet<&str> = endpoints::ALL.iter().map(|it| it.name()).collect();
    assert_eq!(served.len(), endpoints::ALL.len(), "{served:?}");
    assert_eq!(served, declared);
}

#[test]
fn every_action_of_actions_yaml_is_run() {
    let actions = declared("actions.yaml");
    let run = Action::ALL.map(Action::name);
    assert_eq!(keys(&actions), run.into());
}

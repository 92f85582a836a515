//! Our definitions are upstream's.

use istio_api::difference::differences;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use serde_json::Value;

use crate::upstream;

#[test]
fn the_definitions_are_those_of_upstream() {
    let ours = istio_api::custom_resource_definitions().unwrap();
    let upstream = upstream::definitions();
    assert_eq!(upstream.len(), 15, "kinds upstream");

    let found = differences(&ours, &upstream);
    let lines: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert!(
        found.is_empty(),
        "{} differences:\n{}",
        found.len(),
        lines.join("\n")
    );
}

#[test]
fn the_definitions_are_of_the_form_that_kubernetes_takes() {
    for definition in istio_api::custom_resource_definitions().expect("the types give definitions")
    {
        let name = definition["metadata"]["name"].clone();
        let typed: Result<CustomResourceDefinition, _> = serde_json::from_value(definition.clone());
        let typed = typed.unwrap_or_else(|error| panic!("{name}: {error}"));
        let back = serde_json::to_value(typed).expect("a definition is JSON");
        let lost = differences(&[back], &[definition]);
        assert!(
            lost.is_empty(),
            "the types of Kubernetes lack something of {name}"
        );
    }
}

/// The comparison passes over nothing: each value that is changed is a difference, with its path.
#[test]
fn every_value_that_differs_is_found() {
    fn change(value: &mut Value, path: &str, changed: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                for (key, value) in fields {
                    let name = path.ends_with(".metadata") && key == "name";
                    let description = key == "description" && value.is_string();
                    if !name && !description {
                        change(value, &format!("{path}.{key}"), changed);
                    }
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    change(item, &format!("{path}[{index}]"), changed);
                }
            }
            other => {
                *other = format!("not {other}").into();
                changed.push(path.to_owned());
            }
        }
    }

    let ours = istio_api::custom_resource_definitions().unwrap();
    let (mut other, mut changed) = (ours.clone(), Vec::new());
    for definition in &mut other {
        let name = definition["metadata"]["name"].as_str().unwrap().to_owned();
        change(definition, &name, &mut changed);
    }
    let mut found: Vec<String> = differences(&ours, &other)
        .into_iter()
        .map(|difference| difference.path)
        .collect();
    assert!(changed.len() > 5_000, "only {} values", changed.len());
    changed.sort();
    found.sort();
    assert_eq!(found, changed);
}

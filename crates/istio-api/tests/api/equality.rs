//! Our definitions are upstream's.

use istio_api::difference::differences;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;

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

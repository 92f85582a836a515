//! Our definitions are upstream's.

use istio_api::difference::differences;

use crate::upstream;

#[test]
fn the_definitions_are_those_of_upstream() {
    let ours = istio_api::custom_resource_definitions().expect("the types give definitions");
    let ours: Vec<_> = ours
        .iter()
        .map(|one| serde_json::to_value(one).expect("a definition is JSON"))
        .collect();
    let upstream = upstream::definitions(upstream::VERSION);
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

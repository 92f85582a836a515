//! Live objects of which nothing is as it should be: nothing panics, and nothing is waited for without
//! an end.

use serde_json::{Value, json};

use crate::k8s::kind::{CONFIG_MAP, CUSTOM_RESOURCE_DEFINITION};
use crate::k8s::object::{Object, ObjectId};
use crate::simulated::{BOTH_PATHS, Simulated};

/// Ways to spoil an object: which part becomes what. Only what is there can be spoiled.
fn ways(object: &Object) -> Vec<(&'static str, Value)> {
    let deep = (0..100).fold(json!(1), |inner, _| json!([inner]));
    let mut ways = Vec::new();
    for part in ["metadata/labels", "metadata/managedFields"] {
        ways.extend([(part, json!("text")), (part, json!(null))]);
    }
    for part in ["spec", "status", "data", "webhooks", "rules", "subjects"] {
        let junk = [
            json!(null),
            json!([{"name": 7}]),
            json!({"": {}}),
            deep.clone(),
        ];
        ways.extend(junk.map(|junk| (part, junk)));
    }
    ways.retain(|(part, _)| object.at(&format!("/{part}")).is_some());
    if object.is(&CONFIG_MAP) {
        let huge = "x".repeat(5 << 20);
        ways.push(("data", json!({"values": huge, "mesh": 7})));
    }
    ways.push(("metadata/uid", json!(7)));
    ways
}

fn spoiled(object: &Object, part: &str, junk: &Value) -> Object {
    let mut value = object.value().clone();
    let mut at = &mut value;
    for step in part.split('/') {
        at = &mut at[step];
    }
    *at = junk.clone();
    Object::from_value(value).unwrap()
}

/// One object of each kind that is applied, but of the definitions only one.
fn one_of_each(cluster: &Simulated) -> Vec<ObjectId> {
    let mut ids: Vec<ObjectId> = cluster.live.keys().cloned().collect();
    let mut definitions = 0;
    ids.retain(|id| {
        definitions += usize::from(id.is(&CUSTOM_RESOURCE_DEFINITION));
        !id.is(&CUSTOM_RESOURCE_DEFINITION) || definitions == 1
    });
    ids
}

#[test]
fn no_junk_in_the_cluster_stops_a_hook() {
    let mut settled = Simulated::settled(&BOTH_PATHS);
    // Comparing all definitions each time takes most of the time.
    let kept = one_of_each(&settled);
    settled.live.retain(|id, _| kept.contains(id));
    for id in &kept {
        for (part, junk) in ways(&settled.live[id]) {
            let mut cluster = settled.clone();
            let junk = spoiled(&cluster.live[id], part, &junk);
            cluster.live.insert(id.clone(), junk);
            let mut ends = false;
            for _ in 0..20 {
                let (_, ended) = cluster.take_step();
                ends |= ended;
                if ended {
                    break;
                }
            }
            assert!(ends, "{id} with junk in {part} is applied again and again");
            cluster.remove();
            cluster.run();
        }
    }
}

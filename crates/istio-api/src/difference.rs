//! Compares definitions node by node: the tool of the next Istio upgrade.

use std::{collections::BTreeSet, fmt};

use serde_json::{Map, Value};

/// A place where two sets of definitions differ.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// The definition's name and the keys from there, such as
    /// `gateways.networking.istio.io.spec.versions[0].served`.
    pub path: String,
    /// What our definition has there, if anything.
    pub ours: Option<Value>,
    /// What upstream's definition has there, if anything.
    pub upstream: Option<Value>,
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = &self.path;
        match (
            self.ours.as_ref().map(brief),
            self.upstream.as_ref().map(brief),
        ) {
            (Some(ours), Some(upstream)) => {
                write!(
                    formatter,
                    "{path}: ours is {ours}, upstream's is {upstream}"
                )
            }
            (Some(ours), None) => write!(formatter, "{path}: only ours has it: {ours}"),
            (None, Some(upstream)) => write!(formatter, "{path}: only upstream has it: {upstream}"),
            (None, None) => write!(formatter, "{path}"),
        }
    }
}

/// A value in one line; of a whole schema, its beginning.
fn brief(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(200) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}

/// Every difference between two sets of definitions, paired by their names.
///
/// Descriptions and annotations are left out: they are for people. Numbers are compared by value,
/// so that `1` is `1.0`; the order of a list counts, that of an object's keys does not.
pub fn differences(ours: &[Value], upstream: &[Value]) -> Vec<Difference> {
    let (ours, upstream) = (by_name(ours), by_name(upstream));
    let mut found = Vec::new();
    compare_keys("", &ours, &upstream, &mut found);
    found
}

fn by_name(definitions: &[Value]) -> Map<String, Value> {
    let name = |definition: &Value| definition["metadata"]["name"].as_str().map(str::to_owned);
    definitions
        .iter()
        .map(|one| (name(one).unwrap_or_default(), one.clone()))
        .collect()
}

fn compare(path: &str, ours: &Value, upstream: &Value, found: &mut Vec<Difference>) {
    match (ours, upstream) {
        (Value::Object(ours), Value::Object(upstream)) => {
            compare_keys(path, ours, upstream, found);
        }
        (Value::Array(ours), Value::Array(upstream)) => {
            for index in 0..ours.len().max(upstream.len()) {
                let path = format!("{path}[{index}]");
                compare_optional(&path, ours.get(index), upstream.get(index), found);
            }
        }
        (Value::Number(a), Value::Number(b)) if a.as_f64() == b.as_f64() => {}
        _ if ours == upstream => {}
        _ => found.push(Difference {
            path: path.to_owned(),
            ours: Some(ours.clone()),
            upstream: Some(upstream.clone()),
        }),
    }
}

fn compare_keys(
    path: &str,
    ours: &Map<String, Value>,
    upstream: &Map<String, Value>,
    found: &mut Vec<Difference>,
) {
    let keys: BTreeSet<&String> = ours.keys().chain(upstream.keys()).collect();
    for key in keys {
        let (ours, upstream) = (ours.get(key), upstream.get(key));
        if !for_people(path, key, ours.or(upstream)) {
            let separator = if path.is_empty() { "" } else { "." };
            compare_optional(&format!("{path}{separator}{key}"), ours, upstream, found);
        }
    }
}

fn compare_optional(
    path: &str,
    ours: Option<&Value>,
    upstream: Option<&Value>,
    found: &mut Vec<Difference>,
) {
    match (ours, upstream) {
        (Some(ours), Some(upstream)) => compare(path, ours, upstream, found),
        (None, None) => {}
        (ours, upstream) => found.push(Difference {
            path: path.to_owned(),
            ours: ours.cloned(),
            upstream: upstream.cloned(),
        }),
    }
}

/// A key below `properties` is the name of a field, which may be `description` too.
fn for_people(path: &str, key: &str, value: Option<&Value>) -> bool {
    let description = key == "description" && value.is_some_and(Value::is_string);
    description || (key == "annotations" && path.ends_with(".metadata") && !path.contains(".spec."))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn paths(ours: &Value, upstream: &Value) -> Vec<String> {
        let found = differences(std::slice::from_ref(ours), std::slice::from_ref(upstream));
        found
            .into_iter()
            .map(|difference| difference.to_string())
            .collect()
    }

    #[test]
    fn finds_changed_missing_and_additional_nodes_and_counts_the_order_of_lists() {
        let ours = json!({
            "metadata": { "name": "a" },
            "spec": { "list": [1, 2], "only": true, "same": { "x": 1 } },
        });
        let upstream = json!({
            "metadata": { "name": "a" },
            "spec": { "list": [2, 1, 3], "same": { "x": 1.0 } },
        });
        assert_eq!(
            paths(&ours, &upstream),
            [
                "a.spec.list[0]: ours is 1, upstream's is 2",
                "a.spec.list[1]: ours is 2, upstream's is 1",
                "a.spec.list[2]: only upstream has it: 3",
                "a.spec.only: only ours has it: true",
            ]
        );
    }

    #[test]
    fn a_definition_that_one_side_lacks_is_a_difference() {
        let one = json!({ "metadata": { "name": "a" } });
        let found = differences(&[one], &[]);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].path, "a");
    }

    #[test]
    fn descriptions_and_annotations_are_left_out_but_not_fields_of_that_name() {
        let ours = json!({
            "metadata": { "name": "a", "annotations": { "x": "y" } },
            "description": "one",
            "properties": { "description": { "type": "string" } },
        });
        let upstream = json!({
            "metadata": { "name": "a" },
            "description": "other",
            "properties": { "description": { "type": "integer" } },
        });
        let expected =
            "a.properties.description.type: ours is \"string\", upstream's is \"integer\"";
        assert_eq!(paths(&ours, &upstream), [expected]);
    }
}

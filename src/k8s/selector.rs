//! Label selectors in the form that requests take.

use serde_json::Value;

use super::object::Object;

/// The label selector of a workload's pods, in the form that requests take; `None` when the
/// workload has no selector.
pub fn pod_selector(live: &Object) -> Option<String> {
    let labels = live
        .at("/spec/selector/matchLabels")
        .and_then(Value::as_object);
    let labels = labels
        .into_iter()
        .flatten()
        .filter_map(|(key, value)| Some(format!("{key}={}", value.as_str()?)));
    let expressions = live
        .at("/spec/selector/matchExpressions")
        .and_then(Value::as_array);
    let expressions = expressions.into_iter().flatten().filter_map(requirement);
    let all: Vec<_> = labels.chain(expressions).collect();
    (!all.is_empty()).then(|| all.join(","))
}

fn requirement(expression: &Value) -> Option<String> {
    let key = expression["key"].as_str()?;
    let values = expression["values"].as_array().into_iter().flatten();
    let values: Vec<_> = values.filter_map(Value::as_str).collect();
    let values = values.join(",");
    match expression["operator"].as_str()? {
        "In" => Some(format!("{key} in ({values})")),
        "NotIn" => Some(format!("{key} notin ({values})")),
        "Exists" => Some(key.to_owned()),
        "DoesNotExist" => Some(format!("!{key}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn pods_are_selected_as_the_workload_does() {
        let selector = |selector: &Value| {
            let workload = Object::from_value(json!({
                "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "x"},
                "spec": {"selector": selector},
            }));
            pod_selector(&workload.unwrap())
        };
        let both = selector(&json!({
            "matchLabels": {"app": "cart"},
            "matchExpressions": [
                {"key": "tier", "operator": "In", "values": ["a", "b"]},
                {"key": "zone", "operator": "NotIn", "values": ["c"]},
                {"key": "canary", "operator": "DoesNotExist"},
                {"key": "team", "operator": "Exists"},
            ],
        }));
        let expected = "app=cart,tier in (a,b),zone notin (c),!canary,team";
        assert_eq!(both.as_deref(), Some(expected));
        assert_eq!(selector(&json!({})), None);
    }
}

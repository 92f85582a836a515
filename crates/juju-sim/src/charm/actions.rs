//! Actions: their parameters' schemas, defaults, and what `juju run` refuses.
//!
//! The rules are those of Juju's `internal/charm/actions.go` (additional parameters are refused
//! unless the charm allows them, since 4.0); of JSON Schema, the words that charms use.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// An action that the charm declares.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ActionSpec {
    pub(crate) description: String,
    /// The schema of the whole parameter map.
    schema: Value,
}

/// Checks what actions.yaml declares.
pub(crate) fn read(
    actions: BTreeMap<String, Value>,
) -> Result<BTreeMap<String, ActionSpec>, String> {
    let mut specs = BTreeMap::new();
    for (name, declared) in actions {
        if !valid_action_name(&name) {
            return Err(format!("bad action name {name}"));
        }
        if name.starts_with("juju-") || name == "juju" {
            return Err(format!(
                "cannot use action name {name}: \"juju\" is a reserved name"
            ));
        }
        let mut schema = json!({"type": "object", "properties": {}, "additionalProperties": false});
        let mut description = "No description".to_owned();
        if let (Value::Object(declared), Some(schema)) = (declared, schema.as_object_mut()) {
            for (key, value) in declared {
                match key.as_str() {
                    "description" => value
                        .as_str()
                        .unwrap_or_default()
                        .clone_into(&mut description),
                    "params" if value.is_object() => {
                        schema.insert("properties".into(), value);
                    }
                    "params" => return Err("params failed to parse as a map".into()),
                    "parallel" | "execution-group" => {}
                    _ => {
                        schema.insert(key, value);
                    }
                }
            }
        }
        specs.insert(
            name,
            ActionSpec {
                description,
                schema,
            },
        );
    }
    Ok(specs)
}

fn valid_action_name(name: &str) -> bool {
    let letter_or_digit = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    name.starts_with(letter_or_digit)
        && name.ends_with(letter_or_digit)
        && name.chars().all(|c| letter_or_digit(c) || c == '-')
}

impl ActionSpec {
    /// The parameters with defaults filled in, as `action-get` returns them.
    ///
    /// # Errors
    /// Juju's text for parameters that the schema does not allow.
    pub(crate) fn check(&self, parameters: &Map<String, Value>) -> Result<Value, String> {
        let mut given = Value::Object(parameters.clone());
        let mut problems = Vec::new();
        validate("(root)", &self.schema, &given, &mut problems);
        if !problems.is_empty() {
            return Err(format!("validation failed: {}", problems.join("; ")));
        }
        insert_defaults(&self.schema, &mut given);
        Ok(given)
    }
}

fn insert_defaults(schema: &Value, target: &mut Value) {
    let (Some(properties), Some(target)) = (
        schema.get("properties").and_then(Value::as_object),
        target.as_object_mut(),
    ) else {
        return;
    };
    for (name, property) in properties {
        if let Some(default) = property.get("default") {
            target
                .entry(name.clone())
                .or_insert_with(|| default.clone());
        }
        if let Some(value) = target.get_mut(name) {
            insert_defaults(property, value);
        }
    }
}

fn validate(path: &str, schema: &Value, value: &Value, problems: &mut Vec<String>) {
    let mut problem = |text: String| problems.push(format!("{path} : {text}, given {value}"));
    if let Some(kind) = schema.get("type").and_then(Value::as_str)
        && !has_type(kind, value)
    {
        problem(format!("must be of type {kind}"));
        return;
    }
    if let Some(allowed) = schema.get("enum").and_then(Value::as_array)
        && !allowed.contains(value)
    {
        problem(format!(
            "must be one of the following: {}",
            Value::Array(allowed.clone())
        ));
    }
    if let Some(number) = value.as_f64() {
        if let Some(minimum) = schema.get("minimum").and_then(Value::as_f64)
            && number < minimum
        {
            problem(format!("must be greater than or equal to {minimum}"));
        }
        if let Some(maximum) = schema.get("maximum").and_then(Value::as_f64)
            && number > maximum
        {
            problem(format!("must be less than or equal to {maximum}"));
        }
    }
    let Value::Object(map) = value else { return };
    for name in schema
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        if name.as_str().is_some_and(|name| !map.contains_key(name)) {
            problem(format!("{name} property is missing and required"));
        }
    }
    let empty = Map::new();
    let properties = schema
        .get("properties")
        .and_then(Value::as_object)
        .unwrap_or(&empty);
    if schema.get("additionalProperties") == Some(&Value::Bool(false)) {
        for name in map.keys().filter(|name| !properties.contains_key(*name)) {
            problem(format!("additional property \"{name}\" is not allowed"));
        }
    }
    for (name, property) in properties {
        if let Some(value) = map.get(name) {
            validate(&format!("{path}.{name}"), property, value, problems);
        }
    }
}

fn has_type(kind: &str, value: &Value) -> bool {
    match kind {
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.as_f64().is_some_and(|number| number.fract() == 0.0),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "null" => value.is_null(),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(yaml: &str) -> ActionSpec {
        read(serde_yaml::from_str(yaml).unwrap())
            .unwrap()
            .remove("show")
            .unwrap()
    }

    const SHOW: &str = "show: {params: {dry-run: {type: boolean, default: true}, \
        max: {type: integer, default: 5, minimum: 1}, namespace: {type: string}}}";

    fn check(spec: &ActionSpec, parameters: &Value) -> Result<Value, String> {
        spec.check(parameters.as_object().unwrap())
    }

    #[test]
    fn defaults_are_filled_in() {
        let given = json!({"namespace": "x", "dry-run": false});
        assert_eq!(
            check(&spec(SHOW), &given),
            Ok(json!({"dry-run": false, "max": 5, "namespace": "x"}))
        );
        assert_eq!(
            check(&spec(SHOW), &json!({})),
            Ok(json!({"dry-run": true, "max": 5}))
        );
    }

    #[test]
    fn what_the_schema_does_not_allow_is_refused() {
        for (given, refusal) in [
            (
                json!({"nosuch": 1}),
                "validation failed: (root) : additional property \"nosuch\" is not allowed, given {\"nosuch\":1}",
            ),
            (
                json!({"max": "a"}),
                "validation failed: (root).max : must be of type integer, given \"a\"",
            ),
            (
                json!({"max": 0}),
                "validation failed: (root).max : must be greater than or equal to 1, given 0",
            ),
        ] {
            assert_eq!(check(&spec(SHOW), &given).unwrap_err(), refusal);
        }
        let required = spec("show: {params: {n: {type: integer}}, required: [n]}");
        assert_eq!(
            check(&required, &json!({})).unwrap_err(),
            "validation failed: (root) : \"n\" property is missing and required, given {}"
        );
    }

    #[test]
    fn a_charm_may_allow_more() {
        let open = spec("show: {additionalProperties: true}");
        assert_eq!(check(&open, &json!({"any": 1})), Ok(json!({"any": 1})));
    }
}

//! From JSON Schema, as schemars derives it, to a structural schema, as Kubernetes takes it.
//!
//! Every step follows from a difference between the two languages; none knows a kind or a field.

use serde_json::{Map, Value};

/// Converts a schema and everything below it.
pub(super) fn convert(schema: &mut Value) {
    let Value::Object(schema) = schema else {
        return;
    };
    schema.remove("$schema");
    schema.remove("title");
    unwrap_optional(schema);
    list_variants(schema);
    drop_null(schema);
    limit_unsigned(schema);
    open_pattern(schema);
    unfold_description(schema);
    subschemas(schema).for_each(convert);
}

/// The schemas directly below a schema: of its fields, items and values.
pub(super) fn subschemas(schema: &mut Map<String, Value>) -> impl Iterator<Item = &mut Value> {
    schema.iter_mut().flat_map(|(keyword, value)| {
        let (one, fields) = match (keyword.as_str(), value) {
            ("properties", Value::Object(fields)) => (None, Some(fields.values_mut())),
            ("items" | "additionalProperties", value) => (Some(value), None),
            _ => (None, None),
        };
        one.into_iter().chain(fields.into_iter().flatten())
    })
}

/// An `Option` of something complex is `anyOf` that or null. A field that is not there needs no
/// null, so only the something remains; what the field itself says wins.
fn unwrap_optional(schema: &mut Map<String, Value>) {
    let is_null = |schema: &Value| schema.get("type").is_some_and(|name| name == "null");
    let optional = schema
        .get("anyOf")
        .and_then(Value::as_array)
        .is_some_and(|variants| variants.len() == 2 && variants.iter().any(is_null));
    if !optional {
        return;
    }
    let Some(Value::Array(variants)) = schema.remove("anyOf") else {
        return;
    };
    for variant in variants {
        if let (false, Value::Object(variant)) = (is_null(&variant), variant) {
            for (keyword, value) in variant {
                schema.entry(keyword).or_insert(value);
            }
        }
    }
}

/// An enum whose variants have documentation is `oneOf` constants; Kubernetes wants one `enum`.
fn list_variants(schema: &mut Map<String, Value>) {
    let Some(Value::Array(variants)) = schema.get("oneOf") else {
        return;
    };
    let constants: Option<Vec<Value>> = variants
        .iter()
        .map(|variant| variant.get("const").cloned())
        .collect();
    if let Some(constants) = constants {
        schema.remove("oneOf");
        schema.insert("type".into(), "string".into());
        schema.insert("enum".into(), constants.into());
    }
}

/// Null is not a type of Kubernetes' schemas; whether a field accepts it is said by `nullable`.
fn drop_null(schema: &mut Map<String, Value>) {
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            schema.insert("type".into(), only);
        }
    }
    if let Some(Value::Array(values)) = schema.get_mut("enum") {
        values.retain(|value| !value.is_null());
    }
}

/// Kubernetes does not know the formats of unsigned integers, so their range is spelled out. A
/// `u64` has no upper limit there: numbers of JSON are not exact so far up.
fn limit_unsigned(schema: &mut Map<String, Value>) {
    let Some(format) = schema.get("format").and_then(Value::as_str) else {
        return;
    };
    let maximum = match format {
        "uint8" => Some(Value::from(u8::MAX)),
        "uint16" => Some(Value::from(u16::MAX)),
        "uint32" => Some(Value::from(u32::MAX)),
        "uint64" => None,
        _ => return,
    };
    schema.remove("format");
    if let Some(maximum) = maximum {
        schema.entry("maximum").or_insert(maximum);
    }
}

/// A map with numbers as keys has `patternProperties`, which Kubernetes does not know.
fn open_pattern(schema: &mut Map<String, Value>) {
    let Some(Value::Object(patterns)) = schema.remove("patternProperties") else {
        return;
    };
    for (_, values) in patterns {
        schema.insert("additionalProperties".into(), values);
    }
}

/// The lines of a paragraph of documentation are one line in a description.
fn unfold_description(schema: &mut Map<String, Value>) {
    if let Some(Value::String(description)) = schema.get_mut("description") {
        let paragraphs = description
            .split("\n\n")
            .map(|paragraph| paragraph.replace('\n', " "));
        *description = paragraphs.collect::<Vec<_>>().join("\n\n");
    }
}

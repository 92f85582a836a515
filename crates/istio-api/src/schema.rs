//! What Kubernetes' schemas say and schemars' attributes cannot, and the form Kubernetes wants.
//!
//! The functions here stand in `#[schemars(transform = ...)]`, on a field or on a type; what a
//! field says wins over what its type says. [`structural`] then brings the schema of a whole type
//! into the form of a [structural schema](https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema).

use std::collections::HashMap;

use schemars::{
    JsonSchema, Schema,
    generate::{SchemaGenerator, SchemaSettings},
};
use serde::Serialize;
use serde_json::{Map, Value, json};

mod structural;

/// A validation rule in the Common Expression Language, checked by the API server.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Rule {
    /// What the API server answers if the rule does not hold.
    pub(crate) message: &'static str,
    /// The expression; `self` is the value that carries the rule.
    pub(crate) rule: &'static str,
}

/// The value must satisfy these rules, in place of those of its type.
pub(crate) fn rules(rules: &[Rule]) -> impl FnMut(&mut Schema) {
    extend(json!({ "x-kubernetes-validations": rules }))
}

/// At most one of these fields may be set.
pub(crate) fn at_most_one_of(fields: &[&str]) -> impl FnMut(&mut Schema) {
    extend(json!({ "oneOf": alternatives(fields) }))
}

/// At most one field of each group may be set.
pub(crate) fn at_most_one_of_each(groups: &[&[&str]]) -> impl FnMut(&mut Schema) {
    let groups: Vec<Value> = groups
        .iter()
        .map(|fields| json!({ "oneOf": alternatives(fields) }))
        .collect();
    extend(json!({ "allOf": groups }))
}

/// Each value of a map must satisfy these constraints.
pub(crate) fn values(constraints: Value) -> impl FnMut(&mut Schema) {
    within("additionalProperties", constraints)
}

/// Each item of a list must satisfy these constraints.
pub(crate) fn items(constraints: Value) -> impl FnMut(&mut Schema) {
    within("items", constraints)
}

/// The list is a map: no two items have the same value in this field.
pub(crate) fn map_list(key: &str) -> impl FnMut(&mut Schema) {
    extend(json!({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": [key] }))
}

/// The map has at most so many keys.
pub(crate) fn max_properties(limit: usize) -> impl FnMut(&mut Schema) {
    extend(json!({ "maxProperties": limit }))
}

/// The map has at least so many keys.
pub(crate) fn min_properties(limit: usize) -> impl FnMut(&mut Schema) {
    extend(json!({ "minProperties": limit }))
}

/// The API server keeps fields that the schema does not name.
pub(crate) fn preserve_unknown_fields(schema: &mut Schema) {
    schema.remove("additionalProperties");
    schema.insert("x-kubernetes-preserve-unknown-fields".into(), true.into());
}

/// A null is kept, and means the same as a field that is not there.
///
/// Istio's API allows it where the protocol buffer has a wrapper type such as `BoolValue`.
pub(crate) fn nullable(schema: &mut Schema) {
    schema.insert("nullable".into(), true.into());
}

/// Makes the schemas of types as the API server takes them.
///
/// The schema of a type that occurs in many fields, and in many kinds, is made and converted once;
/// structural schemas have no references, so it is then copied to each of them.
pub(crate) struct Schemas {
    generator: SchemaGenerator,
    /// The schemas of named types, converted.
    converted: HashMap<String, Map<String, Value>>,
}

impl Schemas {
    /// Of no type yet.
    pub(crate) fn new() -> Self {
        Self {
            generator: SchemaSettings::draft2020_12().into_generator(),
            converted: HashMap::new(),
        }
    }

    /// The schema of a type, which must not contain itself.
    pub(crate) fn of<T: JsonSchema>(&mut self) -> Value {
        let mut schema = self.generator.subschema_for::<T>().to_value();
        for (name, definition) in self.generator.definitions() {
            if self.converted.contains_key(name) {
                continue;
            }
            let mut definition = definition.clone();
            structural::convert(&mut definition);
            if let Value::Object(definition) = definition {
                self.converted.insert(name.clone(), definition);
            }
        }
        structural::convert(&mut schema);
        self.resolve(&mut schema);
        schema
    }

    /// Puts the schemas of types where references to them stand. What stands beside a reference is
    /// what a field says, and wins.
    fn resolve(&self, schema: &mut Value) {
        let Value::Object(schema) = schema else {
            return;
        };
        while let Some(Value::String(reference)) = schema.remove("$ref") {
            let name = reference.trim_start_matches("#/$defs/");
            for (keyword, value) in self.converted.get(name).into_iter().flatten() {
                if !schema.contains_key(keyword) {
                    schema.insert(keyword.clone(), value.clone());
                }
            }
        }
        structural::subschemas(schema).for_each(|inner| self.resolve(inner));
    }
}

fn alternatives(fields: &[&str]) -> Vec<Value> {
    let each: Vec<Value> = fields
        .iter()
        .map(|field| json!({ "required": [field] }))
        .collect();
    std::iter::once(json!({ "not": { "anyOf": each } }))
        .chain(each.clone())
        .collect()
}

fn extend(keywords: Value) -> impl FnMut(&mut Schema) {
    move |schema| merge(schema.ensure_object(), &keywords)
}

fn within(keyword: &'static str, constraints: Value) -> impl FnMut(&mut Schema) {
    move |schema| {
        if let Some(Value::Object(inner)) = schema.get_mut(keyword) {
            merge(inner, &constraints);
        }
    }
}

fn merge(schema: &mut Map<String, Value>, keywords: &Value) {
    for (keyword, value) in keywords.as_object().into_iter().flatten() {
        schema.insert(keyword.clone(), value.clone());
    }
}

//! Schemas of what applications say.
//!
//! Interfaces use a small part of JSON Schema (<https://json-schema.org/draft/2020-12>): types,
//! properties, required ones and items of lists. A schema with another keyword is refused when it is
//! read, so nothing is taken for checked that was not. A library for the whole of JSON Schema would
//! bring forty crates.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde_json::{Map, Value};

/// A schema of one value.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Schema {
    #[serde(rename = "type")]
    kind: Option<Type>,
    properties: BTreeMap<String, Schema>,
    required: Vec<String>,
    items: Option<Box<Schema>>,
    /// For people.
    title: Option<String>,
    /// For people.
    description: Option<String>,
}

/// A type of JSON Schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Type {
    /// A mapping of names to values.
    Object,
    /// A list.
    Array,
    /// Text.
    String,
    /// A number without a fraction.
    Integer,
    /// A number.
    Number,
    /// True or false.
    Boolean,
    /// Nothing.
    Null,
}

/// What a value has that its schema does not allow. It never repeats the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Violation {
    /// A required field is not there.
    Missing {
        /// Its path, such as `service` or `headers.name`.
        field: String,
    },
    /// A value has another type.
    WrongType {
        /// The path of its field, such as `port`, or `headers[2]`, counted from 1.
        field: String,
        /// The type that it must have.
        wanted: Type,
        /// The type that it has.
        found: Type,
    },
}

impl Schema {
    /// Checks the fields of what an application says.
    ///
    /// # Errors
    /// The first thing that the schema does not allow.
    pub fn check_fields(&self, fields: &Map<String, Value>) -> Result<(), Violation> {
        self.check_map(fields, "")
    }

    fn check_map(&self, fields: &Map<String, Value>, path: &str) -> Result<(), Violation> {
        let below = |name: &str| match path {
            "" => name.to_owned(),
            path => format!("{path}.{name}"),
        };
        if let Some(missing) = self.required.iter().find(|it| !fields.contains_key(*it)) {
            let field = below(missing);
            return Err(Violation::Missing { field });
        }
        for (name, schema) in &self.properties {
            if let Some(value) = fields.get(name) {
                schema.check(value, &below(name))?;
            }
        }
        Ok(())
    }

    fn check(&self, value: &Value, path: &str) -> Result<(), Violation> {
        if let Some(kind) = self.kind.filter(|it| !it.is_of(value)) {
            return Err(Violation::WrongType {
                field: path.to_owned(),
                wanted: kind,
                found: type_of(value),
            });
        }
        match value {
            Value::Object(fields) => self.check_map(fields, path),
            Value::Array(items) => {
                let schema = self.items.as_ref();
                let mut checked = items.iter().enumerate().map(|(index, item)| {
                    let path = format!("{path}[{}]", index + 1);
                    schema.map_or(Ok(()), |schema| schema.check(item, &path))
                });
                checked.try_for_each(|it| it)
            }
            _ => Ok(()),
        }
    }
}

impl Type {
    fn is_of(self, value: &Value) -> bool {
        match (self, value) {
            (Self::Number, Value::Number(_)) => true,
            // A number without a fraction is an integer, however it is written.
            (Self::Integer, Value::Number(number)) => {
                number.is_i64()
                    || number.is_u64()
                    || number.as_f64().is_some_and(|it| it.fract() == 0.0)
            }
            (kind, value) => kind == type_of(value),
        }
    }
}

/// The type in words.
impl fmt::Display for Type {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Object => "a mapping",
            Self::Array => "a list",
            Self::String => "text",
            Self::Integer => "a whole number",
            Self::Number => "a number",
            Self::Boolean => "true or false",
            Self::Null => "empty",
        })
    }
}

fn type_of(value: &Value) -> Type {
    match value {
        Value::Null => Type::Null,
        Value::Bool(_) => Type::Boolean,
        Value::Number(_) => Type::Number,
        Value::String(_) => Type::String,
        Value::Array(_) => Type::Array,
        Value::Object(_) => Type::Object,
    }
}

/// What is wrong, in words that follow the name of a databag's key.
impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { field } => write!(formatter, "has no `{field}`"),
            Self::WrongType {
                field,
                wanted,
                found,
            } => write!(
                formatter,
                "has a `{field}` that is {found} and not {wanted}"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn schema() -> Schema {
        let schema = json!({
            "type": "object",
            "properties": {
                "service": {"type": "string"},
                "port": {"type": "integer"},
                "headers": {"type": "array", "items": {"type": "string"}},
                "limits": {
                    "type": "object",
                    "properties": {"share": {"type": "number"}},
                    "required": ["share"],
                },
                "anything": {},
            },
            "required": ["service", "port"],
        });
        Schema::deserialize(schema).unwrap()
    }

    /// What is wrong with fields, in words; empty when nothing is.
    fn wrong(fields: &Value) -> String {
        let checked = schema().check_fields(fields.as_object().unwrap());
        checked.err().map(|it| it.to_string()).unwrap_or_default()
    }

    #[test]
    fn what_a_schema_allows_is_right() {
        for fields in [
            json!({"service": "dex", "port": 5556}),
            json!({"service": "dex", "port": 5556.0, "more": [1]}),
            json!({"service": "", "port": -1, "headers": [], "anything": null}),
            json!({"service": "dex", "port": 1, "headers": ["a"], "limits": {"share": 0.5}}),
        ] {
            assert_eq!(wrong(&fields), "", "{fields}");
        }
    }

    #[test]
    fn what_it_does_not_allow_is_named_with_its_place() {
        for (fields, expected) in [
            (json!({"port": 1}), "has no `service`"),
            (
                json!({"service": "dex", "port": "5556"}),
                "has a `port` that is text and not a whole number",
            ),
            (
                json!({"service": "dex", "port": 5556.5}),
                "has a `port` that is a number and not a whole number",
            ),
            (
                json!({"service": "dex", "port": true}),
                "has a `port` that is true or false and not a whole number",
            ),
            (
                json!({"service": null, "port": 1}),
                "has a `service` that is empty and not text",
            ),
            (
                json!({"service": "dex", "port": 1, "headers": ["a", 2]}),
                "has a `headers[2]` that is a number and not text",
            ),
            (
                json!({"service": "dex", "port": 1, "limits": {}}),
                "has no `limits.share`",
            ),
            (
                json!({"service": "dex", "port": 1, "limits": []}),
                "has a `limits` that is a list and not a mapping",
            ),
        ] {
            assert_eq!(wrong(&fields), expected, "{fields}");
        }
    }
}

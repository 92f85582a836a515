//! Configuration options: their types, defaults, and what `juju config` accepts for them.
//!
//! The rules are those of Juju's `internal/charm/config.go`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The type of an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum OptionType {
    #[default]
    String,
    Int,
    Float,
    Boolean,
    Secret,
}

impl OptionType {
    fn name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Int => "int",
            Self::Float => "float",
            Self::Boolean => "boolean",
            Self::Secret => "secret",
        }
    }
}

/// An option that the charm declares.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ConfigOption {
    pub(crate) kind: OptionType,
    pub(crate) default: Option<Value>,
    pub(crate) description: String,
}

#[derive(Deserialize)]
pub(crate) struct ConfigYaml {
    #[serde(default)]
    options: BTreeMap<String, OptionYaml>,
}

#[derive(Deserialize)]
struct OptionYaml {
    #[serde(rename = "type")]
    kind: Option<String>,
    default: Option<Value>,
    description: Option<String>,
}

impl ConfigOption {
    /// The option as `juju config` prints it.
    pub(crate) fn describe(&self, set: Option<&Value>) -> Value {
        let mut map = serde_json::Map::from_iter([
            ("description".to_owned(), self.description.clone().into()),
            ("type".to_owned(), self.kind.name().into()),
        ]);
        let source = match (set, &self.default) {
            (Some(_), _) => "user",
            (None, Some(_)) => "default",
            (None, None) => "unset",
        };
        map.insert("source".into(), source.into());
        if let Some(default) = &self.default {
            map.insert("default".into(), default.clone());
        }
        if let Some(value) = set.or(self.default.as_ref()) {
            map.insert("value".into(), value.clone());
        }
        Value::Object(map)
    }
}

/// Checks what config.yaml declares.
pub(crate) fn read(config: ConfigYaml) -> Result<BTreeMap<String, ConfigOption>, String> {
    let mut options = BTreeMap::new();
    for (name, option) in config.options {
        let kind = match option.kind.as_deref() {
            None | Some("" | "string") => OptionType::String,
            Some("int") => OptionType::Int,
            Some("float") => OptionType::Float,
            Some("boolean") => OptionType::Boolean,
            Some("secret") => OptionType::Secret,
            Some(other) => {
                return Err(format!(
                    "invalid config: option \"{name}\" has unknown type \"{other}\""
                ));
            }
        };
        let default = option
            .default
            .filter(|value| !value.is_null())
            .map(|value| coerce(&name, kind, value))
            .transpose()
            .map_err(|reason| format!("invalid config default: {reason}"))?;
        let description = option.description.unwrap_or_default();
        options.insert(
            name,
            ConfigOption {
                kind,
                default,
                description,
            },
        );
    }
    Ok(options)
}

fn coerce(name: &str, kind: OptionType, value: Value) -> Result<Value, String> {
    let fits = match kind {
        OptionType::String | OptionType::Secret => value.is_string(),
        OptionType::Int => value.is_i64(),
        OptionType::Float => value.is_number(),
        OptionType::Boolean => value.is_boolean(),
    };
    if fits {
        return Ok(value);
    }
    Err(format!(
        "option \"{name}\" expected {}, got {value}",
        kind.name()
    ))
}

/// The value that a command line argument means.
///
/// # Errors
/// Juju's text for an unknown option or a value of another type.
pub(crate) fn parse(
    options: &BTreeMap<String, ConfigOption>,
    name: &str,
    text: &str,
) -> Result<Value, String> {
    let option = options
        .get(name)
        .ok_or_else(|| format!("unknown option \"{name}\""))?;
    let value = match option.kind {
        OptionType::String => Some(Value::from(text)),
        OptionType::Secret => valid_secret(text).then(|| Value::from(text)),
        OptionType::Int => text.parse::<i64>().ok().map(Value::from),
        OptionType::Float => text
            .parse::<f64>()
            .ok()
            .filter(|f| f.is_finite())
            .map(Value::from),
        // The words that Go's strconv.ParseBool knows.
        OptionType::Boolean => match text {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(Value::from(true)),
            "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(Value::from(false)),
            _ => None,
        },
    };
    value.ok_or_else(|| {
        format!(
            "option \"{name}\" expected {}, got {}",
            option.kind.name(),
            Value::from(text)
        )
    })
}

fn valid_secret(text: &str) -> bool {
    text.is_empty() || text.starts_with("secret:")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn options(yaml: &str) -> Result<BTreeMap<String, ConfigOption>, String> {
        read(serde_yaml::from_str(yaml).unwrap())
    }

    const DECLARED: &str = "options: {path: {type: string, default: ''}, count: {type: int, default: 3}, \
        ratio: {type: float, default: 0.5}, flag: {type: boolean, default: false}, tls: {type: secret}, plain: {}}";

    #[test]
    fn values_are_typed_by_declaration() {
        let options = options(DECLARED).unwrap();
        for (name, text, value) in [
            ("path", "/opt/cni/bin", json!("/opt/cni/bin")),
            ("path", "", json!("")),
            ("count", "7", json!(7)),
            ("ratio", "2", json!(2.0)),
            ("flag", "true", json!(true)),
            (
                "tls",
                "secret:k5fo8pve76pgaih5eua0",
                json!("secret:k5fo8pve76pgaih5eua0"),
            ),
            ("plain", "7", json!("7")),
        ] {
            assert_eq!(parse(&options, name, text), Ok(value), "{name}={text}");
        }
        assert_eq!(options["tls"].default, None);
    }

    #[test]
    fn what_juju_refuses_is_refused_in_its_words() {
        let options = options(DECLARED).unwrap();
        for (name, text, refusal) in [
            ("nosuch", "x", "unknown option \"nosuch\""),
            ("count", "abc", "option \"count\" expected int, got \"abc\""),
            ("count", "1.5", "option \"count\" expected int, got \"1.5\""),
            ("ratio", "x", "option \"ratio\" expected float, got \"x\""),
            (
                "flag",
                "yes",
                "option \"flag\" expected boolean, got \"yes\"",
            ),
            (
                "tls",
                "plain-text",
                "option \"tls\" expected secret, got \"plain-text\"",
            ),
        ] {
            assert_eq!(parse(&options, name, text).unwrap_err(), refusal);
        }
    }

    #[test]
    fn a_bad_config_yaml_is_refused() {
        for (yaml, refusal) in [
            (
                "options: {x: {type: strng}}",
                "invalid config: option \"x\" has unknown type \"strng\"",
            ),
            (
                "options: {x: {type: int, default: 'a'}}",
                "invalid config default: option \"x\" expected int, got \"a\"",
            ),
        ] {
            assert_eq!(options(yaml).unwrap_err(), refusal);
        }
    }
}

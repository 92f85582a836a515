//! How hook tools print values: `--format` json, yaml and smart.

use serde_json::Value;

use super::arguments::Arguments;
use super::{Answer, Call, Failure};

/// The formats a tool takes, the default first.
pub(super) const SMART: &[&str] = &["smart", "json", "yaml"];
pub(super) const YAML: &[&str] = &["yaml", "json"];

/// Prints a value in the format that the arguments ask for.
pub(super) fn print(
    call: &Call<'_>,
    arguments: &Arguments,
    formats: &[&str],
    value: &Value,
) -> Answer {
    let format = arguments
        .get("format")
        .or(formats.first().copied())
        .unwrap_or("json");
    if !formats.contains(&format) {
        return Err(arguments.invalid("format", &format!("unknown format \"{format}\"")));
    }
    let text = match format {
        "json" => value.to_string(),
        "yaml" => yaml(value)?,
        _ => smart(value)?,
    };
    let text = if text.is_empty() {
        text
    } else {
        format!("{text}\n")
    };
    match arguments.get("output") {
        None => Ok(text),
        Some(file) => {
            let path = std::path::Path::new(call.directory).join(file);
            std::fs::write(&path, text)
                .map_err(|error| Failure::failed(format!("open {file}: {error}")))?;
            Ok(String::new())
        }
    }
}

fn yaml(value: &Value) -> Result<String, Failure> {
    serde_yaml::to_string(value)
        .map(|text| text.trim_end().to_owned())
        .map_err(|error| Failure::failed(error.to_string()))
}

/// Text as it is, nothing for null, `True` and `False` as Python writes them, a list of texts
/// line by line, everything else as YAML.
fn smart(value: &Value) -> Result<String, Failure> {
    match value {
        Value::Null => Ok(String::new()),
        Value::Bool(true) => Ok("True".into()),
        Value::Bool(false) => Ok("False".into()),
        Value::String(text) => Ok(text.clone()),
        Value::Array(items) if items.iter().all(Value::is_string) => {
            let lines: Vec<_> = items.iter().filter_map(Value::as_str).collect();
            Ok(lines.join("\n"))
        }
        other => yaml(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn smart_is_for_shells() {
        for (value, text) in [
            (json!(null), ""),
            (json!(true), "True"),
            (json!(false), "False"),
            (json!("/opt/cni/bin"), "/opt/cni/bin"),
            (json!(["a:1", "b:2"]), "a:1\nb:2"),
            (json!([]), ""),
            (json!({"k": "v", "n": 3}), "k: v\nn: 3"),
            (json!(3), "3"),
        ] {
            assert_eq!(smart(&value).unwrap(), text, "{value}");
        }
    }
}

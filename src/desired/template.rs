//! The template engine: the embedded templates, and how values are written into them.
//!
//! Templates are YAML with `[[ value ]]`, `[% statement %]` and `[# comment #]`, so that the
//! `{{ }}` of the Go templates, which istiod runs, keeps its meaning. A value is always written as
//! one YAML scalar, list or map in JSON notation, whatever it contains: a template needs no quotes
//! around it, and no value can change the structure around it. The filter `safe` writes a text as
//! it is. A missing name is an error.

use std::sync::OnceLock;

use minijinja::value::{Serde, ValueKind};
use minijinja::{AutoEscape, Environment, ErrorKind, State, UndefinedBehavior, Value, syntax};
use serde::Serialize;

use crate::desired::yaml;

/// A template, or a value for it, is wrong: always a defect of this program.
#[derive(Debug, thiserror::Error)]
#[error("cannot render the template {template}")]
pub struct TemplateError {
    /// Path below `templates/`.
    template: String,
    #[source]
    source: minijinja::Error,
}

/// Lists templates by their path below `templates/`, with their text, which is embedded at build
/// time.
macro_rules! embedded {
    ($($path:literal,)*) => {
        &[$(($path, include_str!(concat!("../../templates/", $path)))),*]
    };
}

/// Every template. A test compares this list with the folder.
const TEMPLATES: &[(&str, &str)] = embedded![
    "injection/agentgateway-waypoint.yaml",
    "injection/agentgateway.yaml",
    "injection/gateway.yaml",
    "injection/grpc-agent.yaml",
    "injection/grpc-simple.yaml",
    "injection/kube-gateway.yaml",
    "injection/parts/agentgateway.yaml",
    "injection/parts/environment.yaml",
    "injection/parts/gateway-api.yaml",
    "injection/parts/pod.yaml",
    "injection/parts/proxy.yaml",
    "injection/parts/redirection.yaml",
    "injection/parts/security.yaml",
    "injection/parts/volumes.yaml",
    "injection/sidecar.yaml",
    "injection/waypoint.yaml",
    "istiod/access.yaml",
    "istiod/autoscaler.yaml",
    "istiod/deployment.yaml",
    "istiod/service.yaml",
    "node-agent/access.yaml",
    "node-agent/configuration.yaml",
    "node-agent/daemon-set.yaml",
    "reader/access.yaml",
    "webhooks/injector.yaml",
    "webhooks/validator.yaml",
];

/// The paths of all templates below `templates/`.
#[cfg(test)]
fn paths() -> impl Iterator<Item = &'static str> {
    TEMPLATES.iter().map(|(path, _)| *path)
}

/// Renders the template at `path` (below `templates/`) with the fields of `values` as names.
///
/// # Errors
/// When there is no such template, its syntax is wrong, or it uses a name that `values` lacks.
pub(super) fn render(path: &str, values: impl Serialize) -> Result<String, TemplateError> {
    let wrong = |source| TemplateError {
        template: path.to_owned(),
        source,
    };
    environment()?
        .get_template(path)
        .and_then(|template| template.render(Serde(values)))
        .map_err(wrong)
}

/// The environment with all templates, parsed at first use.
fn environment() -> Result<&'static Environment<'static>, TemplateError> {
    static ENVIRONMENT: OnceLock<Environment<'static>> = OnceLock::new();
    if let Some(environment) = ENVIRONMENT.get() {
        return Ok(environment);
    }
    let environment = parse(TEMPLATES)?;
    Ok(ENVIRONMENT.get_or_init(|| environment))
}

fn parse(
    templates: &'static [(&'static str, &'static str)],
) -> Result<Environment<'static>, TemplateError> {
    let mut environment = Environment::new();
    let wrong = |template: &str, source| TemplateError {
        template: template.to_owned(),
        source,
    };
    let syntax = syntax::SyntaxConfig::builder()
        .variable_delimiters("[[", "]]")
        .block_delimiters("[%", "%]")
        .comment_delimiters("[#", "#]")
        .trim_blocks(true)
        .lstrip_blocks(true)
        .keep_trailing_newline(true)
        .build()
        .map_err(|source| wrong("(delimiters)", source))?;
    environment.set_syntax(syntax);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::Json);
    environment.set_formatter(write_yaml_value);
    for (path, text) in templates {
        environment
            .add_template(path, text)
            .map_err(|source| wrong(path, source))?;
    }
    Ok(environment)
}

/// Writes a value so that every YAML parser reads it back unchanged.
fn write_yaml_value(
    out: &mut minijinja::Output,
    _state: &mut State,
    value: &Value,
) -> Result<(), minijinja::Error> {
    if value.is_safe() && value.kind() == ValueKind::String {
        return Ok(write!(out, "{value}")?);
    }
    let json = serde_json::to_string(value).map_err(|error| {
        minijinja::Error::new(ErrorKind::BadSerialization, "no JSON form").with_source(error)
    })?;
    let mut escaped = String::new();
    yaml::push_escaped(&mut escaped, &json);
    out.write_str(&escaped)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const SAMPLES: &[(&str, &str)] = &[
        ("value", "a: [[ value ]]\n"),
        ("safe", "[[ value | safe ]]\n"),
        (
            "go",
            "{{ .Values.a }} [% if value %]\n  yes\n  [% endif %]\n[# why #]end\n",
        ),
    ];

    fn sample(name: &str, values: impl Serialize) -> Result<String, minijinja::Error> {
        parse(SAMPLES)
            .unwrap()
            .get_template(name)?
            .render(Serde(values))
    }

    proptest! {
        #[test]
        fn any_text_is_read_back_from_yaml_as_it_was(text in any::<String>()) {
            let yaml = sample("value", json!({"value": text})).unwrap();
            let read: serde_json::Value = serde_yaml::from_str(&yaml).unwrap();
            prop_assert_eq!(&read["a"], &json!(text));
        }
    }

    #[test]
    fn unprintable_characters_are_read_back_too() {
        let text: String = (0..=0x2fff)
            .chain(0xfe00..=0xffff)
            .chain([0x1_f600, 0x10_ffff])
            .filter_map(char::from_u32)
            .collect();
        let yaml = sample("value", json!({"value": text})).unwrap();
        let read: serde_json::Value = serde_yaml::from_str(&yaml).unwrap();
        assert_eq!(read["a"], json!(text));
    }

    #[test]
    fn values_of_every_kind_keep_their_kind() {
        let value = json!({"text": "true", "flag": true, "number": 3, "none": null, "list": ["a"]});
        let yaml = sample("value", json!({"value": value})).unwrap();
        let read: serde_json::Value = serde_yaml::from_str(&yaml).unwrap();
        assert_eq!(read["a"], value);
    }

    #[test]
    fn a_missing_value_is_an_error() {
        let error = sample("value", json!({})).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UndefinedError);
    }

    #[test]
    fn safe_text_stands_as_it_is() {
        let text = sample("safe", json!({"value": "{{ range }}\n"})).unwrap();
        assert_eq!(text, "{{ range }}\n\n");
    }

    #[test]
    fn go_templates_pass_and_statements_leave_no_lines() {
        let text = sample("go", json!({"value": true})).unwrap();
        assert_eq!(text, "{{ .Values.a }}   yes\nend\n");
    }

    #[test]
    fn a_failure_names_the_template_and_keeps_its_cause() {
        let error = render("no/such.yaml", json!({})).unwrap_err();
        assert_eq!(error.to_string(), "cannot render the template no/such.yaml");
        assert!(error.source().is_some());
    }

    #[test]
    fn the_list_is_the_folder() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
        let mut found = Vec::new();
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let below = path.strip_prefix(&root).unwrap();
                    found.push(below.to_str().unwrap().to_owned());
                }
            }
        }
        found.sort();
        let mut listed: Vec<_> = paths().map(str::to_owned).collect();
        listed.sort();
        assert_eq!(listed, found);
    }
}

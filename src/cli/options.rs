//! The charm's options on a command line.

use std::collections::BTreeSet;
use std::path::Path;
use std::str::FromStr;

use anyhow::{Context as _, bail};
use serde_json::{Map, Value};

use crate::intent::options::OPTIONS;
use crate::intent::values::Options;
use crate::intent::yaml;
use crate::k8s::names::is_label;
use crate::k8s::version::KubernetesVersion;

/// `KEY=VALUE` with a key that the charm has.
#[derive(Clone, Debug)]
pub(super) struct KeyValue {
    key: String,
    value: String,
}

impl FromStr for KeyValue {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (key, value) = text.split_once('=').ok_or("expected KEY=VALUE")?;
        known(key)?;
        Ok(Self {
            key: key.to_owned(),
            value: value.to_owned(),
        })
    }
}

fn known(key: &str) -> Result<(), String> {
    if OPTIONS.contains(&key) {
        return Ok(());
    }
    Err(format!(
        "the charm has no option {key:?}; it has {}",
        OPTIONS.join(", ")
    ))
}

/// The name of a model, which is the name of its namespace.
pub(super) fn model(text: &str) -> Result<String, &'static str> {
    if is_label(text) {
        return Ok(text.to_owned());
    }
    Err(
        "a model is a namespace: lower-case letters, digits and '-', not '-' at the ends, at most 63",
    )
}

/// The name of an application, as Juju takes it (`core/application` of Juju 3.6 and 4.0: of the
/// parts between hyphens, each has a letter, and the first begins with one).
pub(super) fn application(text: &str) -> Result<String, &'static str> {
    let mut parts = text.split('-');
    let usable = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_letter = |letter: char| letter.is_ascii_lowercase();
    let is_part = |part: &str| part.bytes().all(usable) && part.contains(is_letter);
    if is_label(text) && text.starts_with(is_letter) && parts.all(is_part) {
        return Ok(text.to_owned());
    }
    Err(
        "Juju's applications have lower-case letters and digits, a letter first, and '-' before a part with a letter",
    )
}

/// A Kubernetes version such as `1.34` or `v1.34.2`.
pub(super) fn version(text: &str) -> Result<KubernetesVersion, &'static str> {
    KubernetesVersion::parse(text).ok_or("expected a version such as 1.34")
}

/// The options of a file; options of the command line replace them.
pub(super) fn collect(file: Option<&Path>, arguments: &[KeyValue]) -> anyhow::Result<Options> {
    let mut options = match file {
        Some(path) => from_file(path)?,
        None => Options::new(),
    };
    let mut seen = BTreeSet::new();
    for KeyValue { key, value } in arguments {
        if !seen.insert(key) {
            bail!("--config has {key} twice; leave one of them out");
        }
        options.insert(key.clone(), Value::String(value.clone()));
    }
    Ok(options)
}

fn from_file(path: &Path) -> anyhow::Result<Options> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {shown}"))?;
    let value = match yaml::parse(&text) {
        Ok(value) => value,
        Err(fault) => bail!("{shown} {fault}"),
    };
    let options = match value {
        Value::Null => Options::new(),
        Value::Object(mut map) => match map.remove("settings") {
            Some(Value::Object(settings)) => values_of(settings),
            _ => map,
        },
        _ => bail!("{shown} must hold a map of option to value"),
    };
    for key in options.keys() {
        if let Err(message) = known(key) {
            bail!("{shown}: {message}");
        }
    }
    Ok(options)
}

/// The values in the output of `juju config --format yaml`, which has a map for each option.
fn values_of(settings: Map<String, Value>) -> Options {
    let known = settings
        .into_iter()
        .filter(|(key, _)| OPTIONS.contains(&key.as_str()));
    let value = |details: Value| details.get("value").cloned().unwrap_or_default();
    known.map(|(key, details)| (key, value(details))).collect()
}

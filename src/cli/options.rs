//! The charm's options on a command line.

use std::path::Path;
use std::str::FromStr;

use anyhow::{Context as _, bail};
use serde_json::{Map, Value};

use crate::intent::options::OPTIONS;
use crate::intent::values::Options;
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
    for KeyValue { key, value } in arguments {
        options.insert(key.clone(), Value::String(value.clone()));
    }
    Ok(options)
}

fn from_file(path: &Path) -> anyhow::Result<Options> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {shown}"))?;
    let value: Value =
        serde_yaml::from_str(&text).with_context(|| format!("{shown} is not YAML"))?;
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

//! Reading a charm: a packed `.charm` file or the folder with the same content.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Error;

pub(crate) mod actions;
pub(crate) mod options;

pub(crate) use actions::ActionSpec;
pub(crate) use options::ConfigOption;

/// Which part an endpoint plays in its relations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Listed under `provides`.
    Provider,
    /// Listed under `requires`.
    Requirer,
    /// Listed under `peers`.
    Peer,
}

impl Role {
    pub(crate) fn counterpart(self) -> Self {
        match self {
            Self::Provider => Self::Requirer,
            Self::Requirer => Self::Provider,
            Self::Peer => Self::Peer,
        }
    }
}

/// An endpoint as metadata.yaml declares it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Endpoint {
    pub(crate) role: Role,
    pub(crate) interface: String,
    pub(crate) limit: Option<u32>,
}

/// What a charm declares, and where its files are.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Charm {
    pub(crate) name: String,
    pub(crate) folder: PathBuf,
    pub(crate) endpoints: BTreeMap<String, Endpoint>,
    pub(crate) extra_bindings: Vec<String>,
    pub(crate) options: BTreeMap<String, ConfigOption>,
    pub(crate) actions: BTreeMap<String, ActionSpec>,
}

#[derive(Deserialize)]
struct Metadata {
    name: String,
    #[serde(default)]
    provides: BTreeMap<String, EndpointYaml>,
    #[serde(default)]
    requires: BTreeMap<String, EndpointYaml>,
    #[serde(default)]
    peers: BTreeMap<String, EndpointYaml>,
    #[serde(default, rename = "extra-bindings")]
    extra_bindings: BTreeMap<String, Value>,
    #[serde(default)]
    assumes: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum EndpointYaml {
    Short(String),
    Long {
        interface: String,
        limit: Option<u32>,
    },
}

impl Charm {
    /// Puts the charm's files into `folder` (which must not exist) and reads what it declares.
    ///
    /// # Errors
    /// [`Error::Charm`] if `source` is neither a zip nor a folder, or one of its YAML files is
    /// missing or says what Juju does not accept.
    pub(crate) fn unpack(source: &Path, folder: &Path) -> Result<Self, Error> {
        let refuse = |reason: String| Error::Charm {
            path: source.to_owned(),
            reason,
        };
        if source.is_dir() {
            copy_folder(source, folder)?;
        } else {
            let file = fs::File::open(source).map_err(|error| refuse(error.to_string()))?;
            zip::ZipArchive::new(file)
                .and_then(|mut archive| archive.extract(folder))
                .map_err(|error| refuse(error.to_string()))?;
        }
        Self::read(folder).map_err(refuse)
    }

    fn read(folder: &Path) -> Result<Self, String> {
        let metadata: Metadata = read_yaml(folder, "metadata.yaml")?
            .ok_or("metadata.yaml is missing (pack the charm first)")?;
        if !valid_name(&metadata.name) {
            return Err(format!(
                "metadata: invalid charm name \"{}\"",
                metadata.name
            ));
        }
        check_assumes(&metadata.assumes)?;
        let mut endpoints = BTreeMap::new();
        for (role, declared) in [
            (Role::Provider, metadata.provides),
            (Role::Requirer, metadata.requires),
            (Role::Peer, metadata.peers),
        ] {
            for (name, endpoint) in declared {
                let (interface, limit) = match endpoint {
                    EndpointYaml::Short(interface) => (interface, None),
                    EndpointYaml::Long { interface, limit } => (interface, limit),
                };
                let endpoint = Endpoint {
                    role,
                    interface,
                    limit,
                };
                if endpoints.insert(name.clone(), endpoint).is_some() {
                    return Err(format!("metadata: duplicated endpoint name \"{name}\""));
                }
            }
        }
        let config: Option<options::ConfigYaml> = read_yaml(folder, "config.yaml")?;
        let actions: Option<BTreeMap<String, Value>> = read_yaml(folder, "actions.yaml")?;
        Ok(Self {
            name: metadata.name,
            folder: folder.to_owned(),
            endpoints,
            extra_bindings: metadata.extra_bindings.into_keys().collect(),
            options: config.map(options::read).transpose()?.unwrap_or_default(),
            actions: actions.map(actions::read).transpose()?.unwrap_or_default(),
        })
    }
}

/// Lowercase letters, digits and hyphens, starting with a letter, no part of only digits: the
/// form of charm and application names.
pub(crate) fn valid_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.split('-').all(|part| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
                && part.bytes().any(|byte| byte.is_ascii_lowercase())
        })
}

/// Refuses requirements on Juju that this model, which represents 4.0 on Kubernetes, does not
/// meet.
fn check_assumes(assumes: &[Value]) -> Result<(), String> {
    let unmet: Vec<_> = assumes.iter().filter(|feature| !meets(feature)).collect();
    if unmet.is_empty() {
        return Ok(());
    }
    let list = unmet
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ");
    Err(format!(
        "charm requires features that the model does not provide: {list}"
    ))
}

fn meets(feature: &Value) -> bool {
    match feature {
        Value::Object(map) => map.iter().all(|(kind, features)| {
            let features = features.as_array().map_or(&[][..], Vec::as_slice);
            match kind.as_str() {
                "any-of" => features.iter().any(meets),
                "all-of" => features.iter().all(meets),
                _ => false,
            }
        }),
        Value::String(text) => {
            let mut words = text.split_whitespace();
            match (words.next(), words.next(), words.next()) {
                (Some("k8s-api"), None, None) => true,
                (Some("juju"), Some(operator), Some(version)) => {
                    let ours = version_numbers(crate::model::JUJU_VERSION);
                    match operator {
                        ">=" => ours >= version_numbers(version),
                        "<" => ours < version_numbers(version),
                        _ => false,
                    }
                }
                _ => false,
            }
        }
        _ => false,
    }
}

fn version_numbers(version: &str) -> [u32; 3] {
    let mut numbers = version
        .split(['.', '-'])
        .map(|part| part.parse().unwrap_or(0));
    [(); 3].map(|()| numbers.next().unwrap_or(0))
}

/// `None` if the file does not exist or holds nothing.
fn read_yaml<T: for<'de> Deserialize<'de>>(folder: &Path, name: &str) -> Result<Option<T>, String> {
    let text = match fs::read_to_string(folder.join(name)) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(format!("{name}: {error}")),
    };
    serde_yaml::from_str(&text).map_err(|error| format!("{name}: {error}"))
}

/// Copies a folder with the files' modes; symbolic links are copied as what they point to.
pub(crate) fn copy_folder(from: &Path, to: &Path) -> Result<(), Error> {
    fs::create_dir_all(to).map_err(Error::file("create folder", to))?;
    for entry in fs::read_dir(from).map_err(Error::file("read folder", from))? {
        let entry = entry.map_err(Error::file("read folder", from))?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            copy_folder(&source, &target)?;
        } else {
            fs::copy(&source, &target).map_err(Error::file("copy", &source))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_are_checked() {
        for name in ["rec", "istio-pilot", "a1-b2c"] {
            assert!(valid_name(name), "{name}");
        }
        for name in ["", "Rec", "1rec", "rec-1", "rec-", "a_b"] {
            assert!(!valid_name(name), "{name}");
        }
    }

    #[test]
    fn requirements_on_juju_are_met_or_refused() {
        let good = [
            json!("juju >= 3.6"),
            json!("k8s-api"),
            json!({"any-of": ["juju >= 5", "k8s-api"]}),
        ];
        assert_eq!(check_assumes(&good), Ok(()));
        for bad in [
            json!("juju >= 5.0"),
            json!("juju < 4.0"),
            json!("lxd"),
            json!({"all-of": ["lxd"]}),
        ] {
            assert!(check_assumes(std::slice::from_ref(&bad)).is_err(), "{bad}");
        }
    }
}

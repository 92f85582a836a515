//! The option `image-configuration`: a YAML or JSON map in a string.

use serde_json::{Map, Value};

use super::{ConfigurationProblem, IMAGE_CONFIGURATION, Options, text};
use crate::ISTIO_VERSION;
use crate::control_plane::Images;
use crate::k8s::version::minor_version;

const HUB: &str = "global-hub";
const TAG: &str = "global-tag";
const PILOT: &str = "pilot-image";
const PROXY: &str = "global-proxy-image";
const PROXY_INIT: &str = "global-proxy-init-image";
const CNI: &str = "global-cni-image";
const GRPC_BOOTSTRAP_INIT: &str = "grpc-bootstrap-init";

/// The keys and their defaults, named as Canonical's Python charm names them (and `global-cni-image`).
const DEFAULTS: [(&str, &str); 7] = [
    (HUB, "docker.io/istio"),
    (TAG, ISTIO_VERSION),
    (PILOT, "pilot"),
    (PROXY, "proxyv2"),
    (PROXY_INIT, "proxyv2"),
    (CNI, "install-cni"),
    (GRPC_BOOTSTRAP_INIT, "busybox:1.28"),
];

/// The images; `None` when the option was a problem.
pub(super) fn parse(
    options: &Options,
    problems: &mut Vec<ConfigurationProblem>,
    warnings: &mut Vec<String>,
) -> Option<Images> {
    let before = problems.len();
    let mut report = |message| {
        problems.push(ConfigurationProblem {
            option: IMAGE_CONFIGURATION,
            message,
        });
    };
    let mut discarded = Vec::new();
    let given = text(options, IMAGE_CONFIGURATION, &mut discarded).unwrap_or_default();
    let entries = if discarded.is_empty() {
        entries(&given).unwrap_or_else(|message| {
            report(message);
            Map::new()
        })
    } else {
        report("must be text that holds a YAML or JSON map".to_owned());
        Map::new()
    };
    for key in entries
        .keys()
        .filter(|key| !DEFAULTS.iter().any(|(known, _)| key == known))
    {
        warnings.push(format!(
            "{IMAGE_CONFIGURATION}: the key {key:?} is unknown and not used"
        ));
    }
    let mut value = |key: &str| {
        let default = DEFAULTS
            .iter()
            .find(|(known, _)| *known == key)
            .map_or("", |(_, it)| it);
        match entries.get(key) {
            None | Some(Value::Null) => default.to_owned(),
            Some(Value::String(text)) => {
                if let Some(fault) = reference_fault(text) {
                    report(format!("{key}: {text:?} {fault}"));
                }
                text.clone()
            }
            Some(other) => {
                report(format!("{key}: {other} is not text; put it in quotes"));
                default.to_owned()
            }
        }
    };
    let (hub, tag) = (value(HUB), value(TAG));
    let names = [value(PILOT), value(PROXY), value(PROXY_INIT), value(CNI)];
    let grpc_bootstrap_init = value(GRPC_BOOTSTRAP_INIT);
    if let Some(fault) = tag_fault(&tag) {
        report(format!("{TAG}: {fault}"));
    }
    for (name, key) in names.iter().zip([PILOT, PROXY, PROXY_INIT, CNI]) {
        if !name.contains('/') && name.contains([':', '@']) {
            report(format!(
                "{key}: {name:?} names a tag but no registry; set {TAG}, or give a whole reference \
                 such as docker.io/istio/{name}"
            ));
        }
    }
    if problems.len() > before {
        return None;
    }
    let [pilot, proxy, proxy_init, cni] = names.map(|name| {
        if name.contains('/') {
            name
        } else {
            format!("{hub}/{name}:{tag}")
        }
    });
    Some(Images {
        hub,
        tag,
        pilot,
        proxy,
        proxy_init,
        cni,
        grpc_bootstrap_init,
    })
}

/// The map in the option's text. Empty text is an empty map.
fn entries(given: &str) -> Result<Map<String, Value>, String> {
    match serde_yaml::from_str::<Value>(given) {
        Ok(Value::Object(entries)) => Ok(entries),
        Ok(Value::Null) => Ok(Map::new()),
        Ok(_) => Err("must be a map of image keys, such as global-tag: '1.31.1'".to_owned()),
        // The parser's own text may repeat the input; only its place is of use.
        Err(error) => Err(error.location().map_or_else(
            || "is not YAML with text keys".to_owned(),
            |it| format!("is not YAML (line {}, column {})", it.line(), it.column()),
        )),
    }
}

/// What makes a text unusable in an image reference
/// (characters of <https://github.com/distribution/reference>).
fn reference_fault(text: &str) -> Option<&'static str> {
    const LONGEST: usize = 512;
    let usable = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/:@+[]".contains(&byte);
    match text {
        "" => Some("is empty; leave the key out for its default"),
        _ if text.len() > LONGEST => Some("is longer than 512 bytes"),
        _ if !text.bytes().all(usable) => Some("holds a character that no image reference may"),
        _ => None,
    }
}

/// What makes a tag unusable: another Istio minor version than the one that is rendered.
fn tag_fault(tag: &str) -> Option<String> {
    let wanted = minor_version(ISTIO_VERSION);
    let given = minor_version(tag)?;
    (Some(given) != wanted).then(|| {
        format!(
            "{tag:?} is Istio {}.{}; this charm installs {ISTIO_VERSION}",
            given.0, given.1
        )
    })
}

//! The option `image-configuration`: a YAML or JSON map in a string.

use serde::Serialize;
use serde_json::{Map, Value};

use super::problem::Problem;
use super::values::{Options, text};
use crate::istio::ISTIO_VERSION;
use crate::k8s::version::minor_version;

/// The images, as whole references such as `docker.io/istio/pilot:1.31.1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Images {
    /// Registry and repository prefix for images named without one; `docker.io/istio`.
    pub hub: String,
    /// Tag for images named without one; `1.31.1`.
    pub tag: String,
    /// istiod.
    pub pilot: String,
    /// Sidecars and gateways.
    pub proxy: String,
    /// The init containers `istio-init` and `istio-validation`.
    pub proxy_init: String,
    /// The CNI node agent.
    pub cni: String,
    /// The init container of the gRPC templates; `busybox:1.28`.
    pub grpc_bootstrap_init: String,
}

/// Option with a map of images.
pub const IMAGE_CONFIGURATION: &str = "image-configuration";

const HUB: &str = "global-hub";
const TAG: &str = "global-tag";
const PILOT: &str = "pilot-image";
const PROXY: &str = "global-proxy-image";
const PROXY_INIT: &str = "global-proxy-init-image";
const CNI: &str = "global-cni-image";
const GRPC_BOOTSTRAP_INIT: &str = "grpc-bootstrap-init";

/// The keys and their defaults. The names are those of Canonical's Python charm, and
/// `global-cni-image` beside them.
const DEFAULTS: [(&str, &str); 7] = [
    (HUB, "docker.io/istio"),
    (TAG, ISTIO_VERSION),
    (PILOT, "pilot"),
    (PROXY, "proxyv2"),
    (PROXY_INIT, "proxyv2"),
    (CNI, "install-cni"),
    (GRPC_BOOTSTRAP_INIT, "busybox:1.28"),
];

/// The images; `None` when the option is a problem.
pub(super) fn parse(
    options: &Options,
    problems: &mut Vec<Problem>,
    warnings: &mut Vec<String>,
) -> Option<Images> {
    let mut faults = Vec::new();
    let entries = entries(options).unwrap_or_else(|fault| {
        faults.push(fault);
        Map::new()
    });
    for key in entries.keys().filter(|key| !is_known(key)) {
        warnings.push(format!(
            "{IMAGE_CONFIGURATION}: the key {key:?} is unknown and not used"
        ));
    }
    let images = images(&entries, &mut faults);
    let images = faults.is_empty().then_some(images);
    let faults = faults.into_iter();
    problems.extend(faults.map(|fault| Problem::of_option(IMAGE_CONFIGURATION, fault)));
    images
}

fn is_known(key: &str) -> bool {
    DEFAULTS.iter().any(|(known, _)| key == *known)
}

/// The images that the entries name, and what is wrong with them.
fn images(entries: &Map<String, Value>, faults: &mut Vec<String>) -> Images {
    let mut value = |key: &str| value(entries, key, faults);
    let (hub, tag) = (value(HUB), value(TAG));
    let names = [PILOT, PROXY, PROXY_INIT, CNI].map(|key| (key, value(key)));
    let grpc_bootstrap_init = value(GRPC_BOOTSTRAP_INIT);
    if let Some(fault) = tag_fault(&tag) {
        faults.push(format!("{TAG}: {fault}"));
    }
    for (key, name) in &names {
        if !name.contains('/') && name.contains([':', '@']) {
            faults.push(format!(
                "{key}: {name:?} names a tag but no registry; set {TAG}, or give a whole reference \
                 such as docker.io/istio/{name}"
            ));
        }
    }
    let [pilot, proxy, proxy_init, cni] = names.map(|(_, name)| {
        if name.contains('/') {
            name
        } else {
            format!("{hub}/{name}:{tag}")
        }
    });
    Images {
        hub,
        tag,
        pilot,
        proxy,
        proxy_init,
        cni,
        grpc_bootstrap_init,
    }
}

/// The value of a key, or its default.
fn value(entries: &Map<String, Value>, key: &str, faults: &mut Vec<String>) -> String {
    let default = DEFAULTS
        .iter()
        .find(|(known, _)| *known == key)
        .map_or("", |(_, default)| default);
    match entries.get(key) {
        None | Some(Value::Null) => default.to_owned(),
        Some(Value::String(text)) => {
            if let Some(fault) = reference_fault(text) {
                faults.push(format!("{key}: {text:?} {fault}"));
            }
            text.clone()
        }
        Some(other) => {
            faults.push(format!("{key}: {other} is not text; put it in quotes"));
            default.to_owned()
        }
    }
}

/// The map in the option's text. Empty text is an empty map.
fn entries(options: &Options) -> Result<Map<String, Value>, String> {
    let mut faults = Vec::new();
    let text = text(options, IMAGE_CONFIGURATION, &mut faults).unwrap_or_default();
    if !faults.is_empty() {
        return Err("must be text that holds a YAML or JSON map".to_owned());
    }
    match serde_yaml::from_str::<Value>(&text) {
        Ok(Value::Object(entries)) => Ok(entries),
        Ok(Value::Null) => Ok(Map::new()),
        Ok(_) => Err("must be a map of image keys, such as global-tag: '1.31.1'".to_owned()),
        // The parser's own text may repeat the input; only the place is useful.
        Err(error) => Err(error.location().map_or_else(
            || "is not YAML with text keys".to_owned(),
            |place| {
                format!(
                    "is not YAML (line {}, column {})",
                    place.line(),
                    place.column()
                )
            },
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
    let (major, minor) = minor_version(tag)?;
    (Some((major, minor)) != minor_version(ISTIO_VERSION))
        .then(|| format!("{tag:?} is Istio {major}.{minor}; this charm installs {ISTIO_VERSION}"))
}

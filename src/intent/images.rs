//! The option `image-configuration`: a YAML or JSON map in a string.

mod reference;

use serde::Serialize;
use serde_json::{Map, Value};

use super::problem::Problem;
use super::values::{Options, raw_text};
use super::yaml;
use crate::istio::ISTIO_VERSION;
use crate::k8s::version::minor_version;
use crate::text::{LONGEST_IN_STATUS, quoted, shorten};
use reference::{Fault, Reference};

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

/// The images of Istio's own, which have to be of the version that is rendered.
const OF_ISTIO: [&str; 4] = [PILOT, PROXY, PROXY_INIT, CNI];

/// Istio's other registries, whose hosting ends in December 2026.
const ENDING: [&str; 2] = ["gcr.io/istio-release", "registry.istio.io"];

/// The images; `None` when the option is a problem.
pub(super) fn parse(
    options: &Options,
    problems: &mut Vec<Problem>,
    warnings: &mut Vec<String>,
) -> Option<Images> {
    let mut faults = Vec::new();
    let mut oddities = Vec::new();
    let entries = entries(options).unwrap_or_else(|fault| {
        faults.push(fault);
        Map::new()
    });
    for key in entries.keys().filter(|key| !is_known(key)) {
        oddities.push(format!("the key {key:?} is unknown and not used"));
    }
    let images = images(&entries, &mut faults, &mut oddities);
    let images = faults.is_empty().then_some(images);
    let faults = faults.into_iter();
    problems.extend(faults.map(|fault| Problem::of_option(IMAGE_CONFIGURATION, fault)));
    let oddities = oddities.into_iter();
    warnings.extend(oddities.map(|oddity| format!("{IMAGE_CONFIGURATION}: {oddity}")));
    images
}

fn is_known(key: &str) -> bool {
    DEFAULTS.iter().any(|(known, _)| key == *known)
}

/// The images that the entries name, what is wrong with them, and what is only odd.
fn images(
    entries: &Map<String, Value>,
    faults: &mut Vec<String>,
    oddities: &mut Vec<String>,
) -> Images {
    let hub = value(entries, HUB, faults, hub_fault);
    let hub = hub.strip_suffix('/').unwrap_or(&hub).to_owned();
    let tag = value(entries, TAG, faults, tag_fault);
    let mut image = |key: &str| {
        let name = value(entries, key, faults, |name| image_fault(key, name));
        if key == GRPC_BOOTSTRAP_INIT || name.contains('/') {
            name
        } else {
            format!("{hub}/{name}:{tag}")
        }
    };
    let images = Images {
        pilot: image(PILOT),
        proxy: image(PROXY),
        proxy_init: image(PROXY_INIT),
        cni: image(CNI),
        grpc_bootstrap_init: image(GRPC_BOOTSTRAP_INIT),
        hub,
        tag,
    };
    let finished = [
        (PILOT, &images.pilot),
        (PROXY, &images.proxy),
        (PROXY_INIT, &images.proxy_init),
        (CNI, &images.cni),
        (GRPC_BOOTSTRAP_INIT, &images.grpc_bootstrap_init),
    ];
    // Right parts can still be too long together. While a part is wrong, so is every image with it.
    if faults.is_empty() {
        for (key, image) in finished {
            match reference::parse(image) {
                Ok(reference) => oddities.extend(not_fixed(key, &reference)),
                Err(fault) => faults.push(format!("{key}: {} {fault}", quoted(image))),
            }
        }
    }
    oddities.extend(
        ENDING
            .iter()
            .filter_map(|registry| ending(registry, &finished)),
    );
    images
}

/// The value of a key, or its default. A value with a fault is one of `faults` too.
fn value(
    entries: &Map<String, Value>,
    key: &str,
    faults: &mut Vec<String>,
    fault: impl Fn(&str) -> Option<String>,
) -> String {
    let default = DEFAULTS
        .iter()
        .find(|(known, _)| *known == key)
        .map_or("", |(_, default)| default);
    match entries.get(key) {
        None | Some(Value::Null) => default.to_owned(),
        Some(Value::String(text)) => {
            if let Some(fault) = fault(text) {
                faults.push(format!("{key}: {} {fault}", shown(text)));
            }
            text.clone()
        }
        Some(other) => {
            let other = shorten(&other.to_string(), LONGEST_IN_STATUS);
            faults.push(format!("{key}: {other} is not text; put it in quotes"));
            default.to_owned()
        }
    }
}

/// A value as a message shows it: without what may be a user's name and password before an `@`.
fn shown(text: &str) -> String {
    match text.rsplit_once('@') {
        Some((before, after)) if before.contains(':') => quoted(&format!("…@{after}")),
        _ => quoted(text),
    }
}

/// What makes a hub unusable: an image below it would be no reference.
fn hub_fault(hub: &str) -> Option<String> {
    if hub.is_empty() {
        return Some(Fault::Empty.to_string());
    }
    let hub = hub.strip_suffix('/').unwrap_or(hub);
    if hub.contains("://") {
        return Some(Fault::Scheme.to_string());
    }
    if hub.contains('@') {
        return Some(
            "has an @, but a hub has no digest, and credentials belong into an image pull secret"
                .to_owned(),
        );
    }
    if hub
        .split_once('/')
        .is_some_and(|(_, below)| below.contains(':'))
    {
        return Some(format!("has a tag; it belongs into {TAG}"));
    }
    let below = format!("{hub}/image");
    Some(reference::parse(&below).err()?.to_string())
}

/// What makes a tag unusable: no image has it, or only another Istio minor version than the one
/// that is rendered.
fn tag_fault(tag: &str) -> Option<String> {
    if tag.is_empty() {
        return Some(Fault::Empty.to_string());
    }
    if let Some(fault) = reference::blank(tag) {
        return Some(fault.to_string());
    }
    if let Some(rest) = tag.strip_prefix(':') {
        return Some(format!("begins with a colon; write {}", quoted(rest)));
    }
    if tag.contains(':') {
        return Some(
            "is no tag; a digest belongs to a whole reference of each image, behind an @"
                .to_owned(),
        );
    }
    if reference::check_tag(tag).is_err() {
        return Some(
            "is no tag: at most 128 letters, digits, '_', '.' and '-', not '.' or '-' first"
                .to_owned(),
        );
    }
    other_minor_version(tag)
}

/// What makes the name of an image unusable, or a whole reference.
fn image_fault(key: &str, name: &str) -> Option<String> {
    let is_whole = name.contains('/') || key == GRPC_BOOTSTRAP_INIT;
    let reference = match reference::parse(name) {
        Ok(reference) => reference,
        Err(fault) => return Some(fault.to_string()),
    };
    let has_more = reference.tag.is_some() || reference.digest.is_some();
    if !is_whole && has_more {
        return Some(format!(
            "names a tag or digest but no registry; set {TAG}, or give a whole reference such as \
             docker.io/istio/{name}"
        ));
    }
    let tag = reference.tag.filter(|_| OF_ISTIO.contains(&key))?;
    other_minor_version(tag)
}

fn other_minor_version(tag: &str) -> Option<String> {
    let (major, minor) = minor_version(tag)?;
    (Some((major, minor)) != minor_version(ISTIO_VERSION)).then(|| {
        format!(
            "is Istio {major}.{minor}; this charm installs {ISTIO_VERSION}: use an image of that \
             minor version, or a tag that is no version number if it is one"
        )
    })
}

/// Says that an image may be another one on every node.
fn not_fixed(key: &str, reference: &Reference<'_>) -> Option<String> {
    (reference.tag.is_none() && reference.digest.is_none()).then(|| {
        format!(
            "{key}: {} has neither a tag nor a digest, so every node pulls what is latest at that \
             moment",
            quoted(reference.name)
        )
    })
}

/// Says that a registry ends, if an image comes from there.
fn ending(registry: &str, images: &[(&str, &String)]) -> Option<String> {
    let is_from = |image: &str| {
        let rest = image.strip_prefix(registry);
        rest.is_some_and(|rest| rest.starts_with('/'))
    };
    let mut from = images.iter().filter(|(_, image)| is_from(image));
    let (_, first) = from.next()?;
    Some(format!(
        "{first} is in {registry}, which serves no images any more from December 2026 on; the \
         default of {HUB} is docker.io/istio"
    ))
}

/// The map in the option's text. Empty text is an empty map.
fn entries(options: &Options) -> Result<Map<String, Value>, String> {
    let mut faults = Vec::new();
    let text = raw_text(options, IMAGE_CONFIGURATION, &mut faults).unwrap_or_default();
    if !faults.is_empty() {
        return Err("must be text that holds a YAML or JSON map".to_owned());
    }
    match yaml::parse(&text) {
        Ok(Value::Object(entries)) => Ok(entries),
        Ok(Value::Null) => Ok(Map::new()),
        Ok(_) => Err(format!(
            "must be a map of image keys, such as {TAG}: '{ISTIO_VERSION}'"
        )),
        Err(fault) => Err(fault.to_string()),
    }
}

#[cfg(test)]
mod tests;

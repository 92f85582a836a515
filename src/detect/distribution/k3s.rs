//! k3s: where it keeps its plugins, and whose container runtime reads them.

use k8s_openapi::api::core::v1::Node;

use super::{STANDARD, Usual, assumed};
use crate::intent::cni_paths::CniPaths;
use crate::k8s::node;

/// k3s with its built-in Flannel has everything below its data directory. With another network
/// plugin k3s keeps containerd's defaults (`pkg/agent/templates`: `NoFlannel`).
///
/// On machines, plugins are in `data/cni` since k3s pull request 10868. In k3s's own image they
/// were in `/bin` until pull request 11790.
pub(super) fn usual(node: &Node, in_container: bool) -> Usual {
    if has_runtime_of_its_own(node) {
        return assumed(
            STANDARD,
            "k3s runs with another container runtime than its own there, and no network plugin \
             shows the directories that this one reads",
        );
    }
    if annotation(node, "flannel.alpha.coreos.com/backend-type").is_none() {
        return assumed(
            STANDARD,
            "k3s runs without its own Flannel there, and no other network plugin shows its \
             directories",
        );
    }
    let data = arguments(node)
        .into_iter()
        .filter(|(name, value)| {
            matches!(name.as_str(), "--data-dir" | "-d") && value.starts_with('/')
        })
        .map(|(_, value)| value.trim_end_matches('/').to_owned())
        .next()
        .unwrap_or_else(|| "/var/lib/rancher/k3s".to_owned());
    let conf_dir = format!("{data}/agent/etc/cni/net.d");
    let bin_dir = match (in_container, version(node)) {
        (true, Some(version)) if version < static_in_image(version) => "/bin".to_owned(),
        (false, Some(version)) if version < static_on_machines(version) => {
            format!("{data}/data/current/bin")
        }
        _ => format!("{data}/data/cni"),
    };
    Usual::Known(CniPaths { bin_dir, conf_dir })
}

/// Whether the plugins of this k3s are in another directory after its next upgrade.
pub(in crate::detect) fn moves_on_upgrade(node: &Node) -> bool {
    version(node).is_some_and(|version| version < static_on_machines(version))
}

/// Minor and patch version.
type Version = (u32, u32);

/// The first version of this minor release with `data/cni` on machines.
fn static_on_machines((minor, _): Version) -> Version {
    match minor {
        ..=28 => (28, 15),
        29 => (29, 10),
        30 => (30, 6),
        31 => (31, 2),
        later => (later, 0),
    }
}

/// The first version of this minor release with `data/cni` in k3s's image.
fn static_in_image((minor, _): Version) -> Version {
    match minor {
        ..=29 => (29, 15),
        30 => (30, 11),
        31 => (31, 7),
        32 => (32, 3),
        later => (later, 0),
    }
}

/// Minor and patch version of a kubelet such as `v1.31.2+k3s1`.
fn version(node: &Node) -> Option<Version> {
    let version = node::system_info(node)?
        .kubelet_version
        .strip_prefix("v1.")?;
    let (minor, rest) = version.split_once('.')?;
    let end = rest.find(|letter: char| !letter.is_ascii_digit());
    let patch = &rest[..end.unwrap_or(rest.len())];
    Some((minor.parse().ok()?, patch.parse().ok()?))
}

/// Whether the node's containers are run by something that k3s has neither brought nor configured,
/// and which has directories of its own.
///
/// With `--docker`, k3s starts its own cri-dockerd with its own directories
/// (`pkg/agent/cridockerd/cridockerd.go`). The versions of the containerd that k3s brings end in
/// `-k3s` and a number.
pub(super) fn has_runtime_of_its_own(node: &Node) -> bool {
    let arguments = arguments(node);
    let has = |wanted: &str| arguments.iter().find(|(name, _)| name == wanted);
    let docker = has("--docker").is_some_and(|(_, value)| value != "false");
    let endpoint = has("--container-runtime-endpoint").is_some();
    let version = node::system_info(node).map_or("", |it| it.container_runtime_version.as_str());
    let is_foreign = match version.split_once("://") {
        Some(("containerd", version)) => !version.contains("-k3s"),
        Some(_) => true,
        None => false,
    };
    !docker && (endpoint || is_foreign)
}

fn annotation<'a>(node: &'a Node, key: &str) -> Option<&'a String> {
    node.metadata.annotations.as_ref()?.get(key)
}

/// The arguments of k3s, which a node has as a JSON list in an annotation: names, and values where
/// an argument has one. Those of its configuration file are among them.
fn arguments(node: &Node) -> Vec<(String, String)> {
    let text = annotation(node, "k3s.io/node-args").map_or("", String::as_str);
    let words: Vec<String> = serde_json::from_str(text).unwrap_or_default();
    let mut words = words.into_iter().peekable();
    let mut arguments = Vec::new();
    while let Some(word) = words.next() {
        if !word.starts_with('-') {
            continue;
        }
        arguments.push(if let Some((name, value)) = word.split_once('=') {
            (name.to_owned(), value.to_owned())
        } else {
            let value = words.next_if(|next| !next.starts_with('-'));
            (word, value.unwrap_or_default())
        });
    }
    arguments
}

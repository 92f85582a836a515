//! A model with the charm in it, on a cluster of its own, and what stories read from both.

use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use charm_world::{Charm, World, until};
use juju_sim::{ActionResult, ModelOptions};
use serde_json::Value;
use test_cluster::{Options, TestCluster};

/// The model's name, and so the namespace.
pub(crate) const MODEL: &str = "mesh";
/// The application's name. Not the charm's, so that a mix-up shows.
pub(crate) const APPLICATION: &str = "pilot";
/// Both options, as most people set them.
pub(crate) const BOTH_PATHS: [(&str, &str); 2] = [
    ("cni-bin-dir", "/opt/cni/bin"),
    ("cni-conf-dir", "/etc/cni/net.d"),
];
/// Both options unset.
pub(crate) const NO_PATHS: [(&str, &str); 2] = [("cni-bin-dir", ""), ("cni-conf-dir", "")];

/// An empty model on a cluster with three nodes.
pub(crate) fn world() -> Result<World> {
    world_on(TestCluster::reused(&Options {
        audit: true,
        ..Options::default()
    })?)
}

/// An empty model on that cluster.
pub(crate) fn world_on(cluster: impl Into<Arc<TestCluster>>) -> Result<World> {
    let charm = Charm::of_program(Path::new(env!("CARGO_BIN_EXE_istio-pilot")))?;
    let mut world = World::new(ModelOptions::named(MODEL), cluster, APPLICATION, charm)?;
    world.set_rollout_timeout(60);
    Ok(world)
}

/// A model in which the charm is deployed with trust, and has settled.
pub(crate) fn deployed() -> Result<World> {
    let mut world = world()?;
    world.deploy()?;
    Ok(world)
}

/// The directories that the node agent mounts.
pub(crate) fn mounted(world: &World) -> Result<Vec<String>> {
    let daemon_set = world.get("daemonset istio-cni-node")?;
    let volumes = &daemon_set["spec"]["template"]["spec"]["volumes"];
    let directories = volumes.as_array().unwrap().iter();
    let paths = directories
        .map(|it| &it["hostPath"])
        .filter(|it| it["type"] == "Directory" && it["path"] != "/proc")
        .map(|it| it["path"].as_str().unwrap().to_owned());
    Ok(paths.collect())
}

/// The names of the objects of a list.
pub(crate) fn names(list: &Value) -> Vec<&str> {
    let items = list["items"].as_array().unwrap().iter();
    items
        .map(|it| it["metadata"]["name"].as_str().unwrap())
        .collect()
}

/// Waits until these are all the definitions in the cluster. One goes a moment after it was
/// deleted, when the API server has looked for its objects.
pub(crate) fn until_definitions(world: &World, expected: &[&str]) -> Result<()> {
    until(&format!("the definitions are {expected:?}"), || {
        Ok(names(&world.get("customresourcedefinitions")?) == expected)
    })
}

/// What an application or unit has written into a relation, as `key = value` lines.
pub(crate) fn databag(world: &World, relation: u32, owner: &str) -> String {
    let databag = world.model.databag(relation, owner);
    let lines = databag
        .iter()
        .map(|(key, value)| format!("{key} = {value:?}"));
    lines.collect::<Vec<_>>().join("\n")
}

/// What `juju run` shows: how the action ended, then its results but for a `table` and the same in
/// `json`.
pub(crate) fn outcome(action: &ActionResult) -> String {
    let mut lines = vec![if action.completed {
        "completed".to_owned()
    } else {
        format!("failed: {}", action.message)
    }];
    let short = |(key, _): &(&String, &Value)| !["table", "json"].contains(&key.as_str());
    for (key, value) in action.results.iter().filter(short) {
        let text = value.as_str().map(str::trim_end).unwrap();
        let separator = if text.contains('\n') { "\n" } else { " " };
        lines.push(format!("{key}:{separator}{text}"));
    }
    lines.join("\n")
}

/// The text with `…` for what Kubernetes appends to the names of pods: `istio-cni-node-…`, and of
/// a Deployment's `istiod-…-…`.
pub(crate) fn without_pod_suffixes(text: &str) -> String {
    let is_of_name = |it: char| it.is_ascii_alphanumeric() || it == '-';
    let mut masked = String::new();
    let mut rest = text;
    while let Some(begin) = rest.find(is_of_name) {
        let (before, name) = rest.split_at(begin);
        let end = name.find(|it| !is_of_name(it)).unwrap_or(name.len());
        let (name, after) = name.split_at(end);
        let parts: Vec<&str> = name.split('-').map(without_randomness).collect();
        masked.push_str(before);
        masked.push_str(&parts.join("-"));
        rest = after;
    }
    masked + rest
}

/// `…` for a part of a name that Kubernetes has made: 5 random characters, or the hash of a
/// template, of an alphabet without vowels (`k8s.io/apimachinery/pkg/util/rand`).
fn without_randomness(part: &str) -> &str {
    const ALPHABET: &str = "bcdfghjklmnpqrstvwxz2456789";
    let is_long_enough = part.len() == 5 || (8..=10).contains(&part.len());
    if is_long_enough && part.chars().all(|it| ALPHABET.contains(it)) {
        "…"
    } else {
        part
    }
}

/// The text without what stands before the message of an event that came often
/// (`k8s.io/client-go/tools/record`): how many there were by then depends on the machine.
pub(crate) fn without_count_of_events(text: &str) -> String {
    text.replace("(combined from similar events): ", "")
}

/// The text with `…` for the number of nodes that have to have a node agent, which follows the
/// nodes a moment later: `CNI on (3/… nodes)`.
pub(crate) fn without_desired_nodes(text: &str) -> String {
    let Some((before, after)) = text.split_once('/') else {
        return text.to_owned();
    };
    let after = after.trim_start_matches(|it: char| it.is_ascii_digit());
    format!("{before}/…{after}")
}

/// The text with `…` for each number.
pub(crate) fn without_numbers(text: &str) -> String {
    let mut masked = String::new();
    for character in text.chars() {
        if !character.is_ascii_digit() {
            masked.push(character);
        } else if !masked.ends_with('…') {
            masked.push('…');
        }
    }
    masked
}

#[test]
fn a_mask_covers_what_it_is_for_and_nothing_else() {
    let of_pods = "pods \"istio-cni-node-x7k2p\", istiod-67dc45f7b8-6dxlm: istio-sidecar-injector";
    let masked = "pods \"istio-cni-node-…\", istiod-…-…: istio-sidecar-injector";
    assert_eq!(without_pod_suffixes(of_pods), masked);
    let ready = "ready: 3/15 nodes";
    assert_eq!(without_desired_nodes(ready), "ready: 3/… nodes");
    assert_eq!(without_numbers(ready), "ready: …/… nodes");
    let event = "(combined from similar events): Error creating";
    assert_eq!(without_count_of_events(event), "Error creating");
}

//! The directories in which the nodes keep their CNI plugins and configuration: pure.
//!
//! There are two sources. The mounts of the network plugin that runs on a node show the directories
//! themselves (`plugins`); that is the strongest evidence. What a node says about itself shows the
//! distribution (`marks`), and each distribution has its usual directories (`distribution`).

mod directories;
mod distribution;
mod marks;
mod notes;
mod plugins;
mod report;

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{Node, Pod};

use crate::intent::cni_paths::CniPaths;
use crate::k8s::node;
use crate::text::up_to_three;
use directories::{Directories, directories};
use marks::{Recognition, Strength};
use notes::Shown;
use plugins::Mounts;

pub use distribution::Distribution;

/// What the nodes show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detection {
    /// The distributions that were recognised: none, or several in a mixed cluster.
    pub distributions: BTreeSet<Distribution>,
    /// The distributions that other nodes may have, going by habits such as their names.
    pub suspected: BTreeSet<Distribution>,
    /// The values to set.
    pub answer: Answer,
    /// What speaks for the answer, for people.
    pub evidence: Vec<String>,
    /// What else people must know about such a cluster.
    pub notes: Vec<String>,
}

/// What to set the options `cni-bin-dir` and `cni-conf-dir` to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// These values.
    Paths {
        /// The directories.
        paths: CniPaths,
        /// How far to trust them.
        certainty: Certainty,
    },
    /// No values would be enough; the text says why, and what would be.
    NotEnough(String),
    /// The nodes show too little.
    Unsure {
        /// What they may be.
        guess: Option<CniPaths>,
        /// What is missing.
        why: String,
    },
}

/// How far to trust directories.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certainty {
    /// They are the distribution's defaults.
    Likely,
    /// Every ready node runs a network plugin that uses them.
    Certain,
}

/// What one node shows.
struct NodeFacts<'a> {
    name: &'a str,
    recognition: Option<Recognition>,
    directories: Directories,
    ready: bool,
}

/// Detects the directories from all nodes of a cluster and the pods in their host networks.
///
/// Nodes that can never run the node agent (another operating system, virtual nodes) do not count.
pub fn detect(nodes: &[Node], host_network_pods: &[Pod]) -> Detection {
    let mounts = plugins::mounts(host_network_pods);
    let kubeadm = marks::kubeadm_pods(host_network_pods);
    let (real, virtual_nodes): (Vec<&Node>, Vec<&Node>) = nodes
        .iter()
        .filter(|node| is_linux(node))
        .partition(|node| !node::is_virtual(node));
    let facts: Vec<NodeFacts> = real
        .iter()
        .map(|node| facts_of(node, &mounts, kubeadm.as_ref()))
        .collect();
    let recognised = |wanted: Strength| {
        let all = facts.iter().filter_map(|it| it.recognition.as_ref());
        let wanted = all.filter(|it| it.strength == wanted);
        wanted.map(|it| it.distribution).collect::<BTreeSet<_>>()
    };
    let distributions = recognised(Strength::Strong);
    Detection {
        suspected: recognised(Strength::Weak),
        answer: answer(&facts),
        evidence: evidence(&facts, &mounts),
        notes: notes::of(&Shown {
            distributions: &distributions,
            nodes: &real,
            virtual_nodes: &virtual_nodes,
            facts: &facts,
            mounts: &mounts,
            pods: host_network_pods,
        }),
        distributions,
    }
}

/// What one node shows.
fn facts_of<'a>(
    node: &'a Node,
    mounts: &BTreeMap<&str, Vec<Mounts>>,
    kubeadm: Option<&Recognition>,
) -> NodeFacts<'a> {
    let name = node::name(node);
    let recognition = match (marks::recognise(node), kubeadm) {
        (Some(found), _) if found.strength == Strength::Strong => Some(found),
        (found, kubeadm) => kubeadm.cloned().or(found),
    };
    let usual = recognition.as_ref().map(|recognition| {
        let usual = recognition.distribution.usual(node);
        match recognition.strength {
            Strength::Strong => usual,
            Strength::Weak => usual.in_doubt(),
        }
    });
    let seen = mounts.get(name).map_or(&[][..], Vec::as_slice);
    NodeFacts {
        name,
        recognition,
        directories: directories(usual, seen),
        ready: node::is_ready(node),
    }
}

fn answer(facts: &[NodeFacts]) -> Answer {
    if facts.is_empty() {
        let why = "the cluster has no Linux node".to_owned();
        return Answer::Unsure { guess: None, why };
    }
    let not_enough = facts.iter().find_map(|node| match &node.directories {
        Directories::NotEnough(why) => Some(why.clone()),
        _ => None,
    });
    if let Some(why) = not_enough {
        return Answer::NotEnough(why);
    }
    let mut groups: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    let mut doubts: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for node in facts {
        if let Some(CniPaths { bin_dir, conf_dir }) = node.directories.paths() {
            groups
                .entry((bin_dir, conf_dir))
                .or_default()
                .push(node.name);
        }
        if let Directories::Assumed(_, why) | Directories::Unknown(why) = &node.directories {
            doubts.entry(why).or_default().push(node.name);
        }
    }
    if groups.len() > 1 {
        return Answer::NotEnough(nodes_differ(&groups));
    }
    let only = groups.first_key_value();
    let guess = only.map(|((bin_dir, conf_dir), _)| CniPaths {
        bin_dir: (*bin_dir).to_owned(),
        conf_dir: (*conf_dir).to_owned(),
    });
    match guess {
        Some(paths) if doubts.is_empty() => {
            let seen = |node: &NodeFacts| matches!(node.directories, Directories::Seen(_));
            let all_seen = facts.iter().filter(|it| it.ready).all(seen);
            let certainty = if all_seen && facts.iter().any(seen) {
                Certainty::Certain
            } else {
                Certainty::Likely
            };
            Answer::Paths { paths, certainty }
        }
        guess => {
            let doubts: Vec<_> = doubts
                .iter()
                .map(|(why, nodes)| format!("{}: {why}", up_to_three(nodes)))
                .collect();
            let why = doubts.join("; ");
            Answer::Unsure { guess, why }
        }
    }
}

fn nodes_differ(groups: &BTreeMap<(&str, &str), Vec<&str>>) -> String {
    let groups: Vec<_> = groups
        .iter()
        .map(|((bin_dir, conf_dir), nodes)| {
            format!("{bin_dir} and {conf_dir} on {}", up_to_three(nodes))
        })
        .collect();
    format!(
        "the nodes differ, and one pair of options serves all of them: {}. On the nodes that are \
         in the minority make symbolic links of the other name to their directories (links are \
         followed), then set the options by hand",
        groups.join("; ")
    )
}

/// What speaks for the answer, each with the nodes that show it.
fn evidence(facts: &[NodeFacts], mounts: &BTreeMap<&str, Vec<Mounts>>) -> Vec<String> {
    let mut lines: Vec<(String, Vec<&str>)> = Vec::new();
    let mut add = |text: String, node| match lines.iter_mut().find(|(line, _)| *line == text) {
        Some((_, nodes)) => nodes.push(node),
        None => lines.push((text, vec![node])),
    };
    for node in facts {
        for mark in node.recognition.iter().flat_map(|it| &it.evidence) {
            add(mark.clone(), node.name);
        }
    }
    for node in facts {
        for mounts in mounts.get(node.name).into_iter().flatten() {
            add(mounts.to_string(), node.name);
        }
    }
    let all = facts.len();
    lines
        .into_iter()
        .map(|(text, nodes)| {
            format!(
                "{text} (on {} of {all}: {})",
                nodes.len(),
                up_to_three(&nodes)
            )
        })
        .collect()
}

fn is_linux(node: &Node) -> bool {
    node::system_info(node).is_none_or(|it| it.operating_system != "windows")
}

#[cfg(test)]
mod tests;

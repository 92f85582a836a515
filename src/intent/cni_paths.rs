//! The two directories that switch the CNI node agent on.

use serde::Serialize;

use super::problem::Problem;
use super::values::{Options, text};
use crate::text::quoted;

/// Option naming the directory of CNI plugins on the nodes.
pub const CNI_BIN_DIR: &str = "cni-bin-dir";
/// Option naming the directory of CNI configuration on the nodes.
pub const CNI_CONF_DIR: &str = "cni-conf-dir";

/// The directories on the nodes that the Istio CNI node agent writes to. They are checked: both are
/// absolute, have no trailing slash, and differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CniPaths {
    /// Where the container runtime looks for CNI plugins; option `cni-bin-dir`.
    pub bin_dir: String,
    /// Where the container runtime looks for CNI configuration; option `cni-conf-dir`.
    pub conf_dir: String,
}

/// The main switch: on when both paths are set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CniSetting {
    /// No node agent; new pods get `istio-init`.
    Off {
        /// The option that is not set while the other one is.
        missing: Option<&'static str>,
    },
    /// The node agent with these directories; new pods get `istio-validation`.
    On(CniPaths),
}

impl CniSetting {
    /// The directories; `None` when the CNI is off.
    pub fn paths(&self) -> Option<&CniPaths> {
        match self {
            Self::On(paths) => Some(paths),
            Self::Off { .. } => None,
        }
    }
}

/// The longest path a Linux system call takes, in bytes (`PATH_MAX` of limits.h).
const LONGEST_PATH: usize = 4096;

/// Directories that are no container runtime's: those that the kernel fills, and those that the node
/// agent itself uses on a node (`templates/node-agent/daemon-set.yaml`), by either of their names.
const TAKEN: [(&str, &str); 7] = [
    ("/proc", "the kernel's"),
    ("/sys", "the kernel's"),
    ("/dev", "the kernel's"),
    ("/var/run/istio-cni", "the node agent's own"),
    ("/run/istio-cni", "the node agent's own"),
    ("/var/run/netns", "that of network namespaces"),
    ("/run/netns", "that of network namespaces"),
];

/// What the directories of configuration are called, wherever they are
/// (`src/detect/distribution.rs` has the whole paths).
const NAMES_OF_CONFIGURATION: [&str; 3] = ["net.d", "net.mk", "cni-network"];
/// What a directory of plugins is called, and never one of configuration.
const NAME_OF_PLUGINS: &str = "bin";

/// The setting that both options make together; `None` when one of them is a problem.
pub(super) fn parse(options: &Options, problems: &mut Vec<Problem>) -> Option<CniSetting> {
    let before = problems.len();
    let bin_dir = directory(options, CNI_BIN_DIR, problems);
    let conf_dir = directory(options, CNI_CONF_DIR, problems);
    if problems.len() > before {
        return None;
    }
    match (bin_dir, conf_dir) {
        (Some(bin_dir), Some(conf_dir)) => {
            let paths = CniPaths { bin_dir, conf_dir };
            if let Some(overlap) = overlap(&paths) {
                problems.push(Problem::of_option(CNI_CONF_DIR, overlap));
                return None;
            }
            Some(CniSetting::On(paths))
        }
        (None, None) => Some(CniSetting::Off { missing: None }),
        (Some(_), None) => Some(CniSetting::Off {
            missing: Some(CNI_CONF_DIR),
        }),
        (None, Some(_)) => Some(CniSetting::Off {
            missing: Some(CNI_BIN_DIR),
        }),
    }
}

/// What is wrong with two directories that are not apart, said of `cni-conf-dir`.
fn overlap(paths: &CniPaths) -> Option<String> {
    let [bin_dir, conf_dir] = [&paths.bin_dir, &paths.conf_dir].map(|it| quoted(it));
    match (
        is_in(&paths.conf_dir, &paths.bin_dir),
        is_in(&paths.bin_dir, &paths.conf_dir),
    ) {
        (false, false) => None,
        (true, true) => Some(format!(
            "must differ from {CNI_BIN_DIR}, both are {conf_dir}"
        )),
        (true, false) => Some(format!(
            "{conf_dir} is inside of {CNI_BIN_DIR} {bin_dir}; they must be apart"
        )),
        (false, true) => Some(format!(
            "{conf_dir} holds {CNI_BIN_DIR} {bin_dir}; they must be apart"
        )),
    }
}

/// Whether a directory is the other one, or below it.
fn is_in(path: &str, other: &str) -> bool {
    let rest = path.strip_prefix(other);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// One directory in its canonical form; `None` when it is not set or a problem.
fn directory(
    options: &Options,
    option: &'static str,
    problems: &mut Vec<Problem>,
) -> Option<String> {
    let value = text(options, option, problems).filter(|it| !it.is_empty())?;
    let path = value.strip_suffix('/').unwrap_or(&value);
    match mistake(path).or_else(|| misplaced(option, path)) {
        None => Some(path.to_owned()),
        Some(mistake) => {
            let message = format!("{} {mistake}", quoted(&value));
            problems.push(Problem::of_option(option, message));
            None
        }
    }
}

/// What makes a text unusable as the path of a directory.
fn mistake(path: &str) -> Option<String> {
    if path.len() > LONGEST_PATH {
        return Some(format!("is longer than {LONGEST_PATH} bytes"));
    }
    // One slash at the end is gone by now.
    if matches!(path, "" | "/") {
        return Some(
            "is the root directory; name the directory of the container runtime".to_owned(),
        );
    }
    let Some(relative) = path.strip_prefix('/') else {
        return Some("is not absolute: it must begin with /".to_owned());
    };
    if let Some(separator) = [":/", ",/", ";/", " /"]
        .iter()
        .find(|it| path.contains(**it))
    {
        let separator = &separator[..1];
        return Some(format!(
            "is two paths with '{separator}' between them; name one directory"
        ));
    }
    relative.split('/').find_map(|part| match part {
        "" => Some("has an empty part (//)".to_owned()),
        "." | ".." => Some(format!("has a part '{part}'; write the path without it")),
        _ => None,
    })
}

/// What makes a directory the wrong one for an option.
fn misplaced(option: &'static str, path: &str) -> Option<String> {
    let is_taken =
        |(directory, _): &&(&str, &str)| is_in(path, directory) || is_in(directory, path);
    if let Some((directory, whose)) = TAKEN.iter().find(is_taken) {
        let relation = if path == *directory {
            format!("is {whose} directory")
        } else if is_in(path, directory) {
            format!("is inside of {directory}, {whose} directory")
        } else {
            format!("holds {directory}, {whose} directory")
        };
        return Some(format!(
            "{relation}; name the directory of the container runtime"
        ));
    }
    let name = path.rsplit('/').next().unwrap_or_default();
    match option {
        CNI_BIN_DIR if NAMES_OF_CONFIGURATION.contains(&name) => Some(format!(
            "is a directory of configuration by its name, and plugins are wanted: is it the value \
             of {CNI_CONF_DIR}?"
        )),
        CNI_CONF_DIR if name == NAME_OF_PLUGINS => Some(format!(
            "is a directory of plugins by its name, and configuration is wanted: is it the value \
             of {CNI_BIN_DIR}?"
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests;

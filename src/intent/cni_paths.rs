//! The two directories that switch the CNI node agent on.

use serde::Serialize;

use super::problem::Problem;
use super::values::{Options, text};
use crate::text::shorten;

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

/// The setting that both options make together; `None` when one of them is a problem.
pub(super) fn parse(options: &Options, problems: &mut Vec<Problem>) -> Option<CniSetting> {
    let before = problems.len();
    let bin_dir = directory(options, CNI_BIN_DIR, problems);
    let conf_dir = directory(options, CNI_CONF_DIR, problems);
    if problems.len() > before {
        return None;
    }
    match (bin_dir, conf_dir) {
        (Some(bin_dir), Some(conf_dir)) if bin_dir == conf_dir => {
            let message = format!(
                "must differ from {CNI_BIN_DIR}, both are {}",
                shown(&conf_dir)
            );
            problems.push(Problem::of_option(CNI_CONF_DIR, message));
            None
        }
        (Some(bin_dir), Some(conf_dir)) => Some(CniSetting::On(CniPaths { bin_dir, conf_dir })),
        (None, None) => Some(CniSetting::Off { missing: None }),
        (Some(_), None) => Some(CniSetting::Off {
            missing: Some(CNI_CONF_DIR),
        }),
        (None, Some(_)) => Some(CniSetting::Off {
            missing: Some(CNI_BIN_DIR),
        }),
    }
}

/// One directory in its canonical form; `None` when it is not set or a problem.
fn directory(
    options: &Options,
    option: &'static str,
    problems: &mut Vec<Problem>,
) -> Option<String> {
    let value = text(options, option, problems).filter(|it| !it.is_empty())?;
    let path = value.strip_suffix('/').unwrap_or(&value);
    match mistake(path) {
        None => Some(path.to_owned()),
        Some(mistake) => {
            let message = format!("{} {mistake}", shown(&value));
            problems.push(Problem::of_option(option, message));
            None
        }
    }
}

/// What makes a path unusable.
fn mistake(path: &str) -> Option<&'static str> {
    if path.len() > LONGEST_PATH {
        return Some("is longer than 4096 bytes");
    }
    if path.chars().any(char::is_control) {
        return Some("holds a control character, such as a newline or a tab");
    }
    // One slash at the end is gone by now.
    if matches!(path, "" | "/") {
        return Some("is the root directory; name the directory of the container runtime");
    }
    let Some(relative) = path.strip_prefix('/') else {
        return Some("is not absolute: it must begin with /");
    };
    relative.split('/').find_map(|part| match part {
        "" => Some("has an empty part (//)"),
        "." => Some("has a part '.'; write the path without it"),
        ".." => Some("has a part '..'; write the path without it"),
        _ => None,
    })
}

/// A value as a message shows it: quoted, escaped, and cut when it is long.
fn shown(value: &str) -> String {
    const LONGEST: usize = 60;
    format!("'{}'", shorten(value, LONGEST).escape_debug())
}

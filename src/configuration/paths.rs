//! The two directories that switch the CNI node agent on.

use super::{CNI_BIN_DIR, CNI_CONF_DIR, CniSetting, ConfigurationProblem, Options, text};
use crate::control_plane::CniPaths;

/// The longest path a Linux system call takes, in bytes (`PATH_MAX` of limits.h).
const LONGEST_PATH: usize = 4096;

/// The setting that both options make; `None` when one of them was a problem.
pub(super) fn parse(
    options: &Options,
    problems: &mut Vec<ConfigurationProblem>,
) -> Option<CniSetting> {
    let before = problems.len();
    let bin_dir = directory(options, CNI_BIN_DIR, problems);
    let conf_dir = directory(options, CNI_CONF_DIR, problems);
    if problems.len() > before {
        return None;
    }
    match (bin_dir, conf_dir) {
        (Some(bin_dir), Some(conf_dir)) if bin_dir == conf_dir => {
            problems.push(ConfigurationProblem {
                option: CNI_CONF_DIR,
                message: format!(
                    "must differ from {CNI_BIN_DIR}, both are {}",
                    shown(&conf_dir)
                ),
            });
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

/// One directory, in the one form that names it; `None` when unset or a problem.
fn directory(
    options: &Options,
    option: &'static str,
    problems: &mut Vec<ConfigurationProblem>,
) -> Option<String> {
    let given = text(options, option, problems).filter(|it| !it.is_empty())?;
    let path = given.strip_suffix('/').unwrap_or(&given);
    match fault(path) {
        None => Some(path.to_owned()),
        Some(fault) => {
            let message = format!("{} {fault}", shown(&given));
            problems.push(ConfigurationProblem { option, message });
            None
        }
    }
}

/// What makes a path unusable.
fn fault(path: &str) -> Option<&'static str> {
    if path.len() > LONGEST_PATH {
        return Some("is longer than 4096 bytes");
    }
    if path.chars().any(char::is_control) {
        return Some("holds a control character, such as a newline or a tab");
    }
    if path.is_empty() {
        return Some("is the root directory; name the directory of the container runtime");
    }
    let Some(relative) = path.strip_prefix('/') else {
        return Some("is not absolute: it must begin with /");
    };
    if relative.is_empty() {
        return Some("is the root directory; name the directory of the container runtime");
    }
    relative.split('/').find_map(|part| match part {
        "" => Some("has an empty part (//)"),
        "." => Some("has a part '.'; write the path without it"),
        ".." => Some("has a part '..'; write the path without it"),
        _ => None,
    })
}

/// A value as a message shows it: quoted, escaped, and cut when it is long.
fn shown(value: &str) -> String {
    const LONGEST_SHOWN: usize = 60;
    let mut short: String = value.chars().take(LONGEST_SHOWN).collect();
    if short.len() < value.len() {
        short.push('…');
    }
    format!("'{}'", short.escape_debug())
}

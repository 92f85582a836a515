//! The directories of one node: the usual ones, compared with the ones seen.

use std::collections::BTreeSet;

use super::distribution::Usual;
use super::plugins::Mounts;
use crate::intent::cni_paths::CniPaths;

/// The directories of one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Directories {
    /// A network plugin on the node shows both.
    Seen(CniPaths),
    /// They are the distribution's usual ones.
    Usual(CniPaths),
    /// A network plugin shows both, but they are not the distribution's.
    Unusual(CniPaths),
    /// They may be these; the text says what is missing.
    Assumed(CniPaths, String),
    /// They are unknown; the text says why.
    Unknown(String),
    /// The node needs more than directories; the text says what else.
    NotEnough(String),
}

impl Directories {
    pub(super) fn paths(&self) -> Option<&CniPaths> {
        match self {
            Self::Seen(paths)
            | Self::Usual(paths)
            | Self::Unusual(paths)
            | Self::Assumed(paths, _) => Some(paths),
            Self::Unknown(_) | Self::NotEnough(_) => None,
        }
    }
}

/// Compares the usual directories with those that network plugins show.
pub(super) fn directories(usual: Option<Usual>, seen: &[Mounts]) -> Directories {
    let (usual, doubt) = match usual {
        Some(Usual::NotEnough(why)) => return Directories::NotEnough(why.to_owned()),
        Some(Usual::Known(paths)) => (Some(paths), None),
        Some(Usual::Assumed(paths, doubt)) => (Some(paths), Some(doubt)),
        None => (None, None),
    };
    let fixed = usual.as_ref().filter(|_| doubt.is_none());
    let all = |pick: fn(&Mounts) -> Option<&String>| seen.iter().filter_map(pick).collect();
    let bin_dirs: BTreeSet<&String> = all(|it| it.bin_dir.as_ref());
    let conf_dirs: BTreeSet<&String> = all(|it| it.conf_dir.as_ref());
    let choose = |seen: &BTreeSet<&String>, usual: Option<&String>| match (seen.first(), usual) {
        (Some(only), _) if seen.len() == 1 => Some(((*only).clone(), true)),
        (Some(_), Some(usual)) if seen.contains(usual) => Some((usual.clone(), false)),
        (Some(_), _) => None,
        (None, usual) => usual.map(|usual| (usual.clone(), false)),
    };
    let bin_dir = choose(&bin_dirs, usual.as_ref().map(|it| &it.bin_dir));
    let conf_dir = choose(&conf_dirs, usual.as_ref().map(|it| &it.conf_dir));
    let (Some((bin_dir, bin_seen)), Some((conf_dir, conf_seen))) = (bin_dir, conf_dir) else {
        let why = if bin_dirs.len() > 1 || conf_dirs.len() > 1 {
            "its network plugins disagree"
        } else {
            "neither its distribution nor a network plugin's directories could be recognised"
        };
        return Directories::Unknown(why.to_owned());
    };
    let paths = CniPaths { bin_dir, conf_dir };
    match doubt {
        _ if bin_seen && conf_seen => match fixed {
            Some(fixed) if *fixed != paths => Directories::Unusual(paths),
            _ => Directories::Seen(paths),
        },
        Some(doubt) => Directories::Assumed(paths, doubt.to_owned()),
        None if usual.is_none() => Directories::Assumed(
            paths,
            "its network plugins show only one of them".to_owned(),
        ),
        None => Directories::Usual(paths),
    }
}

//! The answer in words.

use std::collections::BTreeSet;

use super::{Answer, Certainty, Detection, Distribution};
use crate::intent::cni_paths::CniPaths;
use crate::intent::cni_paths::{CNI_BIN_DIR, CNI_CONF_DIR};

/// What to do when the cluster does not show the directories.
///
/// `crictl info` and `crio config` print what the runtime itself uses.
pub(super) const HOW_TO_LOOK: &str = "on a node run `sudo crictl info` and read config.cni: binDir (or \
     binDirs) and confDir; with CRI-O run `sudo crio config` and read plugin_dirs and network_dir \
     of [crio.network]. Without a shell on the node: kubectl debug node/NAME -it --profile=sysadmin \
     --image=busybox -- chroot /host crictl info";

impl Detection {
    /// Whether there is something to set.
    pub fn has_paths(&self) -> bool {
        matches!(self.answer, Answer::Paths { .. })
    }

    /// The answer as pairs of a key, in kebab-case, and a text. `application` is the charm's name
    /// in the model.
    ///
    /// `distribution` and `certainty` are always there; `cni-bin-dir`, `cni-conf-dir` and `command`
    /// where there is something to set; `evidence` (a line each) and `note` where there is any.
    pub fn results(&self, application: &str) -> Vec<(&'static str, String)> {
        let mut notes = self.notes.clone();
        let mut results = vec![
            ("distribution", self.distribution()),
            ("certainty", self.certainty().to_owned()),
        ];
        match &self.answer {
            Answer::Paths { paths, .. } => {
                results.push((CNI_BIN_DIR, paths.bin_dir.clone()));
                results.push((CNI_CONF_DIR, paths.conf_dir.clone()));
                results.push(("command", command(paths, application)));
            }
            Answer::NotEnough(why) => notes.insert(0, why.clone()),
            Answer::Unsure { guess, why } => {
                let guess = guess.as_ref().map_or_else(String::new, |paths| {
                    format!("It may be {} and {}. ", paths.bin_dir, paths.conf_dir)
                });
                notes.insert(0, format!("{why}. {guess}To make sure, {HOW_TO_LOOK}"));
            }
        }
        if !self.evidence.is_empty() {
            results.push(("evidence", self.evidence.join("\n")));
        }
        if !notes.is_empty() {
            results.push(("note", notes.join("\n")));
        }
        results
    }

    /// The answer for a terminal: a line for each key and text; texts of several lines are indented
    /// below their key.
    pub fn to_text(&self, application: &str) -> String {
        let line = |(key, text): (&str, String)| {
            if text.contains('\n') {
                format!("{key}:\n  {}\n", text.replace('\n', "\n  "))
            } else {
                format!("{key}: {text}\n")
            }
        };
        self.results(application).into_iter().map(line).collect()
    }

    fn distribution(&self) -> String {
        let listed = |all: &BTreeSet<Distribution>| {
            let names: Vec<_> = all.iter().map(ToString::to_string).collect();
            names.join(", ")
        };
        match (self.distributions.is_empty(), self.suspected.is_empty()) {
            (false, _) => listed(&self.distributions),
            (true, false) => format!("unknown, perhaps {}", listed(&self.suspected)),
            (true, true) => "unknown".to_owned(),
        }
    }

    fn certainty(&self) -> &'static str {
        match &self.answer {
            Answer::Paths { certainty, .. } => match certainty {
                Certainty::Certain => "certain",
                Certainty::Likely => "likely",
            },
            Answer::NotEnough(_) => "certain",
            Answer::Unsure { .. } => "unsure",
        }
    }
}

fn command(paths: &CniPaths, application: &str) -> String {
    let bin_dir = quoted(&paths.bin_dir);
    let conf_dir = quoted(&paths.conf_dir);
    format!("juju config {application} {CNI_BIN_DIR}={bin_dir} {CNI_CONF_DIR}={conf_dir}")
}

/// A path as one word of a POSIX shell.
fn quoted(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte);
    if path.bytes().all(plain) {
        return path.to_owned();
    }
    format!("'{}'", path.replace('\'', r"'\''"))
}

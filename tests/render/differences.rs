//! The reviewed list of differences from istioctl: `differences.yaml`.

use serde::Deserialize;
use serde_json::Value;

use crate::compare::Difference;

/// Stands for any value that is there.
const ANY: &str = "<any>";

/// One entry of the list. A side that is left out says that nothing stands there.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    /// `Kind name`, in which `*` stands for any text.
    objects: String,
    /// JSON pointers, in which a part `*` stands for any one part, and a last part `**` for any
    /// rest.
    at: Vec<String>,
    istioctl: Option<Value>,
    ours: Option<Value>,
    why: String,
}

/// The list, and how often each pointer of it was needed.
pub(crate) struct Differences {
    entries: Vec<Entry>,
    uses: Vec<Vec<usize>>,
}

impl Differences {
    pub(crate) fn load() -> Self {
        let entries: Vec<Entry> = serde_yaml::from_str(include_str!("differences.yaml")).unwrap();
        for entry in &entries {
            assert!(
                !entry.why.is_empty(),
                "an entry without a reason: {entry:?}"
            );
        }
        let uses = entries
            .iter()
            .map(|entry| vec![0; entry.at.len()])
            .collect();
        Self { entries, uses }
    }

    /// Whether the list has that difference.
    pub(crate) fn cover(&mut self, difference: &Difference) -> bool {
        let mut covered = false;
        for (entry, uses) in self.entries.iter().zip(&mut self.uses) {
            let same = matches_text(&entry.objects, &difference.object)
                && matches_side(entry.istioctl.as_ref(), difference.istioctl.as_ref())
                && matches_side(entry.ours.as_ref(), difference.ours.as_ref());
            for (at, uses) in entry.at.iter().zip(uses) {
                if same && matches_pointer(at, &difference.at) {
                    *uses += 1;
                    covered = true;
                }
            }
        }
        covered
    }

    /// What never was needed.
    pub(crate) fn unused(&self) -> impl Iterator<Item = String> {
        let each = self.entries.iter().zip(&self.uses);
        each.flat_map(|(entry, uses)| {
            let unused = entry.at.iter().zip(uses).filter(|(_, uses)| **uses == 0);
            unused.map(|(at, _)| format!("{} at {at} ({})", entry.objects, entry.why))
        })
    }
}

fn matches_side(listed: Option<&Value>, found: Option<&Value>) -> bool {
    match (listed, found) {
        (None, None) => true,
        (Some(listed), Some(found)) => listed == ANY || listed == found,
        _ => false,
    }
}

fn matches_text(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, rest)) => text.strip_prefix(start).is_some_and(|text| {
            text.char_indices()
                .map(|(index, _)| &text[index..])
                .chain([""])
                .any(|text| matches_text(rest, text))
        }),
    }
}

fn matches_pointer(pattern: &str, pointer: &str) -> bool {
    let mut parts = pointer.split('/');
    for pattern in pattern.split('/') {
        match (pattern, parts.next()) {
            ("**", Some(_)) => return true,
            (_, None) => return false,
            (pattern, Some(part)) if pattern != "*" && pattern != part => return false,
            _ => {}
        }
    }
    parts.next().is_none()
}

#[test]
fn patterns_match_whole_texts_only() {
    assert!(matches_text("*", "Role istiod"));
    assert!(matches_text(
        "*Role istiod*",
        "ClusterRole istiod-clusterrole-a"
    ));
    assert!(!matches_text("Role *", "ClusterRole istiod"));
    assert!(!matches_text("Role istio", "Role istiod"));
    assert!(matches_pointer("/a/*/c", "/a/b/c"));
    assert!(!matches_pointer("/a/*", "/a/b/c"));
    assert!(!matches_pointer("/a/*/c", "/a/b"));
    assert!(matches_pointer("/a/**", "/a/b/c"));
    assert!(!matches_pointer("/a/**", "/a"));
}

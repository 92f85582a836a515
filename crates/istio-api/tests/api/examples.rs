//! Resources of every kind, written for these tests.

use std::path::Path;

use serde_json::Value;

use crate::upstream;

/// The objects of the folder `examples`, which has a file for each kind.
pub(crate) fn all() -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/api/examples");
    let files = upstream::yaml_files(&folder);
    assert_eq!(files.len(), 15, "one file for each kind");
    let examples: Vec<Vec<Value>> = files.iter().map(|file| upstream::documents(file)).collect();
    assert!(
        examples.iter().all(|of_kind| of_kind.len() >= 2),
        "two examples of each kind"
    );
    examples.into_iter().flatten().collect()
}

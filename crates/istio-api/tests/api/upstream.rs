//! Files of Istio's Go modules, which the Go tool fetches and verifies.

use std::path::{Path, PathBuf};

use serde_json::Value;
use test_cluster::programs::{self, Module};

/// The version of the Go module `istio.io/api` whose API this crate has.
const VERSION: &str = "v1.31.1";

/// The definitions of that version.
pub(crate) fn definitions() -> Vec<Value> {
    let of_programs = programs::source_folder(Module::Istio, "istio.io/api").unwrap();
    assert!(
        of_programs.ends_with(format!("api@{VERSION}")),
        "the programs of the tests have another release of the API: {}",
        of_programs.display()
    );
    test_cluster::istio_definitions(VERSION).unwrap()
}

/// A file or folder in the source of that release of Istio.
pub(crate) fn source(path: &str) -> PathBuf {
    let folder = programs::source_folder(Module::Istio, "istio.io/istio").unwrap();
    folder.join(path)
}

/// Every document of a YAML file that is not empty.
pub(crate) fn documents(file: &Path) -> Vec<Value> {
    let text =
        std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    // Upstream's reader takes two colons at the end of a bare text, and this one does not.
    let text = text.replace("001:db8::]", "\"001:db8::\"]");
    test_cluster::yaml_documents(&text)
        .unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// The YAML files of a folder and the folders in it, in order.
pub(crate) fn yaml_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let entries =
        std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(yaml_files(&path));
        } else if path
            .extension()
            .is_some_and(|extension| extension == "yaml")
        {
            found.push(path);
        }
    }
    found.sort();
    found
}

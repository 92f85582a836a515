//! What several tests use: a model whose tools are this build's program, and small charms.
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use juju_sim::{Model, ModelOptions};

/// Options of a model called `mesh`.
pub(crate) fn options() -> ModelOptions {
    ModelOptions::named("mesh").program(env!("CARGO_BIN_EXE_juju-sim"))
}

pub(crate) fn model() -> Model {
    Model::new(options()).unwrap()
}

/// The charm that asks every hook tool what the recorded charm asked.
pub(crate) fn recorded_charm() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/charm")
}

/// The recorded charm's declarations with a `dispatch` that does nothing.
pub(crate) fn quiet_charm() -> tempfile::TempDir {
    let read = |name| {
        fs::read_to_string(
            Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("tests/charm")
                .join(name),
        )
        .unwrap()
    };
    let files = [
        ("config.yaml", read("config.yaml")),
        ("actions.yaml", read("actions.yaml")),
    ];
    let files = files.each_ref().map(|(name, text)| (*name, text.as_str()));
    charm(&read("metadata.yaml"), &files, "exit 0")
}

/// A charm folder whose `dispatch` is the given shell script.
pub(crate) fn charm(metadata: &str, files: &[(&str, &str)], script: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("metadata.yaml", metadata);
    for (name, text) in files {
        write(name, text);
    }
    write("dispatch", &format!("#!/bin/sh\n{script}\n"));
    let dispatch = folder.path().join("dispatch");
    fs::set_permissions(dispatch, fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

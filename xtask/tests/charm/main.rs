//! The charm file that `cargo xtask pack` makes.
#![allow(
    clippy::unwrap_used,
    reason = "tests and their helpers fail by panicking"
)]

mod charmcraft;

use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use zip::ZipArchive;

/// The folder of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Packs the charm, with the program that tests use too, so that nothing is built twice.
fn pack(output: &Path) -> PathBuf {
    let answer = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(["pack", "--profile=dev", "--output"])
        .arg(output)
        .output()
        .unwrap();
    assert!(answer.status.success(), "{answer:?}");
    let path = String::from_utf8(answer.stdout).unwrap();
    PathBuf::from(path.trim())
}

fn open(charm: &Path) -> ZipArchive<fs::File> {
    ZipArchive::new(fs::File::open(charm).unwrap()).unwrap()
}

fn content(charm: &Path, name: &str) -> Vec<u8> {
    let mut content = Vec::new();
    let mut archive = open(charm);
    let mut file = archive.by_name(name).unwrap();
    file.read_to_end(&mut content).unwrap();
    content
}

#[test]
fn the_charm_has_what_juju_reads_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let charm = pack(folder.path());
    let archive = open(&charm);
    let mut names: Vec<_> = archive.file_names().map(|name| name.unwrap()).collect();
    names.sort();
    assert_eq!(
        names,
        [
            "LICENSE",
            "README.md",
            "actions.yaml",
            "config.yaml",
            "dispatch",
            "icon.svg",
            "manifest.yaml",
            "metadata.yaml"
        ]
    );
    for name in ["LICENSE", "metadata.yaml", "config.yaml", "actions.yaml"] {
        let source = root().join(name);
        assert_eq!(content(&charm, name), fs::read(source).unwrap(), "{name}");
    }
    let manifest: Value = serde_yaml::from_slice(&content(&charm, "manifest.yaml")).unwrap();
    assert_eq!(manifest["bases"][0]["name"], "ubuntu");
    assert_eq!(manifest["bases"][0]["channel"], "24.04");
}

#[test]
fn dispatch_is_the_program_and_can_be_run() {
    let folder = tempfile::tempdir().unwrap();
    let charm = pack(folder.path());
    let mut archive = open(&charm);
    let mode = archive.by_name("dispatch").unwrap().unix_mode().unwrap();
    assert_eq!(mode & 0o777, 0o755);
    let program = folder.path().join("istio-pilot");
    fs::write(&program, content(&charm, "dispatch")).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let output = Command::new(&program).arg("--version").output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn packing_twice_gives_equal_files() {
    let folders = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let [one, two] = folders
        .each_ref()
        .map(|folder| fs::read(pack(folder.path())).unwrap());
    assert!(one == two);
}

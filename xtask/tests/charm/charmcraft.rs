//! What charmcraft 4.5.0 says about the charm. `cargo xtask test` installs it and runs these.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

/// The charmcraft that `cargo xtask test` installed and names in this variable.
fn charmcraft() -> PathBuf {
    PathBuf::from(std::env::var_os("CHARMCRAFT").unwrap())
}

#[test]
#[ignore = "needs charmcraft"]
fn charmcraft_accepts_the_project() {
    // Its own model of a project, which also reads metadata.yaml, config.yaml and actions.yaml.
    let script = "import json, pathlib
from charmcraft.models.project import CharmcraftProject
project = CharmcraftProject.from_yaml_file(pathlib.Path('charmcraft.yaml'))
print(json.dumps(project.marshal(), default=str))";
    let output = Command::new(charmcraft().with_file_name("python"))
        .args(["-c", script])
        .current_dir(crate::root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let project: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(project["name"], "istio-pilot");
    let option = &project["config"]["options"]["tls-secret-id"];
    assert_eq!(option["type"], "secret");
    assert!(project["actions"]["reconcile"].is_object(), "{project}");
}

#[test]
#[ignore = "needs charmcraft"]
fn charmcraft_finds_nothing_wrong_with_the_charm() {
    let folder = tempfile::tempdir().unwrap();
    let charm = crate::pack(folder.path());
    let output = Command::new(charmcraft())
        .args(["analyse", "--format=json"])
        .arg(&charm)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let results: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let checked: Vec<&str> = results
        .iter()
        .filter(|result| result["result"] == "ok")
        .filter_map(|result| result["name"].as_str())
        .collect();
    for name in [
        "metadata",
        "juju-actions",
        "juju-config",
        "naming-conventions",
    ] {
        assert!(checked.contains(&name), "{name} is not ok: {results:#?}");
    }
    for result in &results {
        let verdict = result["result"].as_str().unwrap();
        assert!(
            !["error", "fatal", "warning"].contains(&verdict),
            "{result:#}"
        );
    }
}

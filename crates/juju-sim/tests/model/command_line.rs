//! The command line: a model that is kept in a folder between calls.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::common::{charm, quiet_charm};

fn command(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_juju-sim"));
    command.arg("--model-dir").arg(directory).args(arguments);
    command
}

fn run(directory: &Path, arguments: &[&str]) -> Output {
    command(directory, arguments).output().unwrap()
}

#[track_caller]
fn succeeds(directory: &Path, arguments: &[&str]) -> String {
    let output = run(directory, arguments);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{arguments:?}: {stderr}");
    String::from_utf8(output.stdout).unwrap()
}

#[track_caller]
fn fails(directory: &Path, arguments: &[&str], code: i32) -> String {
    let output = run(directory, arguments);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_model_lives_in_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("model");
    let charm = charm(
        "name: app",
        &[
            (
                "config.yaml",
                "options: {mode: {type: string, default: '', description: A mode.}}",
            ),
            ("actions.yaml", "echo: {params: {text: {type: string}}}"),
        ],
        r#"
        case $JUJU_DISPATCH_PATH in
        actions/echo) action-set text="$(action-get text)" ;;
        *) [ "$(config-get mode)" != fail ] || exit 1
           state-set n=$(( $(state-get n) + 1 ))
           status-set active "after $(state-get n) hooks" ;;
        esac"#,
    );
    let charm = charm.path().to_str().unwrap();
    assert!(fails(&model, &["status"], 1).contains("add-model"));
    succeeds(&model, &["add-model", "mesh"]);
    assert!(fails(&model, &["add-model", "mesh"], 1).contains("already"));
    assert!(succeeds(&model, &["status"]).contains("Model \"admin/mesh\" is empty."));
    succeeds(&model, &["deploy", charm, "web", "--config", "mode=fine"]);
    assert_eq!(succeeds(&model, &["config", "web", "mode"]), "fine\n");
    succeeds(&model, &["config", "web", "mode=other"]);
    let status = succeeds(&model, &["status"]);
    assert!(
        status.contains("web/0*  active    idle   10.244.0.3         after 5 hooks"),
        "{status}"
    );
    assert!(succeeds(&model, &["config", "web"]).contains("source: user"));
    let echo = succeeds(&model, &["run", "web/0", "echo", "text=hello"]);
    assert!(
        echo.contains("task 1 on unit-web-0") && echo.ends_with("text: hello\n"),
        "{echo}"
    );

    assert!(fails(&model, &["config", "web", "mode=fail"], 1).contains("web/0 is in error"));
    assert!(succeeds(&model, &["status"]).contains("hook failed: \"config-changed\""));
    succeeds(&model, &["config", "web", "--reset", "mode"]);
    succeeds(&model, &["resolved", "web/0"]);
    assert!(succeeds(&model, &["debug-log", "-n", "1"]).contains("exit status 1"));
    succeeds(&model, &["remove-application", "web"]);
    assert!(succeeds(&model, &["status"]).contains("is empty"));
}

#[test]
fn refusals_are_one_line_and_wrong_usage_is_64() {
    let folder = tempfile::tempdir().unwrap();
    let charm = quiet_charm();
    succeeds(folder.path(), &["add-model", "mesh"]);
    succeeds(folder.path(), &["deploy", charm.path().to_str().unwrap()]);
    for (arguments, line) in [
        (
            &["config", "rec", "nosuch=1"][..],
            "ERROR unknown option \"nosuch\"\n",
        ),
        (
            &["deploy", "/nothing"],
            "ERROR cannot read charm /nothing: No such file or directory (os error 2)\n",
        ),
        (
            &["resolved", "rec/0"],
            "ERROR unit \"rec/0\" is not in an error state\n",
        ),
    ] {
        assert_eq!(fails(folder.path(), arguments, 1), line);
    }
    assert!(fails(folder.path(), &["trust", "rec"], 1).contains("--scope=cluster"));
    let newer = folder.path().join("newer");
    let wrong = ["add-model", "mesh", "--juju-version", "newest"];
    assert!(fails(&newer, &wrong, 1).contains("\"newest\" is not a version of Juju"));
    succeeds(&newer, &["add-model", "mesh", "--juju-version", "3.6.14"]);
    assert!(succeeds(&newer, &["status"]).contains("3.6.14"));
    fails(folder.path(), &["no-such-command"], 64);
    fails(folder.path(), &["deploy"], 64);
    assert!(succeeds(folder.path(), &["--help"]).contains("Examples:"));
}

#[test]
fn a_hook_ends_with_the_process_that_runs_it_and_runs_again() {
    let folder = tempfile::tempdir().unwrap();
    let charm = charm(
        "name: app",
        &[],
        r#"
        [ "$JUJU_HOOK_NAME" = update-status ] || exit 0
        if [ -e ../pid ]; then status-set active again; exit 0; fi
        echo $$ >../pid
        status-set maintenance waiting
        exec sleep 600"#,
    );
    succeeds(folder.path(), &["add-model", "mesh"]);
    succeeds(folder.path(), &["deploy", charm.path().to_str().unwrap()]);
    let mut child = command(folder.path(), &["update-status"])
        .stderr(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    // A second process may read the model while the hook runs.
    while !succeeds(folder.path(), &["status"]).contains("executing") {
        std::thread::yield_now();
    }
    while !succeeds(folder.path(), &["status"]).contains("(update-status) waiting") {
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let pid = std::fs::read_to_string(folder.path().join("agents/unit-app-0/pid")).unwrap();
    let command_line = format!("/proc/{}/cmdline", pid.trim());
    // The kernel ends the hook; its parent, init, takes a moment to reap it.
    while std::fs::read_to_string(&command_line).is_ok_and(|text| !text.is_empty()) {
        std::thread::yield_now();
    }
    succeeds(folder.path(), &["scale-application", "app", "1"]);
    assert!(
        succeeds(folder.path(), &["status"]).contains("active    idle   10.244.0.3         again")
    );
}

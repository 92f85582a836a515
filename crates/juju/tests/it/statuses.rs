use juju::{Status, WriteOutcome};

use crate::fake_tools::FakeTools;

fn active(message: &str) -> Status {
    Status::Active(message.to_owned())
}

fn unit_shows(message: &str) -> FakeTools {
    let shown = format!(r#"{{"message":"{message}","status":"active","status-data":{{}}}}"#);
    FakeTools::new().prints("status-get --include-data --format=json", &shown)
}

#[test]
fn a_status_that_juju_shows_already_is_not_set() {
    let juju = unit_shows("CNI off").install();
    assert_eq!(
        juju.tools.set_unit_status(&active("CNI off")).unwrap(),
        WriteOutcome::Unchanged
    );
    assert_eq!(
        juju.tools.set_unit_status(&active("CNI off")).unwrap(),
        WriteOutcome::Unchanged
    );
    assert_eq!(juju.commands(), ["status-get --include-data --format=json"]);
}

#[test]
fn another_word_or_message_is_set_and_remembered() {
    let juju = unit_shows("CNI off")
        .prints("status-set active -- -dash 1/3", "")
        .prints("status-set blocked -- -dash 1/3", "")
        .install();
    assert_eq!(
        juju.tools.set_unit_status(&active("-dash\n 1/3")).unwrap(),
        WriteOutcome::Written
    );
    assert_eq!(
        juju.tools.set_unit_status(&active("-dash 1/3")).unwrap(),
        WriteOutcome::Unchanged
    );
    let blocked = Status::Blocked("-dash 1/3".to_owned());
    assert_eq!(
        juju.tools.set_unit_status(&blocked).unwrap(),
        WriteOutcome::Written
    );
    assert_eq!(juju.tools.unit_status().unwrap().status, "blocked");
    let expected = [
        "status-get --include-data --format=json",
        "status-set active -- -dash 1/3",
        "status-set blocked -- -dash 1/3",
    ];
    assert_eq!(juju.commands(), expected);
}

#[test]
fn a_status_that_could_not_be_set_is_tried_again() {
    let juju = unit_shows("")
        .fails("status-set active -- x", 1, "ERROR connection is shut down")
        .install();
    assert!(juju.tools.set_unit_status(&active("x")).is_err());
    let error = juju.tools.set_unit_status(&active("x")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "hook tool `status-set active -- x` failed with exit code 1: connection is shut down"
    );
    assert_eq!(juju.commands().len(), 3);
}

#[test]
fn the_leader_sets_the_application_status() {
    let shown = r#"{"application-status":{"message":"old","status":"active","status-data":{},"units":{"rec/0":{"message":"","status":"maintenance","status-data":{}}}}}"#;
    let juju = FakeTools::new()
        .prints("is-leader --format=json", "true")
        .prints(
            "status-get --include-data --format=json --application",
            shown,
        )
        .prints("status-set --application=true active -- new", "")
        .install();
    let set = |message| juju.tools.set_application_status(&active(message)).unwrap();
    assert_eq!(set("old"), WriteOutcome::Unchanged);
    assert_eq!(set("new"), WriteOutcome::Written);
    assert_eq!(set("new"), WriteOutcome::Unchanged);
    assert_eq!(juju.commands().len(), 3);
}

#[test]
fn another_unit_does_not_set_the_application_status() {
    let juju = FakeTools::new()
        .prints("is-leader --format=json", "false")
        .install();
    assert_eq!(
        juju.tools.set_application_status(&active("")).unwrap(),
        WriteOutcome::NotLeader
    );
    assert_eq!(juju.commands(), ["is-leader --format=json"]);
}

#[test]
fn leadership_that_was_lost_meanwhile_is_no_failure() {
    let get = "status-get --include-data --format=json --application";
    let refusal = "ERROR finding application status: this unit is not the leader";
    let juju = FakeTools::new()
        .prints("is-leader --format=json", "true")
        .fails(get, 1, refusal)
        .install();
    assert_eq!(
        juju.tools.set_application_status(&active("")).unwrap(),
        WriteOutcome::NotLeader
    );
    let juju = FakeTools::new()
        .prints("is-leader --format=json", "true")
        .prints(get, r#"{"application-status":{"status":"unknown"}}"#)
        .fails(
            "status-set --application=true active -- ",
            1,
            "ERROR this unit is not the leader",
        )
        .install();
    assert_eq!(
        juju.tools.set_application_status(&active("")).unwrap(),
        WriteOutcome::NotLeader
    );
}

#[test]
fn the_application_version_is_set_once_per_value() {
    let juju = FakeTools::new()
        .prints("application-version-set -- 1.31.1", "")
        .prints("application-version-set -- 1.31.2", "")
        .install();
    let set = |version| juju.tools.set_application_version(version).unwrap();
    assert_eq!(set("1.31.1"), WriteOutcome::Written);
    assert_eq!(set("1.31.1"), WriteOutcome::Unchanged);
    assert_eq!(set("1.31.2"), WriteOutcome::Written);
    assert_eq!(juju.commands().len(), 2);
}

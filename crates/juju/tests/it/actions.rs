use juju::action::ActionResults;
use serde::Deserialize;

use crate::fake_tools::FakeTools;

#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Parameters {
    dry_run: bool,
    max: Option<u32>,
    namespace: Option<String>,
}

#[test]
fn parameters_are_of_the_charms_own_type() {
    let juju = FakeTools::new()
        .prints("action-get --format=json", r#"{"dry-run":true,"max":5}"#)
        .install();
    let expected = Parameters {
        dry_run: true,
        max: Some(5),
        namespace: None,
    };
    assert_eq!(
        juju.tools.action_parameters::<Parameters>().unwrap(),
        expected
    );
    let juju = FakeTools::new()
        .prints("action-get --format=json", "null")
        .install();
    let error = juju.tools.action_parameters::<Parameters>().unwrap_err();
    assert!(error.to_string().contains("action-get"), "{error}");
}

#[test]
fn outside_of_an_action_there_are_no_parameters() {
    let juju = FakeTools::new()
        .fails("action-get --format=json", 1, "ERROR not running an action")
        .install();
    assert!(
        juju.tools
            .action_parameters::<Parameters>()
            .unwrap_err()
            .is_not_an_action()
    );
}

#[test]
fn results_progress_and_failure_are_reported() {
    let juju = FakeTools::new()
        .prints("action-set a.b=c result-x=multi\nline", "")
        .prints("action-log -- -1 of 3", "")
        .prints("action-fail -- because", "")
        .install();
    let mut results = ActionResults::new();
    results.insert("result-x", "multi\nline").unwrap();
    results.insert("a.b", "c").unwrap();
    juju.tools.set_action_results(&results).unwrap();
    juju.tools
        .set_action_results(&ActionResults::new())
        .unwrap();
    juju.tools.log_action_progress("-1 of 3").unwrap();
    juju.tools.fail_action("because").unwrap();
    assert_eq!(juju.commands().len(), 3);
}

#[test]
fn many_long_results_are_reported_in_batches() {
    let juju = FakeTools::new().prints("action-set *", "").install();
    let mut results = ActionResults::new();
    for number in 0..20 {
        results
            .insert(&format!("result-{number}"), "x".repeat(131_000))
            .unwrap();
    }
    juju.tools.set_action_results(&results).unwrap();
    let commands = juju.commands();
    assert_eq!(commands.len(), 3);
    let reported: usize = commands
        .iter()
        .map(|command| command.matches("result-").count())
        .sum();
    assert_eq!(reported, 20);
}

use juju::log::{Level, juju_log_layer};
use juju::{HookTools, Status};
use tracing_subscriber::layer::SubscriberExt;

use crate::fake_tools::FakeTools;

fn with_layer(tools: &HookTools, work: impl FnOnce()) {
    let (layer, guard) = juju_log_layer(tools);
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), work);
    drop(guard);
}

#[test]
fn lines_of_one_level_share_a_call() {
    let juju = FakeTools::new().prints("juju-log *", "").install();
    with_layer(&juju.tools, || {
        tracing::debug!("one");
        tracing::debug!(count = 2, name = "x", "-two");
        let span = tracing::info_span!("reconcile", attempt = 1, found = tracing::field::Empty);
        span.record("found", 3);
        span.in_scope(|| tracing::info!("three"));
        tracing::trace!("four");
        tracing::warn!("five");
    });
    let expected = [
        "juju-log --log-level DEBUG -- one\n-two count=2 name=\"x\"",
        "juju-log --log-level INFO -- reconcile{attempt=1 found=3}: three",
        "juju-log --log-level TRACE -- four",
        "juju-log --log-level WARNING -- five",
    ];
    assert_eq!(juju.commands(), expected);
    assert_eq!(juju.tools.process_count(), 4);
}

#[test]
fn the_log_is_written_before_a_status() {
    let shown = r#"{"message":"","status":"active","status-data":{}}"#;
    let juju = FakeTools::new()
        .prints("juju-log *", "")
        .prints("status-get --include-data --format=json", shown)
        .prints("status-set *", "")
        .install();
    with_layer(&juju.tools, || {
        tracing::info!("why");
        let _ = juju
            .tools
            .set_unit_status(&Status::Waiting("for that".to_owned()))
            .unwrap();
        tracing::info!("after");
    });
    let expected = [
        "status-get --include-data --format=json",
        "juju-log --log-level INFO -- why",
        "status-set waiting -- for that",
        "juju-log --log-level INFO -- after",
    ];
    assert_eq!(juju.commands(), expected);
}

#[test]
fn an_error_is_written_at_once() {
    let juju = FakeTools::new().prints("juju-log *", "").install();
    juju.tools.log(Level::Info, "before");
    assert_eq!(juju.commands().len(), 0);
    juju.tools.log(Level::Error, "broken");
    let expected = [
        "juju-log --log-level INFO -- before",
        "juju-log --log-level ERROR -- broken",
    ];
    assert_eq!(juju.commands(), expected);
}

#[test]
fn a_line_longer_than_an_argument_is_split() {
    let juju = FakeTools::new().prints("juju-log *", "").install();
    let line = "é".repeat(100_000);
    juju.tools.log(Level::Info, &line);
    juju.tools.flush_log();
    let prefix = "juju-log --log-level INFO -- ";
    let commands = juju.commands();
    let parts: Vec<&str> = commands
        .iter()
        .map(|call| call.strip_prefix(prefix).unwrap())
        .collect();
    assert_eq!(parts.len(), 2);
    assert_eq!(parts.concat(), line);
}

#[test]
fn without_juju_log_nothing_fails() {
    let juju = FakeTools::new()
        .prints("is-leader --format=json", "true")
        .install();
    juju.tools
        .log(Level::Error, "this line belongs on standard error");
    assert_eq!(juju.tools.process_count(), 0);
}

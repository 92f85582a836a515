//! Hook tools that fail because a test wants them to.

use std::num::NonZeroU8;

use crate::common::{charm, model, options};
use juju_sim::{Deployment, Error, Model, Progress, Reaction, ToolFailure};

const METADATA: &str = "{name: app, peers: {peers: {interface: app_peers}}}";

/// Writes three keys into its own databag whenever `update-status` runs, and prints the exit code
/// of each write. Its hook fails with the code of the second.
const WRITES: &str = r#"
    [ "$JUJU_HOOK_NAME" = update-status ] || exit 0
    relation-set -r peers:0 a=1; echo $?
    relation-set -r peers:0 b=2; second=$?; echo $second
    echo "c: '3'" | relation-set -r peers:0 --file -; echo $?
    exit $second"#;

fn deployed() -> (Model, tempfile::TempDir) {
    let charm = charm(METADATA, &[], WRITES);
    let mut model = Model::new(options().hook_retries(0)).unwrap();
    model.deploy(Deployment::of(charm.path())).unwrap();
    model.settle().unwrap();
    (model, charm)
}

/// What `update-status` prints now: the exit codes of the three writes.
fn codes(model: &mut Model) -> String {
    model.update_status();
    model.settle().unwrap();
    let dispatch = model.dispatches().last().unwrap();
    assert_eq!(dispatch.hook, "update-status");
    dispatch.stdout.lines().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_tool_that_fails_does_nothing_and_says_why() {
    let (mut model, _charm) = deployed();
    let failure = ToolFailure::new("permission denied").exit_code(NonZeroU8::new(7).unwrap());
    model.fail_tool("relation-set", failure).unwrap();
    assert_eq!(codes(&mut model), "7 0 0");
    let dispatch = model.dispatches().last().unwrap();
    assert_eq!(dispatch.stderr, "ERROR permission denied\n");
    let calls: Vec<_> = dispatch.calls_of("relation-set").collect();
    assert_eq!(calls.len(), 3);
    assert_eq!(calls[0].argv, ["relation-set", "-r", "peers:0", "a=1"]);
    assert_eq!(
        (calls[0].exit_code, calls[0].stderr.as_str()),
        (7, "ERROR permission denied\n")
    );
    let bag = model.databag(0, "app/0");
    assert!(!bag.contains_key("a"), "{bag:?}");
    assert_eq!((bag["b"].as_str(), bag["c"].as_str()), ("2", "3"));
    // That was the one call; the next hook writes everything.
    assert_eq!(codes(&mut model), "0 0 0");
    assert_eq!(model.databag(0, "app/0")["a"], "1");
}

#[test]
fn a_hook_whose_tool_fails_may_fail_too() {
    let (mut model, _charm) = deployed();
    model
        .fail_tool("relation-set", ToolFailure::new("no").after(1))
        .unwrap();
    model.update_status();
    assert_eq!(model.settle().unwrap().in_error, ["app/0"]);
    // The first write succeeded, and is dropped with its hook.
    assert_eq!(model.dispatches().last().unwrap().stdout, "0\n1\n0\n");
    assert!(!model.databag(0, "app/0").contains_key("a"));
    model.resolved("app/0", true).unwrap();
    assert!(model.settle().unwrap().in_error.is_empty());
    assert_eq!(model.databag(0, "app/0")["b"], "2");
}

#[test]
fn calls_count_across_hooks() {
    let (mut model, _charm) = deployed();
    model
        .fail_tool("relation-set", ToolFailure::new("no").after(2).times(2))
        .unwrap();
    assert_eq!(codes(&mut model), "0 0 1");
    assert_eq!(codes(&mut model), "1 0 0");
    assert_eq!(codes(&mut model), "0 0 0");
}

#[test]
fn a_tool_fails_until_it_is_restored() {
    let (mut model, _charm) = deployed();
    model
        .fail_tool("relation-set", ToolFailure::new("no").after(2).always())
        .unwrap();
    assert_eq!(codes(&mut model), "0 0 1");
    model
        .fail_tool("relation-set", ToolFailure::new("no").always())
        .unwrap();
    model.update_status();
    assert_eq!(model.settle().unwrap().in_error, ["app/0"]);
    model.restore_tool("relation-set");
    model.resolved("app/0", true).unwrap();
    assert!(model.settle().unwrap().in_error.is_empty());
    assert_eq!(model.dispatches().last().unwrap().stdout, "0\n0\n0\n");
}

#[test]
fn an_observer_sees_the_call_that_fails() {
    let (mut model, _charm) = deployed();
    let (sender, seen) = std::sync::mpsc::channel();
    model.observe(move |progress| {
        if let Progress::Tool { argv, .. } = progress {
            sender.send(argv.last().cloned().unwrap()).unwrap();
        }
        Reaction::Continue
    });
    model
        .fail_tool("relation-set", ToolFailure::new("no"))
        .unwrap();
    assert_eq!(codes(&mut model), "1 0 0");
    assert_eq!(seen.try_iter().collect::<Vec<_>>(), ["a=1", "b=2", "-"]);
}

#[test]
fn a_tool_that_hooks_do_not_have_cannot_fail() {
    let refused = model().fail_tool("relation-sett", ToolFailure::new("no"));
    assert!(
        matches!(&refused, Err(Error::Refused(text)) if text.contains("relation-sett")),
        "{refused:?}"
    );
}

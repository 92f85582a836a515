//! What Juju refuses, in its words, before any hook runs.

use serde_json::json;

use crate::common::{charm, model, quiet_charm};
use juju_sim::{Deployment, Error, Model};

fn deployed() -> Model {
    let mut model = model();
    model.deploy(Deployment::of(quiet_charm().path())).unwrap();
    model.settle().unwrap();
    model
}

/// The operation is refused with this text, and no hook is due because of it.
#[track_caller]
fn refused<T>(
    model: &mut Model,
    operation: impl FnOnce(&mut Model) -> Result<T, Error>,
    text: &str,
) {
    match operation(model) {
        Err(Error::Refused(refusal)) => assert_eq!(refusal, text),
        other => panic!("not refused: {:?}", other.err()),
    }
    assert_eq!(model.settle().unwrap().hooks, 0);
}

#[test]
fn configuration() {
    let quiet = quiet_charm();
    let mut model = deployed();
    for (key, value, text) in [
        ("nosuch", "x", "unknown option \"nosuch\""),
        (
            "count",
            "many",
            "option \"count\" expected int, got \"many\"",
        ),
        (
            "flag",
            "maybe",
            "option \"flag\" expected boolean, got \"maybe\"",
        ),
        (
            "tls-secret-id",
            "abc",
            "option \"tls-secret-id\" expected secret, got \"abc\"",
        ),
    ] {
        // A good value next to the bad one is not accepted either.
        let values = [("cni-bin-dir", "/opt/cni/bin"), (key, value)];
        refused(&mut model, |model| model.set_config("rec", &values), text);
    }
    refused(
        &mut model,
        |m| m.reset_config("rec", &["nosuch"]),
        "unknown option \"nosuch\"",
    );
    refused(
        &mut model,
        |m| m.set_config("nope", &[]),
        "application \"nope\" not found",
    );
    assert_eq!(model.config("rec").unwrap()["cni-bin-dir"], Some(json!("")));
    let again = Deployment::of(quiet.path())
        .named("two")
        .config("count", "x");
    refused(
        &mut model,
        |m| m.deploy(again),
        "option \"count\" expected int, got \"x\"",
    );
    let taken = Deployment::of(quiet.path());
    refused(
        &mut model,
        |m| m.deploy(taken),
        "application \"rec\" already exists",
    );
    let bad = Deployment::of(quiet.path()).named("Rec");
    refused(
        &mut model,
        |m| m.deploy(bad),
        "invalid application name \"Rec\"",
    );
}

#[test]
fn configuration_that_changes_nothing_runs_no_hook() {
    let mut model = deployed();
    model
        .set_config("rec", &[("count", "3"), ("cni-bin-dir", "")])
        .unwrap();
    model.set_trust("rec", false).unwrap();
    assert_eq!(model.settle().unwrap().hooks, 0);
}

#[test]
fn actions() {
    let mut model = deployed();
    for (unit, action, parameters, text) in [
        (
            "rec/0",
            "nosuch",
            json!({}),
            "action \"nosuch\" not defined on unit \"rec/0\"",
        ),
        ("rec/7", "show", json!({}), "unit \"rec/7\" not found"),
        (
            "rec/0",
            "show",
            json!({"maximum": 1}),
            "validation failed: (root) : additional property \"maximum\" is not allowed, given \
             {\"maximum\":1}",
        ),
        (
            "rec/0",
            "show",
            json!({"max": "many"}),
            "validation failed: (root).max : must be of type integer, given \"many\"",
        ),
    ] {
        let parameters = parameters.as_object().unwrap();
        refused(
            &mut model,
            |model| model.run_action(unit, action, parameters),
            text,
        );
    }
}

#[test]
fn relations() {
    let quiet = quiet_charm();
    let mut model = deployed();
    model
        .deploy(Deployment::of(quiet.path()).named("other"))
        .unwrap();
    model
        .add_remote_application("tls", "certificates", "tls-certificates", 1)
        .unwrap();
    model
        .add_remote_application("tls-two", "certificates", "tls-certificates", 1)
        .unwrap();
    model
        .add_remote_application("stranger", "db", "postgresql", 1)
        .unwrap();
    model.integrate("rec:certificates", "tls").unwrap();
    model
        .integrate("rec:ingress", "other:want-ingress")
        .unwrap();
    model.settle().unwrap();
    for (first, second, text) in [
        (
            "rec:nosuch",
            "other",
            "application \"rec\" has no \"nosuch\" relation",
        ),
        ("rec:ingress", "other:certificates", "no relations found"),
        ("rec:peers", "other:peers", "no relations found"),
        ("rec", "stranger", "no relations found"),
        (
            "rec",
            "other",
            "ambiguous relation: \"rec other\" could refer to \"rec:ingress other:want-ingress\"; \
             \"rec:want-ingress other:ingress\"",
        ),
        (
            "rec:ingress",
            "other:want-ingress",
            "cannot add relation \"rec:ingress other:want-ingress\": relation rec:ingress \
             other:want-ingress already exists",
        ),
        (
            "rec",
            "tls-two",
            "cannot add relation \"rec:certificates tls-two:certificates\": establishing a new \
             relation for rec:certificates would exceed its maximum relation limit of 1",
        ),
    ] {
        refused(&mut model, |model| model.integrate(first, second), text);
    }
    let text = "relation \"rec stranger\" not found";
    refused(
        &mut model,
        |model| model.remove_relation("rec", "stranger"),
        text,
    );
}

#[test]
fn refreshing_to_what_does_not_fit() {
    let mut model = deployed();
    model
        .add_remote_application("tls", "certificates", "tls-certificates", 1)
        .unwrap();
    model.integrate("rec", "tls").unwrap();
    model.settle().unwrap();
    let other = charm("name: other", &[], "exit 0");
    let text = "cannot refresh application \"rec\": charm \"other\" is not \"rec\"";
    refused(&mut model, |model| model.refresh("rec", other.path()), text);
    let poorer = charm(
        "{name: rec, peers: {peers: {interface: rec_peers}}}",
        &[],
        "exit 0",
    );
    let text = "cannot upgrade application \"rec\" to charm \"rec\": would break relation \
                \"rec:certificates tls:certificates\"";
    refused(
        &mut model,
        |model| model.refresh("rec", poorer.path()),
        text,
    );
}

#[test]
fn what_is_no_charm() {
    let empty = tempfile::tempdir().unwrap();
    let no_zip = empty.path().join("file.charm");
    std::fs::write(&no_zip, "not a zip").unwrap();
    let needs_more = charm("{name: app, assumes: [juju >= 9.0]}", &[], "exit 0");
    for path in [
        empty.path(),
        &no_zip,
        needs_more.path(),
        &empty.path().join("nothing"),
    ] {
        let error = model().deploy(Deployment::of(path)).unwrap_err();
        assert!(matches!(error, Error::Charm { .. }), "{error}");
    }
}

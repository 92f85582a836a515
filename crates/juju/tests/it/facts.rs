use juju::WriteOutcome;
use juju::names::Endpoint;
use juju::port::Port;
use juju::state::State;

use crate::fake_tools::FakeTools;

#[test]
fn configuration_and_leadership_are_read_once() {
    let juju = FakeTools::new()
        .prints(
            "config-get --format=json",
            r#"{"cni-bin-dir":"","count":3,"flag":false}"#,
        )
        .prints("is-leader --format=json", "true")
        .install();
    for _ in 0..3 {
        assert_eq!(juju.tools.config().unwrap().integer("count"), Some(3));
        assert!(juju.tools.clone().is_leader().unwrap());
    }
    assert_eq!(
        juju.commands(),
        ["config-get --format=json", "is-leader --format=json"]
    );
    assert!(juju.tools.is_leader_now().unwrap());
    assert_eq!(juju.commands().len(), 3);
}

#[test]
fn a_charm_without_options_has_an_empty_configuration() {
    let juju = FakeTools::new()
        .prints("config-get --format=json", "null")
        .install();
    assert!(juju.tools.config().unwrap().values().is_empty());
}

#[test]
fn goal_state_is_asked_anew() {
    let juju = FakeTools::new()
        .prints(
            "goal-state --format=json",
            r#"{"units":{"rec/0":{"status":"dying","since":"2026-11-23 17:17:49Z"}},"relations":{}}"#,
        )
        .install();
    let unit = "rec/0".parse().unwrap();
    assert!(
        juju.tools
            .goal_state()
            .unwrap()
            .is_application_going_away(&unit)
    );
    assert_eq!(juju.tools.goal_state().unwrap().planned_units(), 0);
    assert_eq!(juju.commands().len(), 2);
}

#[test]
fn an_unknown_binding_has_no_network() {
    let juju = FakeTools::new()
        .prints(
            "network-get --format=json ingress",
            r#"{"ingress-addresses":["10.152.222.194"]}"#,
        )
        .fails(
            "network-get --format=json nosuch",
            1,
            "ERROR no network config found for binding \"nosuch\"",
        )
        .install();
    let network = juju
        .tools
        .network(&Endpoint::from_static("ingress"))
        .unwrap()
        .unwrap();
    assert_eq!(network.ingress_addresses, ["10.152.222.194"]);
    assert_eq!(
        juju.tools
            .network(&Endpoint::from_static("nosuch"))
            .unwrap(),
        None
    );
}

#[test]
fn ports_are_opened_closed_and_listed() {
    let juju = FakeTools::new()
        .prints(
            "opened-ports --format=json",
            r#"["80/tcp","from the future"]"#,
        )
        .prints("open-port 15021/tcp", "")
        .prints("close-port 80/tcp", "")
        .install();
    assert_eq!(juju.tools.opened_ports().unwrap(), [Port::Tcp(80)]);
    juju.tools.open_port(Port::Tcp(15021)).unwrap();
    juju.tools.close_port(Port::Tcp(80)).unwrap();
}

#[test]
fn a_resource_that_is_not_there_is_none() {
    let juju = FakeTools::new()
        .runs("resource-get image", "printf /var/lib/image; exit 0")
        .fails(
            "resource-get x",
            1,
            "ERROR could not download resource: HTTP request failed: Get https://10.152.15.227:17070/\
             model/499560ed/units/unit-rec-0/resources/x: getting UUID of resource x: resource not found",
        )
        .install();
    let path = juju.tools.resource("image").unwrap().unwrap();
    assert_eq!(path.to_str(), Some("/var/lib/image"));
    assert_eq!(juju.tools.resource("x").unwrap(), None);
}

#[test]
fn state_is_read_once_and_only_changes_are_written() {
    let juju = FakeTools::new()
        .prints("state-get --format=json", r#"{"a":"b"}"#)
        .prints("state-set --file -", "")
        .prints("state-delete -- a", "")
        .install();
    let state = |pairs: &[(&str, &str)]| -> State {
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    };
    assert_eq!(
        juju.tools.set_state(&state(&[("a", "b")])).unwrap(),
        WriteOutcome::Unchanged
    );
    let both = state(&[("a", "b"), ("c", "d")]);
    assert_eq!(juju.tools.set_state(&both).unwrap(), WriteOutcome::Written);
    assert_eq!(juju.tools.state().unwrap(), both);
    assert_eq!(juju.tools.delete_state("a").unwrap(), WriteOutcome::Written);
    assert_eq!(
        juju.tools.delete_state("a").unwrap(),
        WriteOutcome::Unchanged
    );
    assert_eq!(juju.tools.state().unwrap(), state(&[("c", "d")]));
    let calls = juju.calls();
    let commands: Vec<_> = calls.iter().map(|call| call.command.as_str()).collect();
    assert_eq!(
        commands,
        [
            "state-get --format=json",
            "state-set --file -",
            "state-delete -- a"
        ]
    );
    assert_eq!(calls[1].input, "{\"c\": \"d\"}\n");
}

#[test]
fn state_that_juju_would_refuse_is_refused_before() {
    let juju = FakeTools::new()
        .prints("state-get --format=json", "null")
        .install();
    let long_key = State::from([("k".repeat(257), String::new())]);
    let long_value = State::from([("k".to_owned(), "v".repeat(65_537))]);
    for state in [
        long_key,
        long_value,
        State::from([(String::new(), String::new())]),
    ] {
        let error = juju.tools.set_state(&state).unwrap_err();
        assert!(
            error.to_string().starts_with("state-set cannot take this"),
            "{error}"
        );
    }
    assert_eq!(juju.commands().len(), 0);
    assert!(juju.tools.state().unwrap().is_empty());
}

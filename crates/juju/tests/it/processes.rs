use std::collections::BTreeMap;

use juju::ToolError;

use crate::fake_tools::FakeTools;

#[test]
fn processes_are_counted_by_tool() {
    let juju = FakeTools::new()
        .prints("is-leader --format=json", "true")
        .fails(
            "goal-state --format=json",
            1,
            "ERROR connection is shut down",
        )
        .install();
    assert_eq!(juju.tools.process_count(), 0);
    let _ = juju.tools.is_leader_now().unwrap();
    let _ = juju.tools.clone().is_leader_now().unwrap();
    assert!(juju.tools.goal_state().is_err());
    assert_eq!(juju.tools.process_count(), 3);
    assert_eq!(
        juju.tools.processes(),
        BTreeMap::from([("goal-state", 1), ("is-leader", 2)])
    );
}

#[test]
fn a_tool_that_does_not_exist_is_told_from_one_that_fails() {
    let juju = FakeTools::new()
        .fails("config-get --format=json", 127, "not found")
        .install();
    assert!(juju.tools.has_tool("config-get"));
    assert!(!juju.tools.has_tool("relation-model-get"));
    let error = juju
        .tools
        .relation_model(&"ingress:2".parse().unwrap())
        .unwrap_err();
    assert!(error.is_missing_tool());
    assert_eq!(
        error.to_string(),
        "hook tool relation-model-get is not in the PATH that Juju gave to this hook"
    );
    assert!(!juju.tools.config().unwrap_err().is_missing_tool());
}

#[test]
fn a_tool_sees_only_the_environment_of_the_hook() {
    // Whatever this test process has, such as CARGO, is not passed on.
    let names = "tr '\\0' '\\n' < /proc/$$/environ | cut -d= -f1 | sort | tr '\\n' ' ' >&2; exit 1";
    let juju = FakeTools::new()
        .variable(
            "JUJU_CONTEXT_ID",
            "rec/0-config-changed-f03f9828d50925ad7b6a94b7cc7b1bb1",
        )
        .variable("JUJU_AGENT_SOCKET_ADDRESS", "/agent.socket")
        .variable("JUJU_REMOTE_UNIT", "")
        .variable("LANG", "C.UTF-8")
        .variable("TERM", "tmux-256color")
        .variable("KUBERNETES_PORT", "tcp://10.152.0.1:443")
        .runs("is-leader --format=json", names)
        .install();
    let ToolError::Failed { message, .. } = juju.tools.is_leader().unwrap_err() else {
        panic!()
    };
    assert_eq!(
        message,
        "JUJU_AGENT_SOCKET_ADDRESS JUJU_CHARM_DIR JUJU_CONTEXT_ID JUJU_DISPATCH_PATH \
         JUJU_MODEL_NAME JUJU_MODEL_UUID JUJU_UNIT_NAME LANG PATH"
    );
}

#[test]
fn an_answer_that_is_no_json_names_the_command() {
    let juju = FakeTools::new()
        .prints("is-leader --format=json", "True")
        .install();
    let error = juju.tools.is_leader().unwrap_err();
    assert_eq!(
        error.to_string(),
        "hook tool `is-leader --format=json` gave an answer of an unexpected form"
    );
    assert!(std::error::Error::source(&error).is_some());
}

#[test]
fn a_tool_that_does_not_read_its_input_is_judged_by_its_exit_code() {
    let juju = FakeTools::new()
        .prints("state-get --format=json", "null")
        .runs("state-set --file -", "exit 1")
        .without_reading_input()
        .install();
    let state = (0..20)
        .map(|number| (format!("key-{number}"), "x".repeat(60_000)))
        .collect();
    let error = juju.tools.set_state(&state).unwrap_err();
    assert!(
        matches!(
            error,
            ToolError::Failed {
                exit_code: Some(1),
                ..
            }
        ),
        "{error:?}"
    );
}

#[test]
fn a_tool_that_is_killed_is_a_failure() {
    let juju = FakeTools::new()
        .runs("is-leader --format=json", "kill -9 $$")
        .install();
    let error = juju.tools.is_leader().unwrap_err();
    assert!(error.to_string().contains("failed by a signal"), "{error}");
}

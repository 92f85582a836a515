//! Hooks: their buffering, failures, environment, and what ends them.

use crate::common::{charm, model, options};
use juju_sim::{Deployment, Model, Progress, Reaction};

const PLAIN: &str = "{name: app, peers: {peers: {interface: app_peers}}}";
const CONFIG: (&str, &str) = (
    "config.yaml",
    "options: {mode: {type: string, default: ''}, n: {type: int, default: 1}}",
);

fn deployed(script: &str) -> (Model, tempfile::TempDir) {
    let charm = charm(PLAIN, &[CONFIG], script);
    let mut model = model();
    model.deploy(Deployment::of(charm.path())).unwrap();
    model.settle().unwrap();
    (model, charm)
}

#[test]
fn a_first_start_runs_jujus_hooks() {
    let (model, _charm) = deployed("exit 0");
    assert_eq!(
        model.hooks_of("app/0"),
        [
            "install",
            "peers-relation-created",
            "leader-elected",
            "config-changed",
            "start"
        ]
    );
    // A charm that sets no status is unknown once it has started.
    assert_eq!(
        model.status().unit("app/0").unwrap().workload.status,
        "unknown"
    );
}

#[test]
fn what_a_failed_hook_wrote_is_dropped_and_what_is_immediate_stays() {
    let (mut model, _charm) = deployed(
        r#"
        [ "$(config-get mode)" = fail ] || exit 0
        status-set waiting "before the failure"
        state-set key=value
        relation-set -r peers:0 key=value
        relation-set -r peers:0 --app key=value
        secret-add --label lost token=abc
        open-port 80
        [ "$(state-get key)" = value ] || exit 3
        [ "$(relation-get -r peers:0 key app/0)" = value ] || exit 4
        [ "$(relation-get -r peers:0 --app key app)" = value ] || exit 5
        [ "$(secret-get --label lost)" = "token: abc" ] || exit 6
        exit 1"#,
    );
    model.set_config("app", &[("mode", "fail")]).unwrap();
    assert_eq!(model.settle().unwrap().in_error, ["app/0"]);
    let failed = model.dispatches().last().unwrap();
    // Any other code means that the hook did not read its own writes.
    assert_eq!(
        (failed.hook.as_str(), failed.exit_code),
        ("config-changed", Some(1))
    );
    assert!(model.unit_state("app/0").unwrap().is_empty());
    assert!(!model.databag(0, "app/0").contains_key("key"));
    assert!(model.databag(0, "app").is_empty());
    let status = model.status();
    let unit = status.unit("app/0").unwrap();
    assert_eq!(
        (unit.workload.status.as_str(), unit.ports.as_str()),
        ("error", "")
    );
    assert_eq!(unit.message, "hook failed: \"config-changed\"");
    // The same hook, again and once more, until the configuration is right.
    let hooks = model.hooks_of("app/0");
    assert_eq!(hooks[5..], ["config-changed", "config-changed"]);

    model.set_config("app", &[("mode", "fine")]).unwrap();
    assert_eq!(
        model.settle().unwrap().hooks,
        0,
        "a unit in error runs nothing on its own"
    );
    model.resolved("app/0", true).unwrap();
    assert_eq!(model.settle().unwrap().hooks, 1);
    assert_eq!(
        model.status().unit("app/0").unwrap().message,
        "before the failure"
    );
}

#[test]
fn a_skipped_hook_counts_as_done() {
    let (mut model, _charm) = deployed(r#"[ "$(config-get mode)" != fail ]"#);
    model.set_config("app", &[("mode", "fail")]).unwrap();
    model.settle().unwrap();
    model.resolved("app/0", false).unwrap();
    assert_eq!(
        model.settle().unwrap(),
        juju_sim::Settled {
            hooks: 0,
            in_error: vec![]
        }
    );
    assert!(model.resolved("app/0", true).is_err());
}

#[test]
fn a_hook_sees_jujus_environment_and_nothing_else() {
    let (mut model, _charm) = deployed("env; pwd; cat; ls -l /proc/self/fd/0");
    model.set_variable("EXTRA", "given");
    model.update_status();
    model.settle().unwrap();
    let dispatch = model.dispatches().last().unwrap();
    let printed = |name: &str| {
        dispatch
            .stdout
            .lines()
            .find_map(|line| line.strip_prefix(&format!("{name}=")))
    };
    assert_eq!(printed("HOME"), None);
    assert_eq!(printed("EXTRA"), Some("given"));
    assert_eq!(printed("JUJU_HOOK_NAME"), Some("update-status"));
    assert_eq!(printed("JUJU_DISPATCH_PATH"), Some("hooks/update-status"));
    assert_eq!(printed("JUJU_CHARM_DIR"), printed("PWD"));
    assert!(dispatch.stdout.contains("/dev/null"), "{}", dispatch.stdout);
    for (name, value) in &dispatch.environment {
        assert_eq!(printed(name), Some(value.as_str()), "{name}");
    }
}

#[test]
fn a_dispatch_that_cannot_run_is_a_failed_hook() {
    let charm = charm(PLAIN, &[], "exit 0");
    std::fs::remove_file(charm.path().join("dispatch")).unwrap();
    let mut model = model();
    model.deploy(Deployment::of(charm.path())).unwrap();
    assert_eq!(model.settle().unwrap().in_error, ["app/0"]);
    assert!(model.dispatches()[0].stderr.contains("No such file"));
}

#[test]
fn an_observer_sees_status_live_and_may_kill_the_hook() {
    let charm = charm(
        PLAIN,
        &[CONFIG],
        r#"
        [ "$(config-get mode)" = slow ] || exit 0
        status-set maintenance "1/3 nodes"
        state-set reached=end
        sleep 600 & wait"#,
    );
    let mut model = Model::new(options().hook_retries(0)).unwrap();
    model.deploy(Deployment::of(charm.path())).unwrap();
    model.settle().unwrap();
    let (sender, seen) = std::sync::mpsc::channel();
    model.observe(move |progress| match progress {
        Progress::Status {
            of,
            status,
            message,
        } => {
            sender.send(format!("{of} {status} {message}")).unwrap();
            Reaction::Continue
        }
        Progress::Tool { argv, .. } if argv[0] == "state-set" => Reaction::Kill,
        _ => Reaction::Continue,
    });
    model.set_config("app", &[("mode", "slow")]).unwrap();
    assert_eq!(model.settle().unwrap().in_error, ["app/0"]);
    assert_eq!(seen.try_recv().unwrap(), "app/0 maintenance 1/3 nodes");
    assert_eq!(model.dispatches().last().unwrap().exit_code, None);
    assert!(model.unit_state("app/0").unwrap().is_empty());
}

#[test]
fn an_observer_that_panics_ends_the_hook_and_is_heard() {
    let charm = charm(PLAIN, &[], "is-leader; sleep 600");
    let mut model = model();
    model.deploy(Deployment::of(charm.path())).unwrap();
    model.observe(|progress| match progress {
        Progress::Tool { .. } => panic!("an assertion of the test"),
        _ => Reaction::Continue,
    });
    let settling = std::panic::AssertUnwindSafe(|| model.settle());
    assert!(std::panic::catch_unwind(settling).is_err());
}

#[test]
fn what_dispatch_leaves_behind_is_killed() {
    let (model, _charm) = deployed("sleep 600 & echo $! >pid");
    let pid = std::fs::read_to_string(model.directory().join("agents/unit-app-0/charm/pid"));
    let process = format!("/proc/{}/cmdline", pid.unwrap().trim());
    let left = std::fs::read_to_string(process).unwrap_or_default();
    assert!(!left.starts_with("sleep"), "{left}");
}

#[test]
fn a_temporary_model_takes_its_files_with_it() {
    let (model, _charm) = deployed("exit 0");
    let directory = model.directory().to_owned();
    assert!(directory.join("agents/unit-app-0/charm/dispatch").exists());
    drop(model);
    assert!(!directory.exists());
}

#[test]
fn a_pod_that_is_replaced_keeps_what_the_controller_keeps() {
    let (mut model, _charm) = deployed("state-set seen=yes; touch file");
    let address = model.status().unit("app/0").unwrap().address.clone();
    model.restart_unit("app/0").unwrap();
    model.settle().unwrap();
    let hooks = model.hooks_of("app/0");
    assert_eq!(
        hooks[5..],
        ["stop", "upgrade-charm", "config-changed", "start"]
    );
    assert_eq!(model.unit_state("app/0").unwrap()["seen"], "yes");
    assert_ne!(model.status().unit("app/0").unwrap().address, address);
}

#[test]
fn a_remote_application_is_written_by_the_test() {
    let charm = charm(
        "{name: app, requires: {tls: {interface: tls-certificates}}}",
        &[],
        r#"
        case $JUJU_HOOK_NAME in
        tls-relation-changed)
            echo "app=$(relation-get --app - ca) unit=$(relation-get certificate)"
            relation-set request=$JUJU_UNIT_NAME ;;
        tls-relation-broken) relation-get --app - ca ;;
        esac"#,
    );
    let mut model = model();
    model.deploy(Deployment::of(charm.path())).unwrap();
    model
        .add_remote_application("ca", "certificates", "tls-certificates", 1)
        .unwrap();
    model.settle().unwrap();
    let relation = model.integrate("app", "ca").unwrap();
    model.settle().unwrap();
    assert_eq!(
        model.hooks_of("app/0")[4..],
        [
            "tls-relation-created",
            "tls-relation-joined",
            "tls-relation-changed"
        ]
    );
    assert_eq!(model.databag(relation, "app/0")["request"], "app/0");
    model
        .write_remote(relation, "ca/0", &[("certificate", "CERT")])
        .unwrap();
    model.write_remote(relation, "ca", &[("-", "-")]).unwrap();
    model.settle().unwrap();
    let seen: Vec<_> = model
        .dispatches()
        .iter()
        .rev()
        .take(2)
        .map(|d| d.stdout.as_str())
        .collect();
    assert!(
        seen.iter().any(|text| text.contains("unit=CERT")),
        "{seen:?}"
    );
    assert_eq!(model.status().remote_applications, ["ca"]);
    // Nobody but the test writes there.
    assert!(model.write_remote(relation, "app", &[("a", "b")]).is_err());
    model.remove_application("ca").unwrap();
    model.settle().unwrap();
    let hooks = model.hooks_of("app/0");
    assert_eq!(
        hooks[hooks.len() - 2..],
        ["tls-relation-departed", "tls-relation-broken"]
    );
}

#[test]
fn the_leader_leaves_and_another_unit_is_elected() {
    let (mut model, _charm) = deployed("exit 0");
    model.scale("app", 3).unwrap();
    model.settle().unwrap();
    model.set_leader("app/2").unwrap();
    model.settle().unwrap();
    assert_eq!(model.hooks_of("app/2").last(), Some(&"leader-elected"));
    model.scale("app", 2).unwrap();
    model.settle().unwrap();
    let status = model.status();
    let names: Vec<_> = status
        .units
        .iter()
        .map(|u| (u.name.as_str(), u.leader))
        .collect();
    assert_eq!(names, [("app/0", true), ("app/1", false)]);
    let last = model.hooks_of("app/2");
    assert_eq!(last[last.len() - 2..], ["stop", "remove"]);
}

#[test]
fn a_charm_that_wakes_itself_for_ever_is_reported() {
    let charm = charm(PLAIN, &[], "relation-set -r peers:0 --app n=$$ || true");
    let mut model = model();
    model.deploy(Deployment::of(charm.path())).unwrap();
    let error = model.settle().unwrap_err().to_string();
    assert!(
        error.contains("app/0 causes peers-relation-changed for ever"),
        "{error}"
    );
}

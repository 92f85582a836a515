//! The variables here are those that a Juju 4.0.15 agent set for real hooks.

use super::*;
use crate::names::Endpoint;

const COMMON: &str = "\
APT_LISTCHANGES_FRONTEND=none
CHARM_DIR=/var/lib/juju/agents/unit-rec-0/charm
CLOUD_API_VERSION=1.37.0
JUJU_AGENT_SOCKET_ADDRESS=/var/lib/juju/agents/unit-rec-0/agent.socket
JUJU_AGENT_SOCKET_NETWORK=unix
JUJU_API_ADDRESSES=10.152.15.227:17070
JUJU_AVAILABILITY_ZONE=
JUJU_CHARM_DIR=/var/lib/juju/agents/unit-rec-0/charm
JUJU_CHARM_FTP_PROXY=
JUJU_CHARM_HTTPS_PROXY=
JUJU_CHARM_HTTP_PROXY=
JUJU_CHARM_NO_PROXY=127.0.0.1,localhost,::1
JUJU_MACHINE_ID=
JUJU_MODEL_NAME=mesh
JUJU_MODEL_UUID=499560ed-7ec9-4943-87f6-bce9af13ee04
JUJU_PRINCIPAL_UNIT=
JUJU_UNIT_NAME=rec/0
JUJU_VERSION=4.0.15
PATH=/var/lib/juju/tools/unit-rec-0:/usr/local/bin:/usr/bin:/bin
";
const PROGRAM: &str = "/var/lib/juju/agents/unit-rec-0/charm/dispatch";

fn variables(more: &str) -> Vec<(String, String)> {
    let lines = COMMON.lines().chain(more.lines());
    lines
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn context(more: &str) -> Result<HookContext, ContextError> {
    HookContext::from_variables(variables(more), PROGRAM)
}

fn event(more: &str) -> Event {
    context(more).unwrap().event
}

fn error(more: &str) -> String {
    let error = context(more).unwrap_err();
    match std::error::Error::source(&error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

#[test]
fn what_is_common_to_all_hooks_is_read() {
    let context = context("JUJU_DISPATCH_PATH=hooks/install\nJUJU_HOOK_NAME=install").unwrap();
    assert_eq!(context.event, Event::Install);
    assert_eq!(context.unit.to_string(), "rec/0");
    assert_eq!(context.application().as_str(), "rec");
    assert_eq!(context.model.name.as_str(), "mesh");
    assert_eq!(
        context.model.uuid.as_str(),
        "499560ed-7ec9-4943-87f6-bce9af13ee04"
    );
    assert_eq!(context.juju_version.as_ref().unwrap().to_string(), "4.0.15");
    assert_eq!(
        context.charm_directory,
        PathBuf::from("/var/lib/juju/agents/unit-rec-0/charm")
    );
    assert_eq!(context.cloud_api_version.as_deref(), Some("1.37.0"));
    let proxies = Proxies {
        no_proxy: Some("127.0.0.1,localhost,::1".to_owned()),
        ..Proxies::default()
    };
    assert_eq!(context.proxies, proxies);
    assert_eq!(context.variable("JUJU_MACHINE_ID"), None);
    assert_eq!(context.broken_relation(), None);
}

#[test]
fn simple_hooks_are_known_and_others_are_values() {
    let hooks = [
        ("install", Event::Install),
        ("start", Event::Start),
        ("stop", Event::Stop),
        ("remove", Event::Remove),
        ("config-changed", Event::ConfigChanged),
        ("update-status", Event::UpdateStatus),
        ("upgrade-charm", Event::UpgradeCharm),
        ("leader-elected", Event::LeaderElected),
        (
            "collect-metrics",
            Event::Unknown("collect-metrics".to_owned()),
        ),
        (
            "a-relation-repaired",
            Event::Unknown("a-relation-repaired".to_owned()),
        ),
    ];
    for (hook, expected) in hooks {
        let read = event(&format!("JUJU_DISPATCH_PATH=hooks/{hook}"));
        assert_eq!(read, expected);
        assert_eq!(read.to_string(), hook);
    }
}

#[test]
fn relation_hooks_carry_who_and_what() {
    let relation = "JUJU_RELATION=ingress\nJUJU_RELATION_ID=ingress:2\nJUJU_REMOTE_APP=other\n";
    let read = |hook: &str, more: &str| {
        let path = format!("JUJU_DISPATCH_PATH=hooks/{hook}\n{relation}{more}");
        let context = context(&path).unwrap();
        assert_eq!(context.event.to_string(), hook);
        let broken = context.broken_relation().is_some();
        let Event::Relation(event) = context.event else {
            panic!("{hook}")
        };
        assert_eq!(event.endpoint, Endpoint::from_static("ingress"));
        assert_eq!(event.id.to_string(), "ingress:2");
        assert_eq!(event.remote_application.unwrap().as_str(), "other");
        assert_eq!(broken, event.change == RelationChange::Broken);
        event.change
    };
    let unit: UnitName = "other/0".parse().unwrap();
    let remote = "JUJU_REMOTE_UNIT=other/0";
    assert_eq!(
        read("ingress-relation-created", "JUJU_REMOTE_UNIT="),
        RelationChange::Created
    );
    assert_eq!(
        read("ingress-relation-joined", remote),
        RelationChange::Joined { unit: unit.clone() }
    );
    assert_eq!(
        read("ingress-relation-changed", remote),
        RelationChange::Changed {
            unit: Some(unit.clone())
        }
    );
    assert_eq!(
        read("ingress-relation-changed", "JUJU_REMOTE_UNIT="),
        RelationChange::Changed { unit: None }
    );
    assert_eq!(
        read(
            "ingress-relation-departed",
            "JUJU_REMOTE_UNIT=other/0\nJUJU_DEPARTING_UNIT=rec/0"
        ),
        RelationChange::Departed {
            unit,
            departing: Some("rec/0".parse().unwrap())
        }
    );
    assert_eq!(
        read("ingress-relation-broken", "JUJU_REMOTE_UNIT="),
        RelationChange::Broken
    );
}

#[test]
fn a_relation_without_a_known_remote_application_is_read() {
    let read = event(
        "JUJU_DISPATCH_PATH=hooks/ingress-relation-broken\nJUJU_RELATION=ingress\n\
         JUJU_RELATION_ID=ingress:2\nJUJU_REMOTE_APP=\nJUJU_REMOTE_UNIT=",
    );
    let Event::Relation(read) = read else {
        panic!("{read:?}")
    };
    assert_eq!(read.remote_application, None);
}

#[test]
fn secret_hooks_carry_the_secret() {
    let secret = |hook: &str, more: &str| {
        let path = format!(
            "JUJU_DISPATCH_PATH=hooks/{hook}\nJUJU_SECRET_ID=secret:k5fo8pve76pgaih5eua0\n{more}"
        );
        let Event::Secret(event) = event(&path) else {
            panic!("{hook}")
        };
        assert_eq!(event.id.id(), "k5fo8pve76pgaih5eua0");
        (event.label, event.change)
    };
    assert_eq!(
        secret("secret-changed", "JUJU_SECRET_LABEL="),
        (None, SecretChange::Changed)
    );
    assert_eq!(
        secret("secret-rotate", "JUJU_SECRET_LABEL=mine"),
        (Some("mine".to_owned()), SecretChange::Rotate)
    );
    assert_eq!(
        secret("secret-expired", "JUJU_SECRET_REVISION=3"),
        (None, SecretChange::Expired { revision: 3 })
    );
    assert_eq!(
        secret("secret-remove", "JUJU_SECRET_REVISION=4"),
        (None, SecretChange::Remove { revision: 4 })
    );
}

#[test]
fn actions_are_told_from_hooks_of_the_same_name() {
    let read = event(
        "JUJU_DISPATCH_PATH=actions/install\nJUJU_HOOK_NAME=\nJUJU_ACTION_NAME=install\n\
         JUJU_ACTION_TAG=action-7\nJUJU_ACTION_UUID=7",
    );
    let expected = ActionEvent {
        name: "install".to_owned(),
        tag: "action-7".to_owned(),
        uuid: "7".to_owned(),
    };
    assert_eq!(read, Event::Action(expected));
    assert_eq!(read.to_string(), "action install");
}

#[test]
fn pebble_and_storage_hooks_carry_their_data() {
    let read = event("JUJU_DISPATCH_PATH=hooks/my-app-pebble-ready\nJUJU_WORKLOAD_NAME=my-app");
    let expected = PebbleEvent {
        workload: "my-app".to_owned(),
        notice: PebbleNotice::Ready,
    };
    assert_eq!(read, Event::Pebble(expected));
    let read = event(
        "JUJU_DISPATCH_PATH=hooks/app-pebble-check-failed\nJUJU_WORKLOAD_NAME=app\n\
         JUJU_PEBBLE_CHECK_NAME=up",
    );
    let notice = PebbleNotice::CheckFailed {
        check: "up".to_owned(),
    };
    assert_eq!(
        read,
        Event::Pebble(PebbleEvent {
            workload: "app".to_owned(),
            notice
        })
    );
    let read = event(
        "JUJU_DISPATCH_PATH=hooks/data-storage-attached\nJUJU_STORAGE_ID=data/0\n\
         JUJU_STORAGE_LOCATION=/data\nJUJU_STORAGE_KIND=filesystem",
    );
    let expected = StorageEvent {
        name: "data".to_owned(),
        id: "data/0".to_owned(),
        location: Some("/data".to_owned()),
        kind: Some("filesystem".to_owned()),
        change: StorageChange::Attached,
    };
    assert_eq!(read, Event::Storage(expected));
}

#[test]
fn the_program_name_stands_in_for_the_dispatch_path() {
    let program = "/var/lib/juju/agents/unit-rec-0/charm/hooks/config-changed";
    let context = HookContext::from_variables(variables(""), program).unwrap();
    assert_eq!(context.event, Event::ConfigChanged);
    assert_eq!(
        error("JUJU_DISPATCH_PATH="),
        "environment variable JUJU_DISPATCH_PATH is not set, which every hook needs"
    );
}

#[test]
fn errors_name_the_variable() {
    let hook = "JUJU_DISPATCH_PATH=hooks/ingress-relation-joined\nJUJU_RELATION=ingress\n";
    assert_eq!(
        error(&format!("{hook}JUJU_RELATION_ID=ingress:2")),
        "environment variable JUJU_REMOTE_UNIT is not set, which ingress-relation-joined needs"
    );
    assert_eq!(
        error(&format!(
            "{hook}JUJU_RELATION_ID=2\nJUJU_REMOTE_UNIT=other/0"
        )),
        "environment variable JUJU_RELATION_ID is wrong: \"2\" is not a valid relation id: an \
         endpoint name, a colon and a number"
    );
    let install = "JUJU_DISPATCH_PATH=hooks/install\n";
    assert!(error(&format!("{install}JUJU_UNIT_NAME=")).contains("JUJU_UNIT_NAME is not set"));
    assert!(error(&format!("{install}JUJU_MODEL_NAME=")).contains("JUJU_MODEL_NAME is not set"));
    assert!(error("JUJU_DISPATCH_PATH=actions/show").contains("JUJU_ACTION_TAG is not set"));
}

#[test]
fn a_version_of_an_unknown_form_is_no_error() {
    let context = context("JUJU_DISPATCH_PATH=hooks/install\nJUJU_VERSION=edge").unwrap();
    assert_eq!(context.juju_version, None);
}

#[test]
fn printing_a_context_shows_no_credentials() {
    let context = context(
        "JUJU_DISPATCH_PATH=hooks/install\nJUJU_AGENT_TOKEN=hunter2\n\
         JUJU_CHARM_HTTP_PROXY=http://me:hunter2@proxy:3128",
    )
    .unwrap();
    assert!(!format!("{context:?}").contains("hunter2"));
}

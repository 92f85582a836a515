use juju::names::{Endpoint, UnitName};
use juju::relation::{Bag, Databag, Relation};

use crate::fake_tools::{FakeTools, InstalledTools};

pub(crate) const INGRESS: Endpoint = Endpoint::from_static("ingress");
pub(crate) const IDS: &str = "relation-ids --format=json ingress";
const KEPT: &str =
    r#"{"relation-applications.ingress":"{\"ingress:2\":\"dex\",\"ingress:10\":\"katib\"}"}"#;

pub(crate) fn relation(id: &str, application: Option<&str>) -> Relation {
    Relation {
        application: application.map(|name| name.parse().unwrap()),
        ..Relation::new(id.parse().unwrap())
    }
}

/// The tools that were run, without their arguments, after `relation-ids`.
fn tools_after_ids(juju: &InstalledTools) -> Vec<String> {
    let commands = juju.commands();
    assert_eq!(commands[0], IDS);
    let tool = |command: &String| command.split(' ').next().unwrap().to_owned();
    commands[1..].iter().map(tool).collect()
}

/// Two relations with data of the other application, and this hook's answer to `state-get`.
fn two_relations(state: &str) -> FakeTools {
    FakeTools::new()
        .prints(IDS, r#"["ingress:10","ingress:2"]"#)
        .prints("state-get --format=json", state)
        .prints("relation-list --format=json --app -r ingress:2", r#""dex""#)
        .prints(
            "relation-list --format=json --app -r ingress:10",
            r#""katib""#,
        )
        .prints(
            "relation-get --format=json -r ingress:2 --app - dex",
            r#"{"data":"2"}"#,
        )
        .prints(
            "relation-get --format=json -r ingress:10 --app - katib",
            "{}",
        )
        .prints("state-set --file -", "")
}

fn both() -> [Relation; 2] {
    [
        Relation {
            remote_application: Some(Databag::from([("data", "2")])),
            ..relation("ingress:2", Some("dex"))
        },
        Relation {
            remote_application: Some(Databag::default()),
            ..relation("ingress:10", Some("katib"))
        },
    ]
}

#[test]
fn an_endpoint_without_relations_costs_one_process() {
    let juju = FakeTools::new().prints(IDS, "[]").install();
    let bags = [
        Bag::RemoteApplication,
        Bag::RemoteUnits,
        Bag::OwnApplication,
        Bag::OwnUnit,
    ];
    assert_eq!(juju.tools.relations(&INGRESS, &bags).unwrap(), []);
    assert_eq!(juju.commands(), [IDS]);
}

#[test]
fn relations_without_databags_cost_no_process() {
    let juju = FakeTools::new()
        .prints(IDS, r#"["ingress:10","ingress:2"]"#)
        .install();
    let relations = juju.tools.relations(&INGRESS, &[]).unwrap();
    assert_eq!(
        relations,
        [relation("ingress:2", None), relation("ingress:10", None)]
    );
    assert_eq!(juju.commands(), [IDS]);
}

#[test]
fn applications_that_were_never_seen_are_asked_for_and_kept() {
    let juju = two_relations("null").install();
    let relations = juju
        .tools
        .relations(&INGRESS, &[Bag::RemoteApplication])
        .unwrap();
    assert_eq!(relations, both());
    assert_eq!(
        tools_after_ids(&juju),
        [
            "state-get",
            "relation-list",
            "relation-get",
            "relation-list",
            "relation-get",
            "state-set"
        ]
    );
    let kept = juju.calls().last().unwrap().input.clone();
    let read = |json: &str| serde_json::from_str::<serde_json::Value>(json).unwrap();
    assert_eq!(read(&kept), read(KEPT));
}

#[test]
fn applications_that_are_kept_cost_one_process_for_all() {
    let juju = two_relations(KEPT).install();
    for _ in 0..2 {
        let relations = juju
            .tools
            .relations(&INGRESS, &[Bag::RemoteApplication])
            .unwrap();
        assert_eq!(relations, both());
    }
    assert_eq!(
        tools_after_ids(&juju),
        [
            "state-get",
            "relation-get",
            "relation-get",
            "relation-ids",
            "relation-get",
            "relation-get"
        ]
    );
}

#[test]
fn what_is_kept_is_read_again_only_where_it_can_be() {
    for state in [
        r#"{"relation-applications.ingress":"not JSON"}"#,
        r#"{"relation-applications.ingress":"{\"ingress:2\":\"not a name\"}"}"#,
        r#"{"relation-applications.other":"{\"ingress:2\":\"other\"}"}"#,
    ] {
        let juju = two_relations(state).install();
        let relations = juju
            .tools
            .relations(&INGRESS, &[Bag::RemoteApplication])
            .unwrap();
        assert_eq!(relations, both(), "{state}");
    }
}

#[test]
fn what_is_kept_of_relations_that_are_gone_goes_with_the_next_write() {
    let juju = two_relations(
        r#"{"relation-applications.ingress":"{\"ingress:1\":\"old\",\"ingress:2\":\"dex\"}"}"#,
    )
    .install();
    juju.tools
        .relations(&INGRESS, &[Bag::RemoteApplication])
        .unwrap();
    let kept = juju.calls().last().unwrap().input.clone();
    assert!(kept.contains("ingress:2") && kept.contains("ingress:10"));
    assert!(!kept.contains("old"), "{kept}");
}

/// More than Juju takes as one value: the names are read, and nothing is kept.
#[test]
fn more_applications_than_can_be_kept_do_not_fail_the_hook() {
    let name = "a".repeat(40_000);
    let listed = format!("\"{name}\"");
    let juju = FakeTools::new()
        .prints(IDS, r#"["ingress:1","ingress:2"]"#)
        .prints("state-get --format=json", "null")
        .prints("relation-list --format=json --app -r ingress:1", &listed)
        .prints("relation-list --format=json --app -r ingress:2", &listed)
        .runs("relation-get *", "echo '{}'; exit 0")
        .install();
    let relations = juju
        .tools
        .relations(&INGRESS, &[Bag::RemoteApplication])
        .unwrap();
    assert_eq!(relations.len(), 2);
    assert!(!juju.commands().iter().any(|it| it.starts_with("state-set")));
}

#[test]
fn the_event_of_the_relation_names_the_application() {
    let juju = FakeTools::new()
        .variable("JUJU_DISPATCH_PATH", "hooks/ingress-relation-changed")
        .variable("JUJU_RELATION", "ingress")
        .variable("JUJU_RELATION_ID", "ingress:2")
        .variable("JUJU_REMOTE_APP", "dex")
        .prints(IDS, r#"["ingress:2"]"#)
        .prints(
            "relation-get --format=json -r ingress:2 --app - dex",
            r#"{"data":"2"}"#,
        )
        .install();
    let relations = juju
        .tools
        .relations(&INGRESS, &[Bag::RemoteApplication])
        .unwrap();
    assert_eq!(relations, both()[..1]);
    assert_eq!(tools_after_ids(&juju), ["relation-get"]);
}

#[test]
fn the_event_of_another_relation_names_nothing() {
    let juju = two_relations(KEPT)
        .variable("JUJU_DISPATCH_PATH", "hooks/ingress-relation-created")
        .variable("JUJU_RELATION", "ingress")
        .variable("JUJU_RELATION_ID", "ingress:2")
        .variable("JUJU_REMOTE_APP", "dex")
        .install();
    let relations = juju
        .tools
        .relations(&INGRESS, &[Bag::RemoteApplication])
        .unwrap();
    assert_eq!(relations, both());
    assert_eq!(
        tools_after_ids(&juju),
        ["relation-get", "state-get", "relation-get"]
    );
}

#[test]
fn units_name_the_application() {
    let juju = FakeTools::new()
        .prints(IDS, r#"["ingress:2"]"#)
        .prints(
            "relation-list --format=json -r ingress:2",
            r#"["dex/0","dex/3"]"#,
        )
        .prints(
            "relation-get --format=json -r ingress:2 - dex/0",
            r#"{"k":"0"}"#,
        )
        .prints(
            "relation-get --format=json -r ingress:2 - dex/3",
            r#"{"k":"3"}"#,
        )
        .prints(
            "relation-get --format=json -r ingress:2 --app - dex",
            r#"{"data":"2"}"#,
        )
        .install();
    let unit = |name: &str, value: &str| {
        let name: UnitName = name.parse().unwrap();
        (name, Databag::from([("k", value)]))
    };
    let expected = Relation {
        remote_application: Some(Databag::from([("data", "2")])),
        remote_units: Some([unit("dex/0", "0"), unit("dex/3", "3")].into()),
        ..relation("ingress:2", Some("dex"))
    };
    let bags = [Bag::RemoteApplication, Bag::RemoteUnits];
    assert_eq!(juju.tools.relations(&INGRESS, &bags).unwrap(), [expected]);
    assert_eq!(juju.tools.process_count(), 5);
}

#[test]
fn no_unit_is_told_apart_from_units_that_were_not_read() {
    let juju = FakeTools::new()
        .prints(IDS, r#"["ingress:2"]"#)
        .prints("relation-list --format=json -r ingress:2", "[]")
        .install();
    let relations = juju.tools.relations(&INGRESS, &[Bag::RemoteUnits]).unwrap();
    assert_eq!(relations[0].remote_units, Some([].into()));
    let relations = juju.tools.relations(&INGRESS, &[]).unwrap();
    assert_eq!(relations[0].remote_units, None);
}

#[test]
fn own_databags_need_no_other_application() {
    let juju = FakeTools::new()
        .prints(IDS, r#"["ingress:2","ingress:5"]"#)
        .prints("is-leader --format=json", "true")
        .prints(
            "relation-get --format=json -r ingress:2 --app - rec",
            r#"{"a":"2"}"#,
        )
        .prints("relation-get --format=json -r ingress:5 --app - rec", "{}")
        .prints(
            "relation-get --format=json -r ingress:2 - rec/0",
            r#"{"u":"2"}"#,
        )
        .prints(
            "relation-get --format=json -r ingress:5 - rec/0",
            r#"{"u":"5"}"#,
        )
        .install();
    let bags = [Bag::OwnApplication, Bag::OwnUnit];
    let expected = [
        Relation {
            own_application: Some(Databag::from([("a", "2")])),
            own_unit: Some(Databag::from([("u", "2")])),
            ..relation("ingress:2", None)
        },
        Relation {
            own_application: Some(Databag::default()),
            own_unit: Some(Databag::from([("u", "5")])),
            ..relation("ingress:5", None)
        },
    ];
    assert_eq!(juju.tools.relations(&INGRESS, &bags).unwrap(), expected);
    assert_eq!(
        tools_after_ids(&juju),
        [
            "is-leader",
            "relation-get",
            "relation-get",
            "relation-get",
            "relation-get"
        ]
    );
}

#[test]
fn the_own_application_s_data_is_not_asked_for_by_others_than_the_leader() {
    let juju = FakeTools::new()
        .prints(IDS, r#"["ingress:2"]"#)
        .prints("is-leader --format=json", "false")
        .install();
    let relations = juju
        .tools
        .relations(&INGRESS, &[Bag::OwnApplication])
        .unwrap();
    assert_eq!(relations, [relation("ingress:2", None)]);
    assert_eq!(tools_after_ids(&juju), ["is-leader"]);
}

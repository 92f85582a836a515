use juju::relation::{Bag, Databag, Relation};

use crate::fake_tools::FakeTools;
use crate::relations_of_endpoint::{IDS, INGRESS, relation};

const GONE: &str = "ERROR relation not found";
const DENIED: &str = "ERROR permission denied (unauthorized access)";

fn ids(relations: &[Relation]) -> Vec<String> {
    relations
        .iter()
        .map(|relation| relation.id.to_string())
        .collect()
}

/// Whichever tool notices it first, in the words of either version of Juju.
#[test]
fn a_relation_that_vanishes_while_it_is_read_is_left_out() {
    let all = [
        Bag::RemoteApplication,
        Bag::RemoteUnits,
        Bag::OwnApplication,
        Bag::OwnUnit,
    ];
    for (command, error) in [
        ("relation-list --format=json -r ingress:2", GONE),
        ("relation-list --format=json -r ingress:2", DENIED),
        ("relation-get --format=json -r ingress:2 - dex/0", GONE),
        ("relation-get --format=json -r ingress:2 --app - dex", GONE),
        (
            "relation-get --format=json -r ingress:2 --app - dex",
            DENIED,
        ),
        ("relation-get --format=json -r ingress:2 --app - rec", GONE),
        ("relation-get --format=json -r ingress:2 - rec/0", DENIED),
    ] {
        let juju = FakeTools::new()
            .fails(command, 1, error)
            .prints(IDS, r#"["ingress:2","ingress:5"]"#)
            .prints("is-leader --format=json", "true")
            .runs("relation-list *", "echo '[\"dex/0\"]'; exit 0")
            .runs("relation-get *", "echo '{}'; exit 0")
            .install();
        let relations = juju.tools.relations(&INGRESS, &all).unwrap();
        assert_eq!(ids(&relations), ["ingress:5"], "{command}: {error}");
    }
}

#[test]
fn a_relation_whose_application_is_no_longer_known_is_left_out() {
    for answer in [
        "echo null; exit 0",
        "echo 'ERROR permission denied' >&2; exit 1",
    ] {
        let juju = FakeTools::new()
            .runs("relation-list --format=json --app -r ingress:2", answer)
            .prints(IDS, r#"["ingress:2"]"#)
            .prints("state-get --format=json", "null")
            .install();
        let relations = juju.tools.relations(&INGRESS, &[Bag::RemoteApplication]);
        assert_eq!(relations.unwrap(), [], "{answer}");
    }
}

/// As Juju 3.6 answers when the other unit was removed by force: the application still counts.
#[test]
fn a_unit_that_vanishes_does_not_take_the_relation_along() {
    let juju = FakeTools::new()
        .prints(IDS, r#"["ingress:2"]"#)
        .prints(
            "relation-list --format=json -r ingress:2",
            r#"["dex/0","dex/1"]"#,
        )
        .fails("relation-get --format=json -r ingress:2 - dex/0", 1, DENIED)
        .prints("relation-get --format=json -r ingress:2 - dex/1", "{}")
        .prints(
            "relation-get --format=json -r ingress:2 --app - dex",
            r#"{"data":"2"}"#,
        )
        .install();
    let bags = [Bag::RemoteApplication, Bag::RemoteUnits];
    let expected = Relation {
        remote_application: Some(Databag::from([("data", "2")])),
        remote_units: Some([("dex/1".parse().unwrap(), Databag::default())].into()),
        ..relation("ingress:2", Some("dex"))
    };
    assert_eq!(juju.tools.relations(&INGRESS, &bags).unwrap(), [expected]);
}

#[test]
fn a_breaking_relation_is_left_out() {
    let juju = FakeTools::new()
        .variable("JUJU_DISPATCH_PATH", "hooks/ingress-relation-broken")
        .variable("JUJU_RELATION", "ingress")
        .variable("JUJU_RELATION_ID", "ingress:2")
        .prints(IDS, r#"["ingress:2"]"#)
        .install();
    let relations = juju.tools.relations(&INGRESS, &[Bag::RemoteApplication]);
    assert_eq!(relations.unwrap(), []);
    assert_eq!(juju.commands(), [IDS]);
}

#[test]
fn another_failure_is_a_failure() {
    for command in [
        IDS,
        "state-get --format=json",
        "relation-list --format=json -r ingress:2",
        "relation-list --format=json --app -r ingress:2",
        "relation-get --format=json -r ingress:2 - dex/0",
        "relation-get --format=json -r ingress:2 --app - dex",
        "state-set --file -",
    ] {
        let juju = FakeTools::new()
            .fails(command, 1, "ERROR connection is shut down")
            .prints(IDS, r#"["ingress:2"]"#)
            .prints("state-get --format=json", "null")
            .prints("relation-list --format=json -r ingress:2", "[\"dex/0\"]")
            .prints("relation-list --format=json --app -r ingress:2", r#""dex""#)
            .runs("relation-get *", "echo '{}'; exit 0")
            .prints("state-set --file -", "")
            .install();
        let asks_units = [Bag::RemoteUnits];
        let asks_application = [Bag::RemoteApplication];
        let units = juju.tools.relations(&INGRESS, &asks_units);
        let application = juju.tools.relations(&INGRESS, &asks_application);
        assert!(units.is_err() || application.is_err(), "{command}");
    }
}

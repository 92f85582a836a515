use juju::WriteOutcome;
use juju::names::{Endpoint, RelationId};
use juju::relation::{DatabagChanges, OwnBag};

use crate::fake_tools::FakeTools;

const INGRESS: Endpoint = Endpoint::from_static("ingress");
const GONE: &str = "ERROR invalid value \"999\" for option -r: relation not found";

fn relation(id: &str) -> RelationId {
    id.parse().unwrap()
}

fn changes(pairs: &[(&str, Option<&str>)]) -> DatabagChanges {
    let own = |(key, value): &(&str, Option<&str>)| ((*key).to_owned(), value.map(str::to_owned));
    pairs.iter().map(own).collect()
}

#[test]
fn the_other_side_and_its_data_are_read() {
    let juju = FakeTools::new()
        .prints("relation-ids --format=json ingress", r#"["ingress:2"]"#)
        .prints("relation-ids --format=json nosuch", "[]")
        .prints("relation-list --format=json -r ingress:2", r#"["other/0"]"#)
        .prints(
            "relation-list --format=json --app -r ingress:2",
            r#""other""#,
        )
        .prints(
            "relation-get --format=json -r ingress:2 --app - other",
            r#"{"k":"v"}"#,
        )
        .prints(
            "relation-get --format=json -r ingress:2 - other/0",
            r#"{"egress-subnets":"10.152.85.80/32","ingress-address":"10.152.85.80","uk":"uv"}"#,
        )
        .prints(
            "relation-model-get -r ingress:2 --format=json",
            r#"{"uuid":"499560ed-7ec9-4943-87f6-bce9af13ee04"}"#,
        )
        .install();
    let tools = &juju.tools;
    let ids = tools.relation_ids(&INGRESS).unwrap();
    assert_eq!(ids, [relation("ingress:2")]);
    assert!(
        tools
            .relation_ids(&Endpoint::from_static("nosuch"))
            .unwrap()
            .is_empty()
    );
    let units = tools.relation_units(&ids[0]).unwrap().unwrap();
    assert_eq!(units, ["other/0".parse().unwrap()]);
    let application = tools.relation_application(&ids[0]).unwrap().unwrap();
    assert_eq!(application.as_str(), "other");
    let data = tools
        .relation_application_data(&ids[0], &application)
        .unwrap()
        .unwrap();
    assert_eq!(data.get("k"), Some("v"));
    let data = tools
        .relation_unit_data(&ids[0], &units[0])
        .unwrap()
        .unwrap();
    assert_eq!(data.get("ingress-address"), Some("10.152.85.80"));
    let model = tools.relation_model(&ids[0]).unwrap().unwrap();
    assert_eq!(model.as_str(), "499560ed-7ec9-4943-87f6-bce9af13ee04");
}

#[test]
fn a_relation_that_is_gone_has_no_data_and_takes_none() {
    let gone = relation("ingress:999");
    let juju = FakeTools::new()
        .fails("relation-list --format=json -r ingress:999", 2, GONE)
        .fails("relation-list --format=json --app -r ingress:999", 2, GONE)
        .fails(
            "relation-get --format=json -r ingress:999 - other/0",
            2,
            GONE,
        )
        // Juju 3.6
        .fails(
            "relation-get --format=json -r ingress:999 --app - other",
            1,
            "ERROR permission denied (unauthorized access)",
        )
        .fails("relation-set -r ingress:999 --file -", 2, GONE)
        .install();
    let tools = &juju.tools;
    assert_eq!(tools.relation_units(&gone).unwrap(), None);
    assert_eq!(tools.relation_application(&gone).unwrap(), None);
    assert_eq!(
        tools
            .relation_unit_data(&gone, &"other/0".parse().unwrap())
            .unwrap(),
        None
    );
    assert_eq!(
        tools
            .relation_application_data(&gone, &"other".parse().unwrap())
            .unwrap(),
        None
    );
    let written = tools
        .set_relation_data(&gone, OwnBag::Unit, &changes(&[("a", Some("b"))]))
        .unwrap();
    assert_eq!(written, WriteOutcome::RelationGone);
}

#[test]
fn other_failures_of_a_relation_are_failures() {
    let juju = FakeTools::new()
        .fails(
            "relation-list --format=json -r ingress:2",
            1,
            "ERROR connection is shut down",
        )
        .install();
    assert!(juju.tools.relation_units(&relation("ingress:2")).is_err());
}

#[test]
fn a_breaking_relation_is_not_listed_and_not_written() {
    let juju = FakeTools::new()
        .variable("JUJU_DISPATCH_PATH", "hooks/ingress-relation-broken")
        .variable("JUJU_RELATION", "ingress")
        .variable("JUJU_RELATION_ID", "ingress:2")
        .prints(
            "relation-ids --format=json ingress",
            r#"["ingress:2","ingress:5"]"#,
        )
        .install();
    assert_eq!(
        juju.tools.relation_ids(&INGRESS).unwrap(),
        [relation("ingress:5")]
    );
    let change = changes(&[("a", Some("b"))]);
    let written = juju
        .tools
        .set_relation_data(&relation("ingress:2"), OwnBag::Unit, &change)
        .unwrap();
    assert_eq!(written, WriteOutcome::RelationGone);
    assert_eq!(juju.commands(), ["relation-ids --format=json ingress"]);
}

#[test]
fn data_is_written_through_standard_input() {
    let juju = FakeTools::new()
        .prints("is-leader --format=json", "true")
        .prints("relation-set -r ingress:2 --app --file -", "")
        .prints("relation-set -r ingress:2 --file -", "")
        .install();
    let id = relation("ingress:2");
    let change = changes(&[("key", Some("hunter2 😀\n\u{85}")), ("old", None)]);
    let written = juju
        .tools
        .set_relation_data(&id, OwnBag::Application, &change)
        .unwrap();
    assert_eq!(written, WriteOutcome::Written);
    let written = juju
        .tools
        .set_relation_data(&id, OwnBag::Unit, &change)
        .unwrap();
    assert_eq!(written, WriteOutcome::Written);
    let calls = juju.calls();
    for call in &calls[1..] {
        assert_eq!(
            call.input,
            "{\"key\": \"hunter2 😀\\n\\u0085\", \"old\": \"\"}\n"
        );
        assert!(!call.command.contains("hunter2"));
    }
    let written = juju
        .tools
        .set_relation_data(&id, OwnBag::Application, &changes(&[]))
        .unwrap();
    assert_eq!(written, WriteOutcome::Unchanged);
    assert_eq!(juju.calls().len(), calls.len());
}

#[test]
fn only_the_leader_writes_application_data() {
    let id = relation("ingress:2");
    let change = changes(&[("a", Some("b"))]);
    let juju = FakeTools::new()
        .prints("is-leader --format=json", "false")
        .install();
    let written = juju
        .tools
        .set_relation_data(&id, OwnBag::Application, &change)
        .unwrap();
    assert_eq!(written, WriteOutcome::NotLeader);
    assert_eq!(juju.commands(), ["is-leader --format=json"]);
    let juju = FakeTools::new()
        .prints("is-leader --format=json", "true")
        .fails(
            "relation-set -r ingress:2 --app --file -",
            1,
            "ERROR cannot write relation settings",
        )
        .install();
    let written = juju
        .tools
        .set_relation_data(&id, OwnBag::Application, &change)
        .unwrap();
    assert_eq!(written, WriteOutcome::NotLeader);
}

use std::collections::BTreeMap;
use std::sync::LazyLock;

use juju::WriteOutcome;
use juju::names::Endpoint;
use juju::relation::{Bag, OwnBag, Relation};
use juju::serialized_data::{Interface, Problem};
use serde_json::json;

use crate::fake_tools::{FakeTools, InstalledTools};

const ISTIO_PILOT: Endpoint = Endpoint::from_static("istio-pilot");
/// The interface `k8s-service`, in which the other side says nothing.
static K8S_SERVICE: LazyLock<Interface> =
    LazyLock::new(|| Interface::of_endpoint(&json!({"versions": ["v1"]}), "requires").unwrap());

/// One relation: what the other application and this one have in their databags.
fn juju(remote: &str, own: &str) -> InstalledTools {
    FakeTools::new()
        .prints(
            "relation-ids --format=json istio-pilot",
            r#"["istio-pilot:7"]"#,
        )
        .prints("is-leader --format=json", "true")
        .prints(
            "state-get --format=json",
            r#"{"relation-applications.istio-pilot":"{\"istio-pilot:7\":\"gateway\"}"}"#,
        )
        .prints(
            "relation-get --format=json -r istio-pilot:7 --app - gateway",
            remote,
        )
        .prints(
            "relation-get --format=json -r istio-pilot:7 --app - rec",
            own,
        )
        .prints("relation-set -r istio-pilot:7 --app --file -", "")
        .install()
}

fn relation(juju: &InstalledTools) -> Relation {
    let bags = [Bag::RemoteApplication, Bag::OwnApplication];
    let relations = juju.tools.relations(&ISTIO_PILOT, &bags).unwrap();
    relations.into_iter().next().unwrap()
}

/// Writes the address of a service once the other side has listed its versions.
fn publish(juju: &InstalledTools) -> WriteOutcome {
    let relation = relation(juju);
    let address = BTreeMap::from([
        ("service-name", "istiod.kubeflow.svc"),
        ("service-port", "15012"),
    ]);
    let wanted = match K8S_SERVICE.read(&relation) {
        Ok(_) => K8S_SERVICE.with_data(&address),
        Err(_) => K8S_SERVICE.versions_only(),
    };
    let changes = relation.changes_to(OwnBag::Application, &wanted);
    juju.tools
        .set_relation_data(&relation.id, OwnBag::Application, &changes)
        .unwrap()
}

#[test]
fn only_versions_are_written_before_the_other_side_has_listed_its_own() {
    let juju = juju("{}", "{}");
    let unreadable = K8S_SERVICE.read(&relation(&juju)).unwrap_err();
    assert_eq!(unreadable.problem, Problem::Unversioned);
    assert_eq!(publish(&juju), WriteOutcome::Written);
    let calls = juju.calls();
    assert_eq!(
        calls.last().unwrap().input,
        "{\"_supported_versions\": \"- v1\\n\"}\n"
    );
}

#[test]
fn data_is_written_once_the_other_side_has_listed_its_versions() {
    let juju = juju(
        r#"{"_supported_versions":"- v1\n"}"#,
        r#"{"_supported_versions":"- v1\n"}"#,
    );
    assert_eq!(publish(&juju), WriteOutcome::Written);
    assert_eq!(
        juju.calls().last().unwrap().input,
        "{\"data\": \"service-name: istiod.kubeflow.svc\\nservice-port: '15012'\\n\"}\n"
    );
}

/// The databag is as the Python charm left it.
#[test]
fn what_is_there_already_is_not_written() {
    let juju = juju(
        r#"{"_supported_versions":"- v1\n"}"#,
        r#"{"_supported_versions":"- v1\n","data":"service-name: istiod.kubeflow.svc\nservice-port: '15012'\n"}"#,
    );
    assert_eq!(publish(&juju), WriteOutcome::Unchanged);
    assert_eq!(juju.tools.processes().get("relation-set"), None);
    assert_eq!(juju.tools.process_count(), 5);
}

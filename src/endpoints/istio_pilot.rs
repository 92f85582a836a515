//! The endpoint `istio-pilot` (interface `k8s-service`): where gateways find istiod.
//!
//! The other side is the charm istio-gateway, which passes the address to its pods. The databags
//! follow the serialized-data-interface, version `v1`; the other side writes only the versions that
//! it supports (`canonical/serialized-data-interface` 0.7.0).

use std::collections::BTreeMap;
use std::sync::LazyLock;

use juju::relation::{Bag, OwnBag, Relation};
use juju::serialized_data::Interface;

use super::metadata::interface;
use super::{Endpoint, Known, Publication, World};
use crate::intent::Intent;
use crate::intent::problem::Problem;
use crate::istio::{DISCOVERY_PORT, names};

/// The interface as `metadata.yaml` declares it.
static INTERFACE: LazyLock<Interface> = LazyLock::new(|| interface("istio-pilot"));

/// The endpoint.
pub(super) struct IstioPilot;

impl Endpoint for IstioPilot {
    fn name(&self) -> &'static str {
        "istio-pilot"
    }

    fn reads(&self) -> &'static [Bag] {
        &[Bag::RemoteApplication, Bag::OwnApplication]
    }

    fn request(&self, relations: &[Relation], _: &Known<'_>, intent: &mut Intent) {
        let read = relations.iter().map(|relation| INTERFACE.read(relation));
        let unreadable = read.filter_map(Result::err);
        let problems = unreadable.map(|unreadable| Problem::of_relation(&unreadable));
        intent.problems.extend(problems);
    }

    fn publish(&self, relation: &Relation, world: &World<'_>) -> Vec<Publication> {
        if !world.leader {
            return Vec::new();
        }
        // The other side waits for the versions. Only a side that supports one of them can read the
        // data.
        let wanted = match INTERFACE.read(relation) {
            Ok(_) => INTERFACE.with_data(&address(world.intent)),
            Err(_) => INTERFACE.versions_only(),
        };
        vec![Publication::new(relation, OwnBag::Application, &wanted)]
    }
}

/// Name and port of istiod's Service. The interface has the port as text.
fn address(intent: &Intent) -> BTreeMap<&'static str, String> {
    let namespace = intent.identity.namespace();
    [
        ("service-name", format!("{}.{namespace}.svc", names::ISTIOD)),
        ("service-port", DISCOVERY_PORT.to_string()),
    ]
    .into()
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use juju::relation::Databag;

    use super::*;
    use crate::intent::identity::Identity;

    /// What is written into the databag of a relation, given what both sides have written.
    #[track_caller]
    fn check(remote: &[(&str, &str)], own: &[(&str, &str)], leader: bool, expected: &Expect) {
        let bag = |pairs: &[(&str, &str)]| -> Databag {
            let own = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
            pairs.iter().map(own).collect()
        };
        let relation = Relation {
            application: Some("istio-ingressgateway".parse().unwrap()),
            remote_application: Some(bag(remote)),
            own_application: Some(bag(own)),
            ..Relation::new("istio-pilot:3".parse().unwrap())
        };
        let intent = Intent::nothing(Identity::new("pilot", "kubeflow"));
        let world = World::of(&intent, None, leader);
        let published = IstioPilot.publish(&relation, &world);
        let lines = published.iter().flat_map(|publication| {
            let bag = publication.bag;
            let changes = publication.changes.iter();
            changes.map(move |(key, value)| format!("{bag:?} {key} = {value:?}\n"))
        });
        expected.assert_eq(&lines.collect::<String>());
    }

    const VERSIONS: (&str, &str) = ("_supported_versions", "- v1\n");

    #[test]
    fn the_address_of_istiod_is_written_for_those_who_can_read_it() {
        check(
            &[VERSIONS],
            &[],
            true,
            &expect![[r#"
            Application _supported_versions = Some("- v1\n")
            Application data = Some("service-name: istiod.kubeflow.svc\nservice-port: '15012'\n")
        "#]],
        );
    }

    #[test]
    fn the_versions_are_written_first_as_the_other_side_may_wait_for_them() {
        check(
            &[],
            &[],
            true,
            &expect![[r#"
            Application _supported_versions = Some("- v1\n")
        "#]],
        );
        check(
            &[("_supported_versions", "- v7\n")],
            &[],
            true,
            &expect![[r#"
            Application _supported_versions = Some("- v1\n")
        "#]],
        );
    }

    #[test]
    fn nothing_is_written_twice() {
        let data = "service-name: istiod.kubeflow.svc\nservice-port: '15012'\n";
        check(
            &[VERSIONS],
            &[VERSIONS, ("data", data)],
            true,
            &expect![[""]],
        );
        check(
            &[VERSIONS],
            &[VERSIONS, ("data", "old: x\n")],
            true,
            &expect![[r#"
            Application data = Some("service-name: istiod.kubeflow.svc\nservice-port: '15012'\n")
        "#]],
        );
    }

    #[test]
    fn what_both_applications_have_written_is_read() {
        let expected = [Bag::RemoteApplication, Bag::OwnApplication];
        assert_eq!(IstioPilot.reads(), expected);
    }

    #[test]
    fn a_follower_writes_nothing() {
        check(&[VERSIONS], &[], false, &expect![[""]]);
    }
}

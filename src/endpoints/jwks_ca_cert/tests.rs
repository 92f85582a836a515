use expect_test::{Expect, expect};

use super::*;
use crate::certificates::tests::Authority;
use crate::intent::identity::Identity;

fn relation(number: u32, application: Databag) -> Relation {
    Relation {
        application: Some("ca".parse().unwrap()),
        remote_application: Some(application),
        remote_units: Some([].into()),
        own_application: Some(Databag::default()),
        ..Relation::new(format!("jwks-ca-cert:{number}").parse().unwrap())
    }
}

fn certificate() -> String {
    Authority::root().pem().to_owned()
}

/// One that has written version 1 of the interface.
fn with(number: u32, certificates: &str) -> Relation {
    let bag = [(CERTIFICATES, certificates), (VERSION, "1")];
    relation(number, Databag::from(bag))
}

/// One of which a unit has written version 0.
fn old(number: u32, bag: Databag) -> Relation {
    Relation {
        remote_units: Some([("ca/0".parse().unwrap(), bag)].into()),
        ..relation(number, Databag::default())
    }
}

fn list(certificates: &[&str]) -> String {
    serde_json::to_string(certificates).unwrap()
}

fn asked(relations: &[Relation]) -> Intent {
    let mut intent = Intent::nothing(Identity::new("pilot", "mesh"));
    JwksCaCert.request(relations, &Known::NOTHING, &mut intent);
    intent
}

fn trusted(intent: &Intent) -> Vec<&str> {
    let authorities = &intent.extensions.as_ref().unwrap().key_authorities;
    authorities.iter().map(String::as_str).collect()
}

/// The problems, a line each.
#[track_caller]
fn check_problems(intent: &Intent, expected: &Expect) {
    let problems = intent.problems.iter();
    let lines: Vec<_> = problems
        .map(|it| format!("{:?}: {it}\n", it.remedy))
        .collect();
    expected.assert_eq(&lines.concat());
}

#[test]
fn what_several_relations_send_is_trusted_once_and_in_one_order() {
    let (first, second) = (certificate(), certificate());
    let mut expected = vec![first.as_str(), second.as_str()];
    expected.sort_unstable();
    let both = list(&[&first, &second]);
    for relations in [
        vec![with(1, &both)],
        vec![with(1, &list(&[&second])), with(2, &both)],
        vec![with(1, &list(&[&format!("{second}\n{first}")]))],
        vec![old(
            1,
            Databag::from([(CHAIN, both.as_str()), ("ca", &first)]),
        )],
    ] {
        let intent = asked(&relations);
        assert_eq!(trusted(&intent), expected);
        assert_eq!(intent.problems, []);
    }
}

#[test]
fn nothing_is_trusted_that_is_not_sent_any_more() {
    let intent = asked(&[with(1, "[]"), relation(2, Databag::default())]);
    assert_eq!(trusted(&intent), [] as [&str; 0]);
    check_problems(
        &intent,
        &expect![[r#"
        Time: jwks-ca-cert:2 with ca: has not sent a certificate yet
    "#]],
    );
    assert_eq!(trusted(&asked(&[])), [] as [&str; 0]);
}

#[test]
fn what_is_no_certificate_is_a_problem_of_its_relation_alone() {
    let good = certificate();
    let key = include_str!("../../certificates/testdata/ec.pem");
    let intent = asked(&[
        with(1, "hidden"),
        with(2, "{}"),
        with(3, "[1]"),
        with(4, &list(&[&good, "hidden"])),
        with(5, &list(&[key])),
        old(6, Databag::from([(CHAIN, "hidden")])),
        with(7, &list(&[&good])),
    ]);
    assert_eq!(trusted(&intent), [good.as_str()]);
    check_problems(
        &intent,
        &expect![[r#"
        Person: jwks-ca-cert:1 with ca: `certificates` is not a list of texts
        Person: jwks-ca-cert:2 with ca: `certificates` is not a list of texts
        Person: jwks-ca-cert:3 with ca: `certificates` is not a list of texts
        Person: jwks-ca-cert:4 with ca: item 2 of `certificates` is no certificate in PEM
        Person: jwks-ca-cert:5 with ca: item 1 of `certificates` is no certificate in PEM
        Person: jwks-ca-cert:6 with ca: `chain` is not a list of texts
    "#]],
    );
}

#[test]
fn more_than_the_cluster_can_store_is_a_problem_of_the_younger_relation() {
    let good = certificate();
    let many: Vec<_> = (0..=MOST / good.len()).map(|_| certificate()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let intent = asked(&[with(1, &list(&[&good])), with(2, &list(&many))]);
    assert_eq!(trusted(&intent), [good.as_str()]);
    check_problems(
        &intent,
        &expect![[r#"
        Person: jwks-ca-cert:2 with ca: its certificates and those of older relations have more than 524288 bytes together, and none of its own is trusted: send fewer
    "#]],
    );
}

#[test]
fn the_leader_says_which_version_it_reads() {
    let published = |leader| {
        let relation = with(1, "[]");
        let intent = asked(std::slice::from_ref(&relation));
        let world = World::of(&intent, None, leader);
        let published = JwksCaCert.publish(&relation, &world).into_iter();
        published.map(|it| it.changes).collect::<Vec<_>>()
    };
    let version = DatabagChanges::from([(VERSION.to_owned(), Some("1".to_owned()))]);
    assert_eq!(published(true), [version]);
    assert_eq!(published(false), []);
}

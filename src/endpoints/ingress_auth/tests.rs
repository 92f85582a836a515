use expect_test::{Expect, expect};
use juju::relation::Databag;

use super::*;
use crate::endpoints::{self, Known, Relations};
use crate::intent::Intent;
use crate::intent::identity::Identity;
use crate::intent::ingress::Authorization;

/// A relation with an application that supports version 1, and has written this data.
fn relation(number: u32, application: &str, data: Option<&str>) -> Relation {
    let versions = ("_supported_versions", "- v1\n");
    let bag = match data {
        Some(data) => Databag::from([versions, ("data", data)]),
        None => Databag::from([versions]),
    };
    Relation {
        application: Some(application.parse().unwrap()),
        remote_application: Some(bag),
        ..Relation::new(format!("ingress-auth:{number}").parse().unwrap())
    }
}

/// Who checks requests, and the problems, a line each.
#[track_caller]
fn check(relations: &[Relation], expected: &Expect) {
    let mut intent = Intent::nothing(Identity::new("pilot", "kubeflow"));
    let relations = Relations::from([("ingress-auth", relations.to_vec())]);
    endpoints::request(&relations, &Known::NOTHING, &mut intent);
    let checks = match &intent.ingress.as_ref().unwrap().authorization {
        Authorization::By(it) => format!(
            "{}:{}, sees {:?}, adds {:?}\n",
            it.service, it.port, it.request_headers, it.response_headers
        ),
        other => format!("{other:?}, closed: {}\n", intent.is_closed()),
    };
    let problems = intent.problems.iter();
    let problems = problems.map(|it| format!("{:?}: {it}\n", it.remedy));
    expected.assert_eq(&(checks + &problems.collect::<String>()));
}

const OIDC: &str = "allowed-request-headers:\n- cookie\n- X-Auth-Token\n\
                    allowed-response-headers:\n- kubeflow-userid\nport: 8080\n\
                    service: oidc-gatekeeper\n";

#[test]
fn a_service_that_checks_requests_is_read_with_and_without_headers() {
    check(
        &[relation(1, "oidc", Some(OIDC))],
        &expect![[r#"
        oidc-gatekeeper:8080, sees ["cookie", "X-Auth-Token"], adds ["kubeflow-userid"]
    "#]],
    );
    let without = "port: 8080\nservice: oidc-gatekeeper\n";
    check(
        &[relation(1, "oidc", Some(without))],
        &expect![[r#"
        oidc-gatekeeper:8080, sees [], adds []
    "#]],
    );
    check(
        &[],
        &expect![[r#"
        Nobody, closed: false
    "#]],
    );
}

#[test]
fn until_it_is_known_who_checks_requests_none_passes() {
    check(
        &[relation(1, "oidc", None)],
        &expect![[r#"
            Unknown, closed: true
            Time: ingress-auth:1 with oidc: does not say yet which service checks requests; the ingress gateway is closed until then
        "#]],
    );
    let unversioned = Relation {
        remote_application: Some(Databag::default()),
        ..relation(1, "oidc", None)
    };
    check(
        &[unversioned],
        &expect![[r#"
            Unknown, closed: true
            Time: ingress-auth:1 with oidc: `_supported_versions` is not set yet; oidc must list v1 there, as charms made for this interface do; the ingress gateway is closed until then
        "#]],
    );
    let invalid = "port: 8080\nservice: oidc\nallowed-request-headers: [\"a b\"]\n";
    check(
        &[relation(1, "oidc", Some(invalid))],
        &expect![[r#"
            Unknown, closed: true
            Person: ingress-auth:1 with oidc: `allowed-request-headers` names 'a b', which is no name of a header; the ingress gateway is closed until then
        "#]],
    );
    check(
        &[relation(1, "oidc", Some("port: 8080\n"))],
        &expect![[r#"
            Unknown, closed: true
            Person: ingress-auth:1 with oidc: `data` has no `service`; oidc must write it as the interface says; the ingress gateway is closed until then
        "#]],
    );
}

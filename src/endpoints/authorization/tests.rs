use expect_test::{Expect, expect};
use juju::relation::Databag;

use super::*;
use crate::endpoints::{self, Known};
use crate::intent::identity::Identity;

const OIDC: [(&str, &str); 2] = [
    ("_supported_versions", "- v1\n"),
    ("data", "port: 8080\nservice: oidc\n"),
];
const PROXY: [(&str, &str); 2] = [
    ("decisions_address", "http://proxy.iam.svc.cluster.local"),
    ("app_names", "[]"),
];
const SILENT: [(&str, &str); 2] = [("a", ""), ("b", "")];
const BAD: [(&str, &str); 2] = [
    ("decisions_address", "http://auth.example.com"),
    ("app_names", "[]"),
];

/// A relation with an application called like its endpoint and number, which has written this.
fn relation(id: &str, databag: [(&str, &str); 2]) -> Relation {
    Relation {
        application: Some(id.replace(':', "-").parse().unwrap()),
        remote_application: Some(Databag::from(databag)),
        ..Relation::new(id.parse().unwrap())
    }
}

/// Who checks requests, and the problems, a line each.
#[track_caller]
fn check(relations: &[(&str, [(&str, &str); 2])], expected: &Expect) {
    let mut intent = Intent::nothing(Identity::new("pilot", "mesh"));
    let mut by_endpoint = Relations::new();
    for (id, databag) in relations {
        let relation = relation(id, *databag);
        let endpoint = ["ingress-auth", "forward-auth"]
            .into_iter()
            .find(|it| relation.endpoint().as_str() == *it);
        by_endpoint
            .entry(endpoint.unwrap())
            .or_default()
            .push(relation);
    }
    endpoints::request(&by_endpoint, &Known::NOTHING, &mut intent);
    let checks = match &intent.ingress.as_ref().unwrap().authorization {
        Authorization::By(it) => format!("{}.{}:{}\n", it.service, it.namespace, it.port),
        other => format!("{other:?}\n"),
    };
    let problems = intent.problems.iter();
    let problems = problems.map(|it| format!("{:?}: {it}\n", it.remedy));
    expected.assert_eq(&(checks + &problems.collect::<String>()));
}

#[test]
fn nobody_checks_requests_where_nobody_asks_to() {
    check(
        &[],
        &expect![[r#"
            Nobody
        "#]],
    );
}

#[test]
fn the_oldest_that_can_check_requests_does_at_whichever_endpoint_it_is() {
    check(
        &[("ingress-auth:1", OIDC), ("forward-auth:2", PROXY)],
        &expect![[r#"
            oidc.mesh:8080
            Person: forward-auth:2 with forward-auth-2: only one application can check requests, and ingress-auth:1 with ingress-auth-1 does: remove one of the two relations
        "#]],
    );
    check(
        &[("ingress-auth:7", OIDC), ("forward-auth:2", PROXY)],
        &expect![[r#"
            proxy.iam:80
            Person: ingress-auth:7 with ingress-auth-7: only one application can check requests, and forward-auth:2 with forward-auth-2 does: remove one of the two relations
        "#]],
    );
    // All are told the same, and who is not understood does not matter.
    check(
        &[
            ("ingress-auth:1", SILENT),
            ("ingress-auth:5", OIDC),
            ("ingress-auth:9", OIDC),
            ("forward-auth:3", PROXY),
            ("forward-auth:4", BAD),
            ("forward-auth:10", PROXY),
        ],
        &expect![[r#"
            proxy.iam:80
            Time: ingress-auth:1 with ingress-auth-1: `_supported_versions` is not set yet; ingress-auth-1 must list v1 there, as charms made for this interface do
            Person: forward-auth:4 with forward-auth-4: `decisions_address` cannot be used: 'auth.example.com' is no Service of this cluster by its whole name, <service>.<namespace>.svc.cluster.local, and proxies know no other hosts
            Person: ingress-auth:5 with ingress-auth-5: only one application can check requests, and forward-auth:3 with forward-auth-3 does: remove one of the two relations
            Person: ingress-auth:9 with ingress-auth-9: only one application can check requests, and forward-auth:3 with forward-auth-3 does: remove one of the two relations
            Person: forward-auth:10 with forward-auth-10: only one application can check requests, and forward-auth:3 with forward-auth-3 does: remove one of the two relations
        "#]],
    );
}

#[test]
fn no_request_passes_while_none_that_was_asked_can_be_used() {
    check(
        &[("forward-auth:1", SILENT)],
        &expect![[r#"
        Unknown
        Time: forward-auth:1 with forward-auth-1: does not say yet which service checks requests; the ingress gateway is closed until then
    "#]],
    );
    check(
        &[("ingress-auth:2", SILENT), ("forward-auth:1", BAD)],
        &expect![[r#"
            Unknown
            Time: ingress-auth:2 with ingress-auth-2: `_supported_versions` is not set yet; ingress-auth-2 must list v1 there, as charms made for this interface do; the ingress gateway is closed until then
            Person: forward-auth:1 with forward-auth-1: `decisions_address` cannot be used: 'auth.example.com' is no Service of this cluster by its whole name, <service>.<namespace>.svc.cluster.local, and proxies know no other hosts; the ingress gateway is closed until then
        "#]],
    );
}

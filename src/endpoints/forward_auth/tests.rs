use std::fmt::Write as _;

use expect_test::{Expect, expect};
use juju::relation::Databag;

use super::*;
use crate::intent::Intent;
use crate::intent::identity::Identity;
use crate::intent::ingress::Ingress;
use crate::intent::ingress::route::Route;

/// A relation with an application that has written this.
fn relation(databag: Databag) -> Relation {
    Relation {
        application: Some("oauth2-proxy".parse().unwrap()),
        remote_application: Some(databag),
        ..Relation::new("forward-auth:1".parse().unwrap())
    }
}

/// Who checks requests, or what is wrong.
fn told(databag: Databag) -> String {
    match authorizer(&relation(databag)) {
        Ok(it) => {
            let path = if it.path_prefix.is_empty() {
                String::new()
            } else {
                format!(" below {}", it.path_prefix)
            };
            format!(
                "{}.{}:{}{path}, adds {}",
                it.service,
                it.namespace,
                it.port,
                it.response_headers.join(" ")
            )
        }
        Err(problem) => format!("{:?}: {problem}", problem.remedy),
    }
}

#[track_caller]
fn check_addresses(addresses: &[&str], expected: &Expect) {
    let mut lines = String::new();
    for address in addresses {
        let values = [("decisions_address", *address), ("app_names", "[]")];
        writeln!(lines, "{}", told(Databag::from(values))).unwrap();
    }
    expected.assert_eq(&lines);
}

#[test]
fn what_charms_write_is_read() {
    // As oauth2-proxy, oathkeeper and oidc-gatekeeper do.
    let proxy = Databag::from([
        (
            "decisions_address",
            "http://oauth2-proxy-k8s.iam.svc.cluster.local:4180",
        ),
        ("app_names", "[\"grafana\"]"),
        ("headers", "[\"X-Auth-Request-User\"]"),
    ]);
    expect!["oauth2-proxy-k8s.iam:4180, adds x-auth-request-user"].assert_eq(&told(proxy));
    let oathkeeper = Databag::from([
        (
            "decisions_address",
            "http://oathkeeper.iam.svc.cluster.local:4456/decisions",
        ),
        ("app_names", "[]"),
        ("headers", "[]"),
    ]);
    expect!["oathkeeper.iam:4456 below /decisions, adds authorization path x-auth-request-user x-auth-request-email x-auth-request-access-token"].assert_eq(&told(oathkeeper));
    let gatekeeper = Databag::from([
        (
            "decisions_address",
            "http://oidc-gatekeeper.kubeflow.svc.cluster.local:8080",
        ),
        ("app_names", "[]"),
        ("headers", "[\"kubeflow-userid\"]"),
    ]);
    expect!["oidc-gatekeeper.kubeflow:8080, adds kubeflow-userid"].assert_eq(&told(gatekeeper));
}

#[test]
fn a_service_sees_sessions_and_may_renew_them() {
    let databag = Databag::from([("decisions_address", "http://a.b.svc"), ("app_names", "[]")]);
    let authorizer = authorizer(&relation(databag)).unwrap();
    assert!(authorizer.request_headers.contains(&"cookie".to_owned()));
    assert_eq!(authorizer.client_headers, ["set-cookie"]);
}

#[test]
fn only_services_of_the_cluster_can_be_asked() {
    check_addresses(
        &[
            "http://a.b.svc",
            "http://a.b.svc/",
            "http://a.b.svc/x/y/",
            "https://a.b.svc.cluster.local:4456/decisions",
            "http://auth.example.com/check",
            "http://10.1.2.3:80",
            "a.b.svc.cluster.local:80",
            "http://user@a.b.svc",
            "http://a.b.svc?x=y",
            "http://a.b.svc:0",
            "http://a.b.svc:99999",
            "http://",
            "grpc://a.b.svc",
            "a b",
        ],
        &expect![[r#"
            a.b:80, adds authorization path x-auth-request-user x-auth-request-email x-auth-request-access-token
            a.b:80, adds authorization path x-auth-request-user x-auth-request-email x-auth-request-access-token
            a.b:80 below /x/y, adds authorization path x-auth-request-user x-auth-request-email x-auth-request-access-token
            Person: forward-auth:1 with oauth2-proxy: `decisions_address` cannot be used: it begins with https, and the gateway asks over http only, which the mesh encrypts where both are part of it
            Person: forward-auth:1 with oauth2-proxy: `decisions_address` cannot be used: 'auth.example.com' is no Service of this cluster by its whole name, <service>.<namespace>.svc.cluster.local, and proxies know no other hosts
            Person: forward-auth:1 with oauth2-proxy: `decisions_address` cannot be used: '10.1.2.3' is no Service of this cluster by its whole name, <service>.<namespace>.svc.cluster.local, and proxies know no other hosts
            Person: forward-auth:1 with oauth2-proxy: `decisions_address` cannot be used: it must begin with http://
            Person: forward-auth:1 with oauth2-proxy: `decisions_address` cannot be used: it must have no user
            Person: forward-auth:1 with oauth2-proxy: `decisions_address` cannot be used: it must have no query
            Person: forward-auth:1 with oauth2-proxy: `decisions_address` cannot be used: ports are numbers from 1 to 65535
            Person: forward-auth:1 with oauth2-proxy: `decisions_address` cannot be used: ports are numbers from 1 to 65535
            Person: forward-auth:1 with oauth2-proxy: `decisions_address` cannot be used: it is not an address
            Person: forward-auth:1 with oauth2-proxy: `decisions_address` cannot be used: it must begin with http://
            Person: forward-auth:1 with oauth2-proxy: `decisions_address` cannot be used: it is not an address
        "#]],
    );
}

#[test]
fn what_is_missing_or_of_another_kind_is_named() {
    let address = ("decisions_address", "http://a.b.svc");
    let databags = [
        Databag::default(),
        Databag::from([("decisions_address", "")]),
        Databag::from([("app_names", "[]")]),
        Databag::from([address]),
        Databag::from([address, ("app_names", "grafana")]),
        Databag::from([("decisions_address", "7"), ("app_names", "[]")]),
        Databag::from([address, ("app_names", "[]"), ("headers", "[1]")]),
        Databag::from([address, ("app_names", "[]"), ("headers", "[\"a b\"]")]),
    ];
    let lines: Vec<_> = databags.into_iter().map(told).collect();
    expect![[r#"
        Time: forward-auth:1 with oauth2-proxy: does not say yet which service checks requests
        Time: forward-auth:1 with oauth2-proxy: does not say yet which service checks requests
        Person: forward-auth:1 with oauth2-proxy: `decisions_address` is not set, and the interface asks for it
        Person: forward-auth:1 with oauth2-proxy: `app_names` is not set, and the interface asks for it
        Person: forward-auth:1 with oauth2-proxy: `app_names` is not a list of texts
        Person: forward-auth:1 with oauth2-proxy: `decisions_address` is not a text
        Person: forward-auth:1 with oauth2-proxy: `headers` is not a list of texts
        Person: forward-auth:1 with oauth2-proxy: `headers` names 'a b', which is no name of a header"#]].assert_eq(&lines.join("\n"));
}

/// What the databag of this application should hold, given the applications with routes.
fn published(applications: Option<&[&str]>, leader: bool) -> Vec<Publication> {
    let route = |application: &&str| Route {
        application: Some(application.parse().unwrap()),
        ..Route::of_prefix("ingress:1", "service", "/")
    };
    let mut intent = Intent::nothing(Identity::new("pilot", "mesh"));
    intent.ingress = applications.map(|applications| Ingress {
        routes: applications.iter().map(route).collect(),
        ..Ingress::default()
    });
    let world = World::of(&intent, None, leader);
    let relation = Relation {
        own_application: Some(Databag::from([("ingress_app_names", "[\"a\", \"b\"]")])),
        ..relation(Databag::default())
    };
    ForwardAuth.publish(&relation, &world)
}

#[test]
fn the_other_side_hears_which_applications_have_routes() {
    let text = |applications: &[&str]| {
        let published = published(Some(applications), true).remove(0);
        assert_eq!(published.bag, OwnBag::Application);
        published.changes.get("ingress_app_names").cloned()
    };
    // As Python's `json.dumps` writes it, each application once.
    assert_eq!(
        text(&["b", "a", "b"]),
        Some(Some("[\"b\", \"a\"]".to_owned()))
    );
    assert_eq!(text(&[]), Some(Some("[]".to_owned())));
    assert_eq!(text(&["a", "b"]), None, "it is there already");
    assert_eq!(published(Some(&[]), false), []);
    assert_eq!(published(None, true), []);
}

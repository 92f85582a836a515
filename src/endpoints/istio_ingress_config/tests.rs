use expect_test::{Expect, expect};

use super::*;
use crate::intent::identity::Identity;
use crate::istio::names::MESH_CONFIG;
use crate::k8s::object::Object;
use crate::observed::Observed;

/// A relation with an application that has written this.
fn relation(number: u32, application: &str, databag: Databag) -> Relation {
    Relation {
        application: Some(application.parse().unwrap()),
        remote_application: Some(databag),
        own_application: Some(Databag::default()),
        ..Relation::new(format!("istio-ingress-config:{number}").parse().unwrap())
    }
}

fn asked(relations: &[Relation]) -> Intent {
    let mut intent = Intent::nothing(Identity::new("pilot", "mesh"));
    IstioIngressConfig.request(relations, &Known::NOTHING, &mut intent);
    intent
}

/// The services and problems of relations, a line each.
#[track_caller]
fn check(relations: &[Relation], expected: &Expect) {
    let intent = asked(relations);
    let authorizers = intent.extensions.unwrap().authorizers.into_iter();
    let mut lines: Vec<String> = authorizers
        .map(|it| {
            let ExternalAuthorizer {
                name,
                service,
                namespace,
                port,
                protocol,
                ..
            } = it;
            format!("{name}: {service}.{namespace}:{port} {protocol:?}\n")
        })
        .collect();
    let problems = intent.problems.iter();
    lines.extend(problems.map(|it| format!("{:?}: {it}\n", it.remedy)));
    expected.assert_eq(&lines.concat());
}

fn at(service: &str, port: &str) -> Databag {
    Databag::from([(SERVICE, service), (PORT, port)])
}

/// What the library writes, given `ext_authz_protocol` and headers.
fn by_library(protocol: &str) -> Databag {
    Databag::from([
        (SERVICE, "oidc-gatekeeper.kubeflow.svc.cluster.local"),
        (PORT, "8080"),
        (PROTOCOL, protocol),
        ("include_headers_in_check", r#"["authorization", "cookie"]"#),
        ("headers_to_upstream_on_allow", r#"["kubeflow-userid"]"#),
        ("headers_to_downstream_on_allow", r#"["set-cookie"]"#),
        (
            "headers_to_downstream_on_deny",
            r#"["content-type", "x-*"]"#,
        ),
    ])
}

#[test]
fn what_the_library_writes_is_read() {
    check(
        &[
            relation(1, "ingress", by_library("http")),
            relation(2, "grpc", by_library("grpc")),
            // As versions before 0.4 have it.
            relation(3, "plain", at("a.b.svc", " 80 ")),
        ],
        &expect![[r#"
            ext-authz-ingress: oidc-gatekeeper.kubeflow:8080 Http(CheckHeaders { seen: Some(["authorization", "cookie"]), added: Some(["kubeflow-userid"]), answered: Some(["set-cookie"]), refused: Some(["content-type", "x-*"]) })
            ext-authz-grpc: oidc-gatekeeper.kubeflow:8080 Grpc
            ext-authz-plain: a.b:80 Http(CheckHeaders { seen: None, added: None, answered: None, refused: None })
        "#]],
    );
}

#[test]
fn what_is_not_said_yet_or_no_longer_is_no_service() {
    check(
        &[
            relation(1, "silent", Databag::default()),
            relation(2, "half", Databag::from([(SERVICE, "a.b.svc")])),
            relation(3, "cleared", at("fake_host", "5432")),
        ],
        &expect![[r#"
            Time: istio-ingress-config:1 with silent: does not say yet which service checks requests
            Time: istio-ingress-config:2 with half: does not say yet which service checks requests
        "#]],
    );
    check(&[], &expect![[r#""#]]);
}

#[test]
fn what_istiod_would_not_take_is_a_problem_of_its_relation() {
    let with = |key, value| {
        let mut databag = at("a.b.svc", "80");
        databag = databag
            .iter()
            .chain([(key, value)])
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect();
        databag
    };
    check(
        &[
            relation(1, "outside", at("auth.example.com", "80")),
            relation(2, "fake", at("fake_host", "80")),
            relation(3, "zero", at("a.b.svc", "0")),
            relation(4, "text", at("a.b.svc", "http")),
            relation(5, "tcp", with(PROTOCOL, "tcp")),
            relation(6, "any", with("include_headers_in_check", "[\"*\"]")),
            relation(7, "bad", with("headers_to_downstream_on_deny", "[\"a b\"]")),
            relation(8, "list", with("headers_to_upstream_on_allow", "a,b")),
            relation(9, "good", at("a.b.svc", "80")),
        ],
        &expect![[r#"
            ext-authz-good: a.b:80 Http(CheckHeaders { seen: None, added: None, answered: None, refused: None })
            Person: istio-ingress-config:1 with outside: `ext_authz_service_name`: 'auth.example.com' is no Service of this cluster by its whole name, <service>.<namespace>.svc.cluster.local, and proxies know no other hosts
            Person: istio-ingress-config:2 with fake: `ext_authz_service_name`: 'fake_host' is no Service of this cluster by its whole name, <service>.<namespace>.svc.cluster.local, and proxies know no other hosts
            Person: istio-ingress-config:3 with zero: `ext_authz_port` is '0', and ports are numbers from 1 to 65535
            Person: istio-ingress-config:4 with text: `ext_authz_port` is 'http', and ports are numbers from 1 to 65535
            Person: istio-ingress-config:5 with tcp: `ext_authz_protocol` is 'tcp', and requests are checked over http or grpc
            Person: istio-ingress-config:6 with any: `include_headers_in_check` names '*', which is no name of a header, nor the beginning or end of one
            Person: istio-ingress-config:7 with bad: `headers_to_downstream_on_deny` names 'a b', which is no name of a header, nor the beginning or end of one
            Person: istio-ingress-config:8 with list: `headers_to_upstream_on_allow` is not a list of texts
        "#]],
    );
}

#[test]
fn names_are_such_as_istiod_takes_and_no_two_are_the_same() {
    let long = "a".repeat(60);
    let relations = [
        relation(1, &long, at("a.b.svc", "80")),
        relation(2, &format!("{long}b"), at("a.b.svc", "80")),
        relation(3, "twice", at("a.b.svc", "80")),
        relation(4, "twice", at("c.d.svc", "80")),
    ];
    check(
        &relations,
        &expect![[r#"
        ext-authz-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-773dd2db: a.b:80 Http(CheckHeaders { seen: None, added: None, answered: None, refused: None })
        ext-authz-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-fd743823: a.b:80 Http(CheckHeaders { seen: None, added: None, answered: None, refused: None })
        ext-authz-twice: a.b:80 Http(CheckHeaders { seen: None, added: None, answered: None, refused: None })
        Person: istio-ingress-config:4 with twice: istio-ingress-config:3 of the same application has named a service already, and one application can have one: remove one of the two relations
    "#]],
    );
    for authorizer in asked(&relations).extensions.unwrap().authorizers {
        let name = authorizer.name;
        let is_taken = |it: u8| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'-';
        assert!(name.len() <= 63 && name.bytes().all(is_taken), "{name}");
    }
}

/// How the databag of this application changes, which holds a name already, once the mesh
/// configuration knows these providers.
fn published(databag: Databag, providers: &[&str]) -> Vec<DatabagChanges> {
    let relation = Relation {
        own_application: Some(Databag::from([("ext_authz_provider_name", "old")])),
        ..relation(1, "ingress", databag)
    };
    let intent = asked(std::slice::from_ref(&relation));
    let providers = providers.iter().map(|it| format!("- name: {it}\n"));
    let mesh = format!("extensionProviders:\n{}", providers.collect::<String>());
    let config = serde_json::json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": MESH_CONFIG, "namespace": "mesh"}, "data": {"mesh": mesh},
    });
    let mut observed = Observed {
        namespace: "mesh".to_owned(),
        ..Observed::default()
    };
    observed.add([Object::from_value(config).unwrap()]);
    let world = |leader| World::of(&intent, Some(&observed), leader);
    assert_eq!(IstioIngressConfig.publish(&relation, &world(false)), []);
    let unseen = World {
        observed: None,
        ..world(true)
    };
    assert_eq!(IstioIngressConfig.publish(&relation, &unseen), []);
    let published = IstioIngressConfig.publish(&relation, &world(true));
    published.into_iter().map(|it| it.changes).collect()
}

#[test]
fn the_name_is_told_once_istiod_can_know_it_and_withdrawn_with_the_service() {
    let change = |value: Option<&str>| {
        let value = value.map(str::to_owned);
        vec![DatabagChanges::from([(
            "ext_authz_provider_name".to_owned(),
            value,
        )])]
    };
    let good = || at("a.b.svc", "80");
    assert_eq!(published(good(), &[]), []);
    assert_eq!(published(good(), &["ext-authz-ingress-2"]), []);
    let known = ["other", "ext-authz-ingress"];
    assert_eq!(published(good(), &known), change(Some("ext-authz-ingress")));
    assert_eq!(published(at("fake_host", "5432"), &known), change(None));
    assert_eq!(published(at("elsewhere", "80"), &known), change(None));
    assert_eq!(published(Databag::default(), &known), change(None));
}

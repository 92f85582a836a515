use expect_test::{Expect, expect};

use super::*;
use crate::intent::ingress::route::{Answer, Backend, NewPath, Rule};

fn prefix(text: &str) -> Requests {
    Requests::with_path(Path::Prefix(text.to_owned()))
}

fn below(path: &str) -> Requests {
    Requests::with_path(Path::Below(path.to_owned()))
}

fn of_host(host: &str, requests: Requests) -> Requests {
    Requests {
        host: Host::Is(host.to_owned()),
        ..requests
    }
}

/// What a relation asks for, with its number as the name of its object.
fn route(relation: &str, application: &str, requests: &[Requests]) -> Route {
    let rule = |requests: &Requests| Rule {
        requests: requests.clone(),
        answer: Answer::Forward {
            to: vec![Backend::alone("app".to_owned(), "mesh".to_owned(), 80)],
            path: NewPath::Same,
            host: None,
        },
    };
    Route {
        relation: relation.parse().unwrap(),
        application: Some(application.parse().unwrap()),
        name: relation.to_owned(),
        rules: requests.iter().map(rule).collect(),
    }
}

/// The relations that get what they ask for, and what is said about the others.
#[track_caller]
fn check(routes: &[Route], expected: &Expect) {
    let mut ingress = Ingress {
        routes: routes.to_vec(),
        ..Ingress::default()
    };
    let problems = ingress.settle();
    let served = ingress.routes.iter().map(|it| format!("{}\n", it.relation));
    let problems = problems.iter().map(|it| format!("{it}\n"));
    expected.assert_eq(&served.chain(problems).collect::<String>());
}

#[test]
fn the_older_relation_keeps_it_at_whichever_endpoint() {
    check(
        &[
            route("ingress:7", "young", &[prefix("/app")]),
            route("ingress:12", "younger", &[prefix("/other")]),
            route("istio-ingress-route:3", "old", &[below("/app")]),
        ],
        &expect![[r#"
            istio-ingress-route:3
            ingress:12
            ingress:7 with young: young asks for the prefix /app, which old has already and keeps: configure another one of the two, or remove a relation
        "#]],
    );
}

#[test]
fn who_asks_for_several_things_gets_all_or_none() {
    check(
        &[
            route("a:1", "one", &[below("/a"), below("/b")]),
            route("a:2", "two", &[below("/c"), below("/b")]),
            // What was not given to anybody is free.
            route("a:3", "three", &[below("/c")]),
        ],
        &expect![[r#"
            a:1
            a:3
            a:2 with two: two asks for the prefix /b, which one has already and keeps: configure another one of the two, or remove a relation
        "#]],
    );
}

#[test]
fn paths_are_the_same_where_one_would_take_all_of_the_other() {
    let with_method = Requests {
        method: Some("GET".to_owned()),
        ..below("/a")
    };
    check(
        &[
            route("a:1", "one", &[below("/a"), below("/")]),
            route("a:2", "same-text", &[prefix("/a")]),
            route("a:3", "with-slash", &[prefix("/a/")]),
            route("a:4", "with-method", &[with_method]),
            route("a:5", "everything", &[prefix("/")]),
            // Longer ones and single paths are shared.
            route("a:6", "longer", &[prefix("/a/b"), prefix("/ab")]),
            route(
                "a:7",
                "one-path",
                &[Requests::with_path(Path::Is("/a".to_owned()))],
            ),
            route(
                "a:8",
                "regex",
                &[Requests::with_path(Path::Regex("/a.*".to_owned()))],
            ),
            route(
                "a:9",
                "same-regex",
                &[Requests::with_path(Path::Regex("/a.*".to_owned()))],
            ),
            route(
                "a:10",
                "same-path",
                &[Requests::with_path(Path::Is("/a".to_owned()))],
            ),
        ],
        &expect![[r#"
            a:1
            a:6
            a:7
            a:8
            a:2 with same-text: same-text asks for the prefix /a, which one has already and keeps: configure another one of the two, or remove a relation
            a:3 with with-slash: with-slash asks for the prefix /a/, which one has already and keeps: configure another one of the two, or remove a relation
            a:4 with with-method: with-method asks for the prefix /a, which one has already and keeps: configure another one of the two, or remove a relation
            a:5 with everything: everything asks for the prefix /, which one has already and keeps: configure another one of the two, or remove a relation
            a:9 with same-regex: same-regex asks for the paths '/a.*', which regex has already and keeps: configure another one of the two, or remove a relation
            a:10 with same-path: same-path asks for the path /a, which one-path has already and keeps: configure another one of the two, or remove a relation
        "#]],
    );
}

#[test]
fn another_host_is_another_prefix() {
    let domain = Requests {
        host: Host::Below("example.test".to_owned()),
        ..below("/a")
    };
    check(
        &[
            route("a:1", "any", &[below("/a")]),
            route("a:2", "one", &[of_host("a.example.test", below("/a"))]),
            route("a:3", "other", &[of_host("b.example.test", below("/a"))]),
            route("a:4", "domain", std::slice::from_ref(&domain)),
            route("a:5", "again", &[of_host("a.example.test", below("/a"))]),
            route("a:6", "domain-again", &[domain]),
        ],
        &expect![[r#"
            a:1
            a:2
            a:3
            a:4
            a:5 with again: again asks for the prefix /a of a.example.test, which one has already and keeps: configure another one of the two, or remove a relation
            a:6 with domain-again: domain-again asks for the prefix /a of hosts below example.test, which domain has already and keeps: configure another one of the two, or remove a relation
        "#]],
    );
}

use expect_test::{Expect, expect};
use juju::relation::Databag;
use serde_json::{Value, json};

use super::*;
use crate::intent::identity::Identity;
use crate::intent::ingress::route::{Answer, Backend, NewPath, Path, Route};

/// A relation with an application that has written this data, in version 1 unless it says other ones.
fn relation(number: u32, application: &str, data: &Value) -> Relation {
    let versions = data["versions"].as_str().unwrap_or("- v1\n");
    let mut bag = Databag::from([("_supported_versions", versions)]);
    if let Some(text) = data["text"].as_str() {
        bag = Databag::from([("_supported_versions", versions), ("data", text)]);
    }
    with_bag(number, application, bag)
}

fn with_bag(number: u32, application: &str, bag: Databag) -> Relation {
    Relation {
        application: Some(application.parse().unwrap()),
        remote_application: Some(bag),
        own_application: Some(Databag::default()),
        ..Relation::new(format!("ingress:{number}").parse().unwrap())
    }
}

fn saying(number: u32, application: &str, text: &str) -> Relation {
    relation(number, application, &json!({"text": text}))
}

fn line(route: &Route) -> String {
    let [rule] = route.rules.as_slice() else {
        panic!("{route:?}");
    };
    let (
        Path::Prefix(prefix),
        Answer::Forward {
            to,
            path: NewPath::InPlaceOfPrefix(rewrite),
            host: None,
        },
    ) = (&rule.requests.path, &rule.answer)
    else {
        panic!("{route:?}");
    };
    let Backend {
        service,
        namespace,
        port,
        ..
    } = &to[0];
    assert_eq!((&route.name, to.len()), (service, 1));
    format!("{prefix} -> {rewrite} on {service}.{namespace}:{port}\n")
}

/// The routes and problems of relations, a line each.
#[track_caller]
fn check(relations: &[Relation], expected: &Expect) {
    let mut intent = Intent::nothing(Identity::new("pilot", "kubeflow"));
    Ingress.request(relations, &Known::NOTHING, &mut intent);
    let mut asked = intent.ingress.unwrap_or_default();
    intent.problems.extend(asked.settle());
    let mut lines: Vec<String> = asked.routes.iter().map(line).collect();
    let problems = intent.problems.iter();
    lines.extend(problems.map(|it| format!("{:?}: {it}\n", it.remedy)));
    expected.assert_eq(&lines.concat());
}

#[test]
fn what_charms_of_kubeflow_write_is_read() {
    let both = json!({
        "versions": "- v1\n- v2\n",
        "text": "namespace: other\nport: 5000\nprefix: /mlflow/\nrewrite: /\nservice: mlflow\n",
    });
    check(
        &[
            saying(
                1,
                "dex-auth",
                "port: 5556\nprefix: /dex\nrewrite: /dex\nservice: dex-auth\n",
            ),
            saying(
                2,
                "katib-ui",
                "port: 8080\nprefix: /katib/\nservice: katib-ui\n",
            ),
            saying(
                3,
                "dashboard",
                "namespace: kubeflow\nport: 8082\nprefix: /\nrewrite: /\nservice: dashboard\n",
            ),
            relation(4, "mlflow", &both),
            saying(
                5,
                "json",
                r#"{"service": "a", "port": 80.0, "prefix": "/a", "rewrite": ""}"#,
            ),
            with_bag(
                6,
                "silent",
                Databag::from([("_supported_versions", "[\"v1\"]")]),
            ),
        ],
        &expect![[r#"
            /dex -> /dex on dex-auth.kubeflow:5556
            /katib/ -> /katib/ on katib-ui.kubeflow:8080
            / -> / on dashboard.kubeflow:8082
            /mlflow/ -> / on mlflow.other:5000
            /a -> /a on a.kubeflow:80
        "#]],
    );
}

#[test]
fn one_relation_that_cannot_be_served_is_a_problem_of_its_own() {
    let old = json!({"versions": "- v9\n"});
    let without_namespace = json!({
        "versions": "- v2\n", "text": "port: 1\nprefix: /c\nservice: c\n",
    });
    check(
        &[
            with_bag(1, "new", Databag::default()),
            relation(2, "other", &old),
            saying(3, "text", "port: '5556'\nprefix: /a\nservice: a\n"),
            relation(4, "nowhere", &without_namespace),
            saying(5, "broken", "{foo: ["),
            saying(6, "list", "[1, 2]"),
            saying(7, "capital", "port: 80\nprefix: /b\nservice: Dex\n"),
            saying(8, "far", "port: 70000\nprefix: /b\nservice: b\n"),
            saying(
                9,
                "fine",
                "port: 80\nprefix: \"/it's/\\\"fine\\\"\"\nservice: fine\n",
            ),
        ],
        &expect![[r#"
            /it's/"fine" -> /it's/"fine" on fine.kubeflow:80
            Time: ingress:1 with new: `_supported_versions` is not set yet; new must list v1 or v2 there, as charms made for this interface do
            Person: ingress:2 with other: `_supported_versions` lists no version that is supported here; other must support v1 or v2: refresh one of the two charms
            Person: ingress:3 with text: `data` has a `port` that is text and not a whole number; text must write it as the interface says
            Person: ingress:4 with nowhere: `data` has no `namespace`; nowhere must write it as the interface says
            Person: ingress:5 with broken: `data` is not YAML at line 2, column 1; broken must write one YAML document there
            Person: ingress:6 with list: `data` is not a mapping; list must write names of fields with values there
            Person: ingress:7 with capital: `service` is 'Dex', which is no name of Kubernetes: lower-case letters, digits and '-', at most 63 characters
            Person: ingress:8 with far: `port` is 70000, and ports are numbers from 1 to 65535
        "#]],
    );
}

#[test]
fn of_two_that_ask_for_the_same_the_older_keeps_it_and_both_are_named() {
    check(
        &[
            saying(1, "first", "port: 80\nprefix: /app\nservice: app\n"),
            saying(2, "second", "port: 80\nprefix: /app\nservice: other\n"),
            saying(3, "third", "port: 80\nprefix: /third\nservice: app\n"),
            saying(4, "fourth", "port: 80\nprefix: /app/\nservice: longer\n"),
        ],
        &expect![[r#"
            /app -> /app on app.kubeflow:80
            /app/ -> /app/ on longer.kubeflow:80
            Person: ingress:2 with second: second asks for the prefix /app, which first has already and keeps: configure another one of the two, or remove a relation
            Person: ingress:3 with third: third asks for the service app, which first has already and keeps: configure another one of the two, or remove a relation
        "#]],
    );
}

#[test]
fn the_leader_writes_both_versions_and_nothing_else() {
    let intent = Intent::nothing(Identity::new("pilot", "kubeflow"));
    let published = |leader| {
        let world = World::of(&intent, None, leader);
        let relation = saying(1, "dex-auth", "port: 1\nprefix: /dex\nservice: dex-auth\n");
        let published = Ingress.publish(&relation, &world);
        let bags = published.into_iter().map(|it| (it.bag, it.changes));
        bags.collect::<Vec<_>>()
    };
    let versions = Some("- v1\n- v2\n".to_owned());
    let wanted = [("_supported_versions".to_owned(), versions)].into();
    assert_eq!(published(true), [(OwnBag::Application, wanted)]);
    assert_eq!(published(false), []);
}

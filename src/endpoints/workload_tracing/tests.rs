use expect_test::{Expect, expect};
use juju::relation::Databag;

use super::*;
use crate::intent::identity::Identity;

/// A relation with an application that has written this.
fn relation(number: u32, application: &str, receivers: &str) -> Relation {
    Relation {
        application: Some(application.parse().unwrap()),
        remote_application: Some(Databag::from([(RECEIVERS, receivers)])),
        own_application: Some(Databag::default()),
        ..Relation::new(format!("workload-tracing:{number}").parse().unwrap())
    }
}

/// A list of one receiver.
fn at(url: &str) -> String {
    format!(r#"[{{"protocol": {{"name": "otlp_grpc", "type": "grpc"}}, "url": "{url}"}}]"#)
}

fn asked(relations: &[Relation]) -> Intent {
    let mut intent = Intent::nothing(Identity::new("pilot", "mesh"));
    WorkloadTracing.request(relations, &Known::NOTHING, &mut intent);
    intent
}

/// What collects spans, and the problems, a line each.
#[track_caller]
fn check(relations: &[Relation], expected: &Expect) {
    let intent = asked(relations);
    let mut lines: Vec<String> = match intent.extensions.unwrap().collector {
        Some(collector) => vec![format!("{:?}:{}\n", collector.host, collector.port)],
        None => Vec::new(),
    };
    let problems = intent.problems.iter();
    lines.extend(problems.map(|it| format!("{:?}: {it}\n", it.remedy)));
    expected.assert_eq(&lines.concat());
}

#[test]
fn the_receiver_of_the_protocol_that_envoy_speaks_is_taken() {
    let others = concat!(
        r#"[{"protocol": {"name": "otlp_http", "type": "http"}, "url": "http://t.cos.svc:4318"}, "#,
        r#"{"protocol": {"name": "otlp_grpc", "type": "grpc"}, "url": "t.cos.svc:4317"}, "#,
        r#"{"protocol": {"name": "otlp_grpc", "type": "grpc"}, "url": "second.cos.svc:4317"}]"#,
    );
    check(
        &[relation(1, "tempo", others)],
        &expect![[r#"
        Service("t.cos.svc.cluster.local"):4317
    "#]],
    );
    for (url, expected) in [
        (
            "tempo.cos.svc.cluster.local:4317",
            expect![[r#"
            Service("tempo.cos.svc.cluster.local"):4317
        "#]],
        ),
        (
            "http://Tempo.cos.svc:4317/",
            expect![[r#"
            Service("tempo.cos.svc.cluster.local"):4317
        "#]],
        ),
        (
            "tempo-0.tempo-endpoints.cos.svc.cluster.local:4317",
            expect![[r#"
                Name("tempo-0.tempo-endpoints.cos.svc.cluster.local"):4317
            "#]],
        ),
        (
            "tempo.example:443",
            expect![[r#"
            Name("tempo.example"):443
        "#]],
        ),
        (
            "10.1.2.3:4317",
            expect![[r#"
            Address(10.1.2.3):4317
        "#]],
        ),
        (
            "[fd00::1]:4317",
            expect![[r#"
            Address(fd00::1):4317
        "#]],
        ),
    ] {
        check(&[relation(1, "tempo", &at(url))], &expected);
    }
}

#[test]
fn what_is_not_said_yet_is_waited_for() {
    let silent = Relation {
        remote_application: Some(Databag::default()),
        ..relation(1, "tempo", "")
    };
    check(
        &[silent],
        &expect![[r#"
        Time: workload-tracing:1 with tempo: tempo has no receiver of `otlp_grpc` yet, so spans go nowhere
    "#]],
    );
    check(
        &[relation(1, "tempo", "[]")],
        &expect![[r#"
        Time: workload-tracing:1 with tempo: tempo has no receiver of `otlp_grpc` yet, so spans go nowhere
    "#]],
    );
    check(&[], &expect![[r#""#]]);
}

#[test]
fn what_cannot_be_used_is_a_problem_of_its_relation_and_the_next_one_serves() {
    let invalid = [
        "tempo",
        "{}",
        r#"[{"protocol": "otlp_grpc", "port": 4317}]"#,
        r#"[{"protocol": {"name": "otlp_grpc", "type": "tcp"}, "url": "t.cos.svc:4317"}]"#,
        &at("https://t.cos.svc:4317"),
        &at("t.cos.svc"),
        &at("t.cos.svc:0"),
        &at("t.cos.svc:70000"),
        &at("t.cos.svc:4317/path"),
        &at("tempo:4317"),
        &at("a b:1"),
        &at("user:hidden@t.cos.svc:4317"),
        &at(""),
    ];
    let relations = (1..)
        .zip(invalid)
        .map(|(number, it)| relation(number, "bad", it));
    let good = [at("t.cos.svc:4317"), at("t.cos.svc:4317")];
    let good = (20..)
        .zip(&good)
        .map(|(number, it)| relation(number, "good", it));
    check(
        &relations.chain(good).collect::<Vec<_>>(),
        &expect![[r#"
            Service("t.cos.svc.cluster.local"):4317
            Person: workload-tracing:1 with bad: `receivers` is no list of receivers with a protocol and an address (line 1, column 2)
            Person: workload-tracing:2 with bad: `receivers` is no list of receivers with a protocol and an address (line 1, column 0)
            Person: workload-tracing:3 with bad: `receivers` is no list of receivers with a protocol and an address (line 1, column 25)
            Person: workload-tracing:4 with bad: `receivers` is no list of receivers with a protocol and an address (line 1, column 49)
            Person: workload-tracing:5 with bad: `receivers` has no address for `otlp_grpc` that can be used: proxies send spans in plain text only
            Person: workload-tracing:6 with bad: `receivers` has no address for `otlp_grpc` that can be used: it has no port from 1 to 65535
            Person: workload-tracing:7 with bad: `receivers` has no address for `otlp_grpc` that can be used: it has no port from 1 to 65535
            Person: workload-tracing:8 with bad: `receivers` has no address for `otlp_grpc` that can be used: it has no port from 1 to 65535
            Person: workload-tracing:9 with bad: `receivers` has no address for `otlp_grpc` that can be used: it is not a host with a port
            Person: workload-tracing:10 with bad: `receivers` has no address for `otlp_grpc` that can be used: its host is neither an address nor a whole name: a shorter one means something else in each namespace
            Person: workload-tracing:11 with bad: `receivers` has no address for `otlp_grpc` that can be used: it is not a host with a port
            Person: workload-tracing:12 with bad: `receivers` has no address for `otlp_grpc` that can be used: it must have no user
            Person: workload-tracing:13 with bad: `receivers` has no address for `otlp_grpc` that can be used: it is not a host with a port
            Person: workload-tracing:21 with good: spans go to another relation's collector already: remove one of the two relations
        "#]],
    );
}

#[test]
fn the_leader_asks_for_that_protocol_once() {
    let published = |own: &str, leader| {
        let relation = Relation {
            own_application: Some(Databag::from([(RECEIVERS, own)])),
            ..relation(1, "tempo", "[]")
        };
        let intent = asked(std::slice::from_ref(&relation));
        let world = World::of(&intent, None, leader);
        let published = WorkloadTracing.publish(&relation, &world).into_iter();
        published.map(|it| it.changes).collect::<Vec<_>>()
    };
    let asked = r#"["otlp_grpc"]"#;
    let change = DatabagChanges::from([(RECEIVERS.to_owned(), Some(asked.to_owned()))]);
    assert_eq!(published("[\"zipkin\"]", true), [change]);
    assert_eq!(published(asked, true), [DatabagChanges::new()]);
    assert_eq!(published("", false), []);
}

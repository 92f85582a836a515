use expect_test::{Expect, expect};
use juju::relation::{Bag, OwnBag};

use super::*;
use crate::endpoints::ingress::Ingress;
use crate::endpoints::{Endpoint as _, Known};
use crate::intent::Intent;
use crate::intent::identity::Identity;
use crate::k8s::object::Object;
use crate::simulated::Simulated;

/// What the library writes for the application `grafana` of the model `cos`.
const GRAFANA: [(&str, &str); 3] = [
    ("model", "\"cos\""),
    ("name", "\"grafana\""),
    ("port", "3000"),
];

fn relation(number: u32, application: &str, remote: &[(&str, &str)]) -> Relation {
    let own = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    Relation {
        application: Some(application.parse().unwrap()),
        remote_application: Some(remote.iter().map(own).collect()),
        own_application: Some(Databag::default()),
        ..Relation::new(format!("ingress:{number}").parse().unwrap())
    }
}

/// What the library writes, with more.
fn grafana(more: &[(&'static str, &'static str)]) -> Relation {
    relation(3, "grafana", &[&GRAFANA, more].concat())
}

/// The routes and problems of relations, a line each.
#[track_caller]
fn check(relations: &[Relation], expected: &Expect) {
    let mut intent = Intent::nothing(Identity::new("pilot", "mesh"));
    Ingress.request(relations, &Known::NOTHING, &mut intent);
    let mut asked = intent.ingress.unwrap_or_default();
    intent.problems.extend(asked.settle());
    let mut lines: Vec<String> = asked
        .routes
        .iter()
        .map(|route| {
            let [Rule { requests, answer }] = route.rules.as_slice() else {
                panic!("{route:?}");
            };
            let Answer::Forward {
                to,
                path,
                host: None,
            } = answer
            else {
                panic!("{route:?}");
            };
            let [
                Backend {
                    service,
                    namespace,
                    port,
                    ..
                },
            ] = to.as_slice()
            else {
                panic!("{route:?}");
            };
            let (name, requested) = (&route.name, &requests.path);
            format!("{name}: {requested:?}, {path:?}, {service}.{namespace}:{port}\n")
        })
        .collect();
    let problems = intent.problems.iter();
    lines.extend(problems.map(|it| format!("{:?}: {it}\n", it.remedy)));
    expected.assert_eq(&lines.concat());
}

#[test]
fn what_the_library_writes_is_a_path_of_its_own() {
    let more = [
        ("strip-prefix", "true"),
        ("redirect-https", "true"),
        ("is_port_open", "true"),
        ("healthcheck_params", r#"{"path": "/health"}"#),
        ("scheme", "null"),
    ];
    check(
        &[grafana(&[])],
        &expect![[r#"
        grafana.cos.ingress-3: Below("/cos-grafana"), Same, grafana.cos:3000
    "#]],
    );
    check(
        &[grafana(&more)],
        &expect![[r#"
        grafana.cos.ingress-3: Below("/cos-grafana"), InPlaceOfPrefix("/"), grafana.cos:3000
    "#]],
    );
}

#[test]
fn both_kinds_share_the_endpoint_and_the_older_keeps_a_prefix() {
    let kubeflow = |number, prefix: &str| {
        let data = format!("port: 80\nprefix: {prefix}\nservice: app-{number}\n");
        let bag = [("_supported_versions", "- v1\n"), ("data", data.as_str())];
        relation(number, "kubeflow", &bag)
    };
    check(
        &[
            kubeflow(1, "/cos"),
            kubeflow(2, "/cos-loki"),
            grafana(&[]),
            relation(4, "loki", &[GRAFANA[0], ("name", "\"loki\""), GRAFANA[2]]),
            kubeflow(5, "/cos-grafana"),
            // The same path by other names.
            relation(
                6,
                "other",
                &[("model", "\"cos-grafana\""), ("name", "\"a\""), GRAFANA[2]],
            ),
            relation(
                7,
                "last",
                &[GRAFANA[0], ("name", "\"grafana-a\""), GRAFANA[2]],
            ),
        ],
        &expect![[r#"
            app-1: Prefix("/cos"), InPlaceOfPrefix("/cos"), app-1.mesh:80
            app-2: Prefix("/cos-loki"), InPlaceOfPrefix("/cos-loki"), app-2.mesh:80
            grafana.cos.ingress-3: Below("/cos-grafana"), Same, grafana.cos:3000
            a.cos-grafana.ingress-6: Below("/cos-grafana-a"), Same, a.cos-grafana:3000
            Person: ingress:4 with loki: loki asks for the prefix /cos-loki, which kubeflow has already and keeps: configure another one of the two, or remove a relation
            Person: ingress:5 with kubeflow: kubeflow asks for the prefix /cos-grafana, which grafana has already and keeps: configure another one of the two, or remove a relation
            Person: ingress:7 with last: last asks for the prefix /cos-grafana-a, which other has already and keeps: configure another one of the two, or remove a relation
        "#]],
    );
}

#[test]
fn a_mistake_of_one_is_its_own_problem() {
    let with = |number, key: &'static str, value: &'static str| {
        let mut bag: Vec<_> = GRAFANA.into_iter().filter(|it| it.0 != key).collect();
        bag.push((key, value));
        relation(number, "app", &bag)
    };
    check(
        &[
            with(1, "scheme", "\"https\""),
            with(2, "scheme", "\"h2c\""),
            with(3, "scheme", "\"ftp\""),
            with(4, "port", "\"3000\""),
            with(5, "port", "0"),
            with(6, "model", "cos"),
            with(7, "name", "\"Grafana\""),
            with(8, "name", ""),
            with(9, "strip-prefix", "\"true\""),
            with(10, "port", "3001"),
        ],
        &expect![[r#"
            grafana.cos.ingress-10: Below("/cos-grafana"), Same, grafana.cos:3001
            Person: ingress:1 with app: `scheme` is https, which is not supported here, as nobody says which authority to trust: app must serve plain HTTP behind the gateway
            Person: ingress:2 with app: `scheme` is h2c, which is not supported here: app must take HTTP/1.1 too, or ask for gRPC at istio-ingress-route
            Person: ingress:3 with app: `scheme` is 'ftp', which is none of http, https and h2c
            Person: ingress:4 with app: the databag has a `port` that is text and not a whole number; app must write it as version 2 of the library traefik_k8s.ingress does
            Person: ingress:5 with app: `port` is 0, and ports are numbers from 1 to 65535
            Person: ingress:6 with app: `model` is not JSON; app must write it as version 2 of the library traefik_k8s.ingress does
            Person: ingress:7 with app: `name` is 'Grafana', which is no name of Kubernetes: lower-case letters, digits and '-', at most 63 characters
            Person: ingress:8 with app: the databag has no `name`; app must write it as version 2 of the library traefik_k8s.ingress does
            Person: ingress:9 with app: the databag has a `strip-prefix` that is text and not true or false; app must write it as version 2 of the library traefik_k8s.ingress does
        "#]],
    );
}

#[test]
fn a_side_that_is_not_known_yet_is_treated_as_before() {
    let silent = relation(1, "app", &[]);
    let units_only = Relation {
        remote_application: None,
        ..silent.clone()
    };
    let both = relation(2, "app", &[GRAFANA[0], ("_supported_versions", "- v1\n")]);
    assert!(!is_spoken_by(&silent) && !is_spoken_by(&units_only) && !is_spoken_by(&both));
    assert!(is_spoken_by(&relation(1, "app", &GRAFANA[1..2])));
    check(
        &[silent],
        &expect![[r#"
        Time: ingress:1 with app: `_supported_versions` is not set yet; app must list v1 or v2 there, as charms made for this interface do
    "#]],
    );
    let expected = [Bag::RemoteApplication, Bag::OwnApplication];
    assert_eq!(Ingress.reads(), expected);
}

/// What a relation is told in a settled cluster with such a Service of the gateway, where the databag
/// holds that: a line for each change, then what is awaited.
fn told(cluster: &mut Simulated, relation: &Relation) -> String {
    let mut intent = Intent {
        ingress: None,
        problems: Vec::new(),
        ..cluster.intent.clone()
    };
    Ingress.request(std::slice::from_ref(relation), &Known::NOTHING, &mut intent);
    cluster.intent = intent.clone();
    let (observed, _) = cluster.assess();
    let world = World::of(&intent, Some(&observed), true);
    let published = Ingress.publish(relation, &world);
    assert!(published.iter().all(|it| it.bag == OwnBag::Application));
    let changes = published.iter().flat_map(|it| &it.changes);
    let lines = changes.map(|(key, value)| format!("{key} = {value:?}\n"));
    let awaited = Ingress.awaits(relation, &world);
    let awaited = awaited.map(|it| format!("{:?}: {it}\n", it.remedy));
    lines.chain(awaited).collect()
}

fn with_service(cluster: &mut Simulated, address: &str) {
    let service = json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {"name": "istio-ingressgateway-workload", "namespace": "mesh"},
        "spec": {"type": "LoadBalancer", "clusterIP": "10.1.1.1"},
        "status": {"loadBalancer": {"ingress": [{"ip": address}]}},
    });
    let service = Object::from_value(service).unwrap();
    cluster.live.insert(service.id().clone(), service);
}

#[test]
fn the_url_is_told_as_soon_as_the_gateway_has_an_address_and_a_certificate() {
    let mut cluster = Simulated::settled(&[]);
    let mut relation = grafana(&[]);
    relation.own_application = Some(Databag::from([("_supported_versions", "- v1\n- v2\n")]));
    expect![[r#"
        _supported_versions = None
        Time: ingress:3 with grafana: Service istio-ingressgateway-workload has no address yet; grafana is told once it has one
    "#]].assert_eq(&told(&mut cluster, &relation));
    with_service(&mut cluster, "192.0.2.1");
    expect![[r#"
        _supported_versions = None
        ingress = Some("{\"url\": \"http://192.0.2.1/cos-grafana\"}")
    "#]]
    .assert_eq(&told(&mut cluster, &relation));
    with_service(&mut cluster, "2001:db8::1");
    cluster.change(&crate::k8s::kind::GATEWAY, |it| {
        it["spec"]["servers"][0]["tls"] = json!({"mode": "SIMPLE"});
    });
    expect![[r#"
        _supported_versions = None
        ingress = Some("{\"url\": \"https://[2001:db8::1]/cos-grafana\"}")
    "#]]
    .assert_eq(&told(&mut cluster, &relation));
    // What it holds already is not written again.
    let url = r#"{"url": "https://[2001:db8::1]/cos-grafana"}"#;
    relation.own_application = Some(Databag::from([(KEY, url)]));
    expect![[r#""#]].assert_eq(&told(&mut cluster, &relation));
    // A gateway that is closed for now will open at the same place.
    cluster
        .live
        .retain(|id, _| !id.is(&crate::k8s::kind::GATEWAY));
    expect![[r#""#]].assert_eq(&told(&mut cluster, &relation));
    // One that has lost its address is nowhere.
    with_service(&mut cluster, "");
    expect![[r#"
        ingress = None
        Time: ingress:3 with grafana: Service istio-ingressgateway-workload has no address yet; grafana is told once it has one
    "#]].assert_eq(&told(&mut cluster, &relation));
}

#[test]
fn who_is_not_served_is_told_nothing_and_loses_what_it_was_told() {
    let mut cluster = Simulated::settled(&[]);
    with_service(&mut cluster, "192.0.2.1");
    let url = r#"{"url": "http://192.0.2.1/cos-grafana"}"#;
    let own = Some(Databag::from([(KEY, url)]));
    let wrong = Relation {
        own_application: own.clone(),
        ..grafana(&[("scheme", "\"https\"")])
    };
    expect![[r#"
        ingress = None
    "#]]
    .assert_eq(&told(&mut cluster, &wrong));
    // So does one that has become of the other kind.
    let mut cluster = Simulated::settled(&[]);
    let kubeflow = Relation {
        own_application: own,
        ..relation(3, "grafana", &[("_supported_versions", "- v1\n")])
    };
    expect![[r#"
        _supported_versions = Some("- v1\n- v2\n")
        ingress = None
    "#]]
    .assert_eq(&told(&mut cluster, &kubeflow));
}

#[test]
fn without_a_view_of_the_cluster_nothing_changes() {
    let intent = Simulated::new(&[]).intent;
    let world = World::of(&intent, None, true);
    assert_eq!(answer(&grafana(&[]), &world), DatabagChanges::new());
    assert_eq!(Ingress.awaits(&grafana(&[]), &world), None);
    let follower = World {
        leader: false,
        ..world
    };
    assert_eq!(Ingress.publish(&grafana(&[]), &follower), []);
}

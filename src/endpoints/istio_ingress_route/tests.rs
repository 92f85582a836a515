use expect_test::{Expect, expect};
use juju::relation::Databag;
use serde_json::json;

use super::*;
use crate::intent::identity::Identity;
use crate::k8s::kind::GATEWAY;
use crate::k8s::object::Object;
use crate::simulated::Simulated;

/// What the library writes for `katib-ui`.
const KATIB: &str = r#"{"model":"kubeflow","listeners":[{"port":80,"protocol":"HTTP"}],"http_routes":[{"name":"http-route","listener":{"port":80,"protocol":"HTTP"},"backends":[{"service":"katib-ui","port":8080,"weight":null}],"hostnames":null,"matches":[{"headers":null,"path":{"type":"PathPrefix","value":"/katib/"},"method":null}],"filters":null}],"grpc_routes":[]}"#;

fn relation(number: u32, application: &str, config: &str) -> Relation {
    Relation {
        application: Some(application.parse().unwrap()),
        remote_application: Some(Databag::from([(CONFIG, config)])),
        own_application: Some(Databag::default()),
        ..Relation::new(format!("istio-ingress-route:{number}").parse().unwrap())
    }
}

fn requested(relations: &[Relation], intent: &mut Intent) {
    IstioIngressRoute.request(relations, &Known::NOTHING, intent);
    let problems = intent.ingress.as_mut().unwrap().settle();
    intent.problems.extend(problems);
}

#[track_caller]
fn check(relations: &[Relation], expected: &Expect) {
    let mut intent = Intent::nothing(Identity::new("pilot", "mesh"));
    requested(relations, &mut intent);
    let ingress = intent.ingress.unwrap_or_default();
    assert_eq!(ingress.is_watched, !relations.is_empty());
    let routes = ingress.routes.iter().map(|route| {
        let paths = route
            .rules
            .iter()
            .map(|it| format!(" {:?}", it.requests.path));
        format!("{}:{}\n", route.name, paths.collect::<String>())
    });
    let problems = intent.problems.iter();
    let problems = problems.map(|it| format!("{:?}: {it}\n", it.remedy));
    expected.assert_eq(&routes.chain(problems).collect::<String>());
}

#[test]
fn one_relation_that_cannot_be_served_is_a_problem_of_its_own() {
    let other_port = KATIB.replace("80,", "3200,");
    let empty = r#"{"model":"kubeflow","listeners":[],"http_routes":[],"grpc_routes":[]}"#;
    check(&[], &expect![[r#""#]]);
    check(
        &[
            relation(1, "silent", ""),
            relation(2, "broken", "{"),
            relation(3, "katib-ui", KATIB),
            relation(4, "tempo", &other_port),
            relation(5, "second", KATIB),
            relation(6, "empty", empty),
            relation(7, "number", r#"{"model":7}"#),
        ],
        &expect![[r#"
            katib-ui.kubeflow.istio-ingress-route-3: Below("/katib")
            Time: istio-ingress-route:1 with silent: `config` is not set yet; silent must write its routes there
            Person: istio-ingress-route:2 with broken: `config` is not JSON at line 1, column 1
            Person: istio-ingress-route:4 with tempo: `config` is wrong at `http_routes[0].backends[0].port`: ports are numbers from 1 to 65535
            Person: istio-ingress-route:7 with number: `config` is wrong at `model`: expected a string
            Person: istio-ingress-route:5 with second: second asks for the prefix /katib, which katib-ui has already and keeps: configure another one of the two, or remove a relation
        "#]],
    );
}

/// What a relation is told, a line for each change, and then what is awaited.
fn told(cluster: &mut Simulated, relation: &Relation, leader: bool) -> String {
    let mut intent = Intent {
        ingress: None,
        problems: Vec::new(),
        ..cluster.intent.clone()
    };
    requested(std::slice::from_ref(relation), &mut intent);
    cluster.intent = intent.clone();
    let (observed, _) = cluster.assess();
    let world = World::of(&intent, Some(&observed), leader);
    let published = IstioIngressRoute.publish(relation, &world);
    let changes = published.iter().flat_map(|it| &it.changes);
    let lines = changes.map(|(key, value)| format!("{key} = {value:?}\n"));
    let awaited = IstioIngressRoute.awaits(relation, &world);
    let awaited = awaited.map(|it| format!("{:?}: {it}\n", it.remedy));
    lines.chain(awaited).collect()
}

#[test]
fn host_and_tls_are_told_as_python_writes_them_once_the_gateway_has_an_address() {
    let mut cluster = Simulated::settled(&[]);
    let katib = relation(1, "katib-ui", KATIB);
    expect![[r#"
        Time: istio-ingress-route:1 with katib-ui: Service istio-ingressgateway-workload has no address yet; katib-ui is told once it has one
    "#]].assert_eq(&told(&mut cluster, &katib, true));
    let service = json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {"name": "istio-ingressgateway-workload", "namespace": "mesh"},
        "spec": {"type": "ClusterIP", "clusterIP": "10.1.2.3"},
    });
    let service = Object::from_value(service).unwrap();
    cluster.live.insert(service.id().clone(), service);
    expect![[r#"
        external_host = Some("10.1.2.3")
        tls_enabled = Some("False")
    "#]]
    .assert_eq(&told(&mut cluster, &katib, true));
    assert_eq!(told(&mut cluster, &katib, false), "");
    cluster.change(&GATEWAY, |it| {
        it["spec"]["servers"][0]["tls"] = json!({"mode": "SIMPLE"});
    });
    let known = Relation {
        own_application: Some(Databag::from([
            ("external_host", "10.1.2.3"),
            ("tls_enabled", "False"),
        ])),
        ..katib
    };
    expect![[r#"
        tls_enabled = Some("True")
    "#]]
    .assert_eq(&told(&mut cluster, &known, true));
    // Who is not served any more hears nothing.
    let refused = Relation {
        remote_application: Some(Databag::from([(CONFIG, "{")])),
        ..known
    };
    expect![[r#"
        external_host = None
        tls_enabled = None
    "#]]
    .assert_eq(&told(&mut cluster, &refused, true));
}

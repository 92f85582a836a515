//! Routes, in the judgement of Istio's own `istioctl validate` and of a real API server: whatever other
//! charms ask for, both take what is made of it. What it does not take would hold back the routes of others too, as they
//! stand in one object.

#![allow(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it must be"
)]

use std::collections::BTreeSet;
use std::process::Command;

use anyhow::Result;
use istio_pilot::decide::{Facts, Secrets, decide};
use istio_pilot::desired::Desired;
use istio_pilot::desired::stream::to_yaml_stream;
use istio_pilot::endpoints::{self, Relations};
use istio_pilot::intent::Intent;
use istio_pilot::intent::identity::Identity;
use istio_pilot::intent::values::Options as CharmOptions;
use istio_pilot::k8s::kind::VIRTUAL_SERVICE;
use istio_pilot::k8s::object::Object;
use istio_pilot::k8s::version::KubernetesVersion;
use juju::relation::{Databag, Relation};
use k8s_openapi::jiff::Timestamp;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use test_cluster::command::output_of;
use test_cluster::{Options, Program, TestCluster};

/// What relations at both endpoints of routes mean.
fn intent(ingress: Vec<Relation>, routes: Vec<Relation>) -> Intent {
    decide(&Facts {
        relations: Relations::from([("ingress", ingress), ("istio-ingress-route", routes)]),
        options: CharmOptions::new(),
        leader: true,
        unit: None,
        secrets: Secrets::default(),
        now: Timestamp::UNIX_EPOCH,
        ..Facts::of_removal(Identity::new("pilot", "mesh"))
    })
}

fn virtual_services(intent: &Intent) -> Vec<Object> {
    let kubernetes = KubernetesVersion {
        major: 1,
        minor: 34,
    };
    let desired = Desired::new(intent, endpoints::objects(intent), kubernetes).unwrap();
    let objects = desired.settled().objects().iter();
    objects
        .filter(|it| it.is(&VIRTUAL_SERVICE))
        .cloned()
        .collect()
}

fn relation(endpoint: &str, number: usize, databag: Databag) -> Relation {
    Relation {
        application: Some(format!("app-{number}").parse().unwrap()),
        remote_application: Some(databag),
        ..Relation::new(format!("{endpoint}:{number}").parse().unwrap())
    }
}

/// A relation that is always there and sound.
fn dex() -> Relation {
    let data = "port: 5556\nprefix: /a\nservice: dex-auth\n";
    relation(
        "ingress",
        0,
        Databag::from([("_supported_versions", "- v1\n"), ("data", data)]),
    )
}

/// Runs `istioctl validate`, which needs no cluster.
fn validate(objects: &[Object]) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("objects.yaml");
    std::fs::write(&file, to_yaml_stream(objects))?;
    let mut command = Command::new(Program::Istioctl.path()?);
    let command = command.args(["validate", "--filename"]).arg(&file);
    // Whatever cluster the user of this machine works with is left alone.
    output_of(command.env("KUBECONFIG", "/dev/null"))?;
    Ok(())
}

/// Lets a real API server judge objects by schemas and rules of Istio's definitions, as it does when
/// they are written.
fn judged_by_server(objects: &[Object]) -> Result<()> {
    let cluster = TestCluster::start(&Options {
        controllers: false,
        ..Options::default()
    })?;
    for definition in istio_api::custom_resource_definitions()? {
        cluster.apply(&definition)?;
    }
    cluster.kubectl("wait --for=condition=Established crd --all --timeout=60s")?;
    cluster.kubectl("create namespace mesh")?;
    cluster.kubectl_with_input(
        "create --dry-run=server --validate=strict --filename=-",
        &to_yaml_stream(objects),
    )?;
    Ok(())
}

/// Texts that may stand anywhere, most of them out of place.
fn junk() -> BoxedStrategy<Value> {
    let texts = [
        "",
        "/",
        "a b",
        "%zz",
        "a\u{0}b",
        "é.example",
        "-",
        "'\"",
        "(?=a)",
        "*",
        "/\\1",
    ];
    let text = select(texts.map(|it| json!(it)).to_vec());
    let other = [
        json!(null),
        json!(0),
        json!(-1),
        json!(70_000),
        json!(1.5),
        json!([]),
        json!({}),
    ];
    prop_oneof![
        text,
        select(other.to_vec()),
        "\\PC{0,8}".prop_map(|it| json!(it))
    ]
    .boxed()
}

/// One of these, and now and then something else.
fn mostly(good: &[Value]) -> BoxedStrategy<Value> {
    prop_oneof![40 => select(good.to_vec()), 1 => junk()].boxed()
}

fn field(name: &'static str, values: BoxedStrategy<Value>) -> BoxedStrategy<Vec<(String, Value)>> {
    let absent = Just(Vec::new());
    let present = values.prop_map(move |it| vec![(name.to_owned(), it)]);
    prop_oneof![1 => absent, 3 => present].boxed()
}

fn object(fields: Vec<BoxedStrategy<Vec<(String, Value)>>>) -> BoxedStrategy<Value> {
    fields
        .prop_map(|it| Value::Object(it.into_iter().flatten().collect()))
        .boxed()
}

fn list(items: BoxedStrategy<Value>, longest: usize) -> BoxedStrategy<Value> {
    prop::collection::vec(items, 0..=longest)
        .prop_map(Value::Array)
        .boxed()
}

fn texts(good: &[&str]) -> BoxedStrategy<Value> {
    mostly(&good.iter().map(|it| json!(it)).collect::<Vec<_>>())
}

fn numbers(good: &[u32]) -> BoxedStrategy<Value> {
    mostly(&good.iter().map(|it| json!(it)).collect::<Vec<_>>())
}

const PATHS: [&str; 7] = ["/", "/a", "/a/b/", "/é 'x\"", "/a?b#c", "//", "/{a}/%7E"];

fn path_change() -> BoxedStrategy<Value> {
    let kinds = ["ReplaceFullPath", "ReplacePrefixMatch"];
    let change = |kind: &str, value: &Value| json!({"type": kind, "value": value});
    let change =
        (select(kinds.to_vec()), texts(&PATHS)).prop_map(move |(kind, it)| change(kind, &it));
    prop_oneof![20 => change, 1 => junk()].boxed()
}

fn filter() -> BoxedStrategy<Value> {
    let hosts = || texts(&["in.example", "*.example"]);
    let rewrite = object(vec![
        field("hostname", hosts()),
        field("path", path_change()),
    ]);
    let redirect = object(vec![
        field("scheme", texts(&["http", "https"])),
        field("hostname", hosts()),
        field("path", path_change()),
        field("port", numbers(&[443, 8443])),
        field("statusCode", numbers(&[301, 302, 304])),
    ]);
    prop_oneof![
        4 => rewrite.prop_map(|it| json!({"urlRewrite": it})),
        2 => redirect.prop_map(|it| json!({"requestRedirect": it})),
        1 => junk(),
    ]
    .boxed()
}

/// A route of HTTP or gRPC, whichever of the two kinds of matches is given.
fn route(matches: BoxedStrategy<Value>) -> BoxedStrategy<Value> {
    let backend = (
        texts(&["one", "two"]),
        numbers(&[80, 8080]),
        numbers(&[1, 50, 100]),
    );
    let backend = backend.prop_map(
        |(service, port, weight)| json!({"service": service, "port": port, "weight": weight}),
    );
    let hosts = texts(&["a.example", "*.b.example", "*", "A.example"]);
    let port = numbers(&[80]);
    let fields = object(vec![
        field("hostnames", list(hosts, 2)),
        field("matches", list(matches, 3)),
        field("filters", list(filter(), 1)),
    ]);
    (fields, prop::collection::vec(backend, 0..3), port)
        .prop_map(|(mut route, backends, port)| {
            route["name"] = json!("route");
            route["backends"] = json!(backends);
            route["listener"] = json!({"port": port, "protocol": "HTTP"});
            route
        })
        .boxed()
}

fn document() -> BoxedStrategy<String> {
    let headers = object(vec![
        field("X-A", texts(&["1", "ä"])),
        field("x_b", texts(&["2"])),
    ]);
    let path = object(vec![
        field("type", texts(&["Exact", "PathPrefix", "RegularExpression"])),
        Just(Vec::new()).boxed(),
        texts(&PATHS)
            .prop_map(|it| vec![("value".to_owned(), it)])
            .boxed(),
    ]);
    let http = object(vec![
        field("path", path),
        field("method", texts(&["GET", "PUT"])),
        field("headers", headers.clone()),
    ]);
    let call = (texts(&["a.B", "a.B.C"]), texts(&["Get"]));
    let call = call.prop_map(|(service, method)| json!({"service": service, "method": method}));
    let grpc = object(vec![
        field("method", call.boxed()),
        field("headers", headers),
    ]);
    (texts(&["shop"]), list(route(http), 3), list(route(grpc), 2))
        .prop_map(|(model, http, grpc)| {
            json!({"model": model, "http_routes": http, "grpc_routes": grpc}).to_string()
        })
        .boxed()
}

/// The databag of a charm with the library of traefik.
fn traefik() -> BoxedStrategy<Databag> {
    object(vec![
        field("model", texts(&["shop", "a"])),
        field("name", texts(&["app", "b"])),
        field("port", numbers(&[80])),
        field("strip-prefix", mostly(&[json!(true), json!(false)])),
        field("scheme", texts(&["http"])),
    ])
    .prop_map(|it| {
        let fields = it.as_object().unwrap().iter();
        fields
            .map(|(key, value)| (key.clone(), value.to_string()))
            .collect()
    })
    .boxed()
}

#[test]
fn istiod_and_the_api_server_take_what_is_made_of_whatever_charms_ask_for() -> Result<()> {
    let mut runner = TestRunner::deterministic();
    let relations = (
        prop::collection::vec(document(), 1..5),
        prop::collection::vec(traefik(), 0..3),
    );
    let mut objects = Vec::new();
    let (mut served, mut refused) = (0, 0);
    for _ in 0..400 {
        let (documents, databags) = relations.new_tree(&mut runner).unwrap().current();
        let traefik = databags.into_iter().zip(10..);
        let ingress = traefik.map(|(databag, number)| relation("ingress", number, databag));
        let routes = documents.iter().zip(1..).map(|(document, number)| {
            let databag = Databag::from([("config", document.as_str())]);
            relation("istio-ingress-route", number, databag)
        });
        let ingress: Vec<_> = [dex()].into_iter().chain(ingress).collect();
        let intent = intent(ingress, routes.collect());
        let made = virtual_services(&intent);
        // One relation is one object, or one problem; and the sound one is served, whatever the others
        // ask for.
        let names: BTreeSet<_> = made.iter().map(|it| it.id().name.clone()).collect();
        assert_eq!(names.len(), made.len());
        assert!(names.contains("dex-auth"), "{names:?}");
        served += made.len() - 1;
        refused += intent.problems.len();
        objects.extend(made);
    }
    assert!(
        served > 200 && refused > 200,
        "{served} served, {refused} refused"
    );
    validate(&objects)?;
    // One kubectl sends 50 a second.
    let mut seen = BTreeSet::new();
    objects.retain(|it| seen.insert(it.value().to_string()));
    objects.truncate(500);
    judged_by_server(&objects)
}

/// What expressions are put together from.
#[rustfmt::skip]
const PARTS: [&str; 31] = [
    "a", "/", ".", "*", "+", "?", "{2}", "{1,3}", "{,2}", "(", ")", "(?:", "(?i)", "[", "]", "[^", "-",
    "|", "^", "$", "\\d", "\\", "\\b", "\\pL", "\\x41", "&&", "[:alpha:]", "é", "\\.", "\\/", "\\-",
];

#[test]
fn istiod_reads_every_expression_that_is_taken() -> Result<()> {
    let mut runner = TestRunner::deterministic();
    let expressions = prop::collection::vec(select(&PARTS[..]), 1..9).prop_map(|it| it.concat());
    let mut objects = Vec::new();
    let mut refused = 0;
    for _ in 0..60 {
        let relations = (1..=500).map(|number| {
            let expression = expressions.new_tree(&mut runner).unwrap().current();
            let document = json!({"model": "shop", "http_routes": [{
                "name": "route",
                "listener": {"port": 80, "protocol": "HTTP"},
                // Each stands in its own object alone.
                "hostnames": [format!("host-{number}.example")],
                "backends": [{"service": "app", "port": 80}],
                "matches": [{"path": {"type": "RegularExpression", "value": expression}}],
            }]});
            let databag = Databag::from([("config", document.to_string().as_str())]);
            relation("istio-ingress-route", number, databag)
        });
        let intent = intent(Vec::new(), relations.collect());
        refused += intent.problems.len();
        objects.extend(virtual_services(&intent));
    }
    let taken = objects.len();
    assert!(
        taken > 1_000 && refused > 1_000,
        "{taken} taken, {refused} refused"
    );
    validate(&objects)
}

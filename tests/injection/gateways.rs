//! Gateways of the Gateway API: istiod makes the same Deployments and Services of them.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::Value;
use test_cluster::{Istiod, TestCluster};

use crate::compare::differences;
use crate::hostile;
use crate::istiod::through_istiod;

const GATEWAYS: &str = include_str!("gateways.yaml");

/// What istiod makes of a Gateway.
const KINDS: &str =
    "serviceaccounts,deployments,services,horizontalpodautoscalers,poddisruptionbudgets";

/// The label that all of them have.
const MADE_BY_ISTIOD: &str = "gateway.networking.k8s.io/gateway-name";

/// What the API server gives each object anew.
const GIVEN: &[&str] = &[
    "/metadata/uid",
    "/metadata/resourceVersion",
    "/metadata/generation",
    "/metadata/creationTimestamp",
    "/metadata/managedFields",
    "/metadata/ownerReferences/0/uid",
    "/spec/clusterIP",
    "/spec/clusterIPs",
    "/spec/healthCheckNodePort",
];

/// The Gateways of the file, and what they need, for the control plane in a namespace.
pub(crate) fn usual(namespace: &str) -> Vec<Value> {
    GATEWAYS
        .replace("istio-system", namespace)
        .split("\n---\n")
        .map(|text| serde_yaml::from_str(text).unwrap())
        .collect()
}

/// Waits until istiod has looked at the Gateways among the objects; gives those that it refused,
/// and why.
pub(crate) fn wait_for(istiod: &Istiod, objects: &[Value]) -> BTreeMap<String, String> {
    let names: Vec<String> = objects
        .iter()
        .filter(|object| object["kind"] == "Gateway")
        .map(|object| {
            let text = |key: &str| object["metadata"][key].as_str().unwrap().to_owned();
            format!("{}/{}", text("namespace"), text("name"))
        })
        .collect();
    let deadline = Instant::now() + Duration::from_secs(120);
    loop {
        let log = istiod.log();
        let ends: Vec<Option<Result<(), String>>> =
            names.iter().map(|name| end_of(&log, name)).collect();
        if ends.iter().all(Option::is_some) {
            let refused = names.into_iter().zip(ends);
            return refused
                .filter_map(|(name, end)| Some((name, end?.err()?)))
                .collect();
        }
        assert!(
            Instant::now() < deadline,
            "{:?}; istiod wrote:\n{log}",
            names.iter().zip(ends).collect::<Vec<_>>(),
        );
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// How istiod ended with a Gateway, if it did.
fn end_of(log: &str, name: &str) -> Option<Result<(), String>> {
    log.lines().find_map(|line| {
        let of_this = line.ends_with(&format!("\tgateway={name}"));
        if of_this && line.contains("gateway updated") {
            return Some(Ok(()));
        }
        let rendered = of_this
            .then(|| line.split_once("error rendering templates"))
            .flatten();
        let budget = format!("error handling {name}, and retry budget exceeded: ");
        let refusal = rendered.or_else(|| line.split_once(&budget));
        refusal.map(|(_, reason)| Err(reason.to_owned()))
    })
}

/// What istiod made of the Gateways, by kind, namespace and name, without what the API server
/// gives each object anew.
pub(crate) fn objects(cluster: &TestCluster) -> BTreeMap<String, Value> {
    let line = format!("{KINDS} --all-namespaces --selector='{MADE_BY_ISTIOD}'");
    let mut found = cluster.get(&line).unwrap();
    let found = found["items"].take();
    let objects: Vec<Value> = serde_json::from_value(found).unwrap();
    objects
        .into_iter()
        .map(|mut object| {
            for pointer in GIVEN {
                remove(&mut object, pointer);
            }
            let ports = object["spec"]["ports"].as_array_mut();
            for port in ports.into_iter().flatten() {
                remove(port, "/nodePort");
            }
            let text = |pointer| object.pointer(pointer).unwrap().as_str().unwrap();
            let name = ["/kind", "/metadata/namespace", "/metadata/name"].map(text);
            (name.join(" "), object)
        })
        .collect()
}

/// Takes the Gateways out of the cluster, and what istiod made of them.
pub(crate) fn delete_all(cluster: &TestCluster) {
    let delete = "delete --wait=false --all-namespaces";
    let gateways = format!("{delete} gateways.gateway.networking.k8s.io --all");
    cluster.kubectl(&gateways).unwrap();
    let made = format!("{delete} {KINDS} --selector='{MADE_BY_ISTIOD}'");
    cluster.kubectl(&made).unwrap();
}

/// Takes a field out of an object.
pub(crate) fn remove(object: &mut Value, pointer: &str) {
    let (parent, field) = pointer.rsplit_once('/').unwrap();
    if let Some(parent) = object.pointer_mut(parent).and_then(Value::as_object_mut) {
        parent.remove(field);
    }
}

#[test]
fn every_gateway_becomes_what_it_becomes_with_upstream() {
    for through in through_istiod() {
        let [upstream, ours] = [&through.upstream, &through.ours].map(|outcome| {
            let objects = outcome.objects.iter();
            let usual = objects.filter(|(name, _)| !hostile::is_hostile(name));
            usual.collect::<BTreeMap<_, _>>()
        });
        assert_eq!(
            upstream.keys().collect::<Vec<_>>(),
            ours.keys().collect::<Vec<_>>()
        );
        let number = |kind: &str| ours.keys().filter(|name| name.starts_with(kind)).count();
        let gateways = GATEWAYS.matches("\nkind: Gateway\n").count();
        // One is refused, see below; it has a service account and a service before that.
        assert_eq!(number("Deployment "), gateways - 1);
        assert_eq!(number("ServiceAccount "), gateways);
        // By the class of the waypoints, or by parameters of a Gateway's own.
        assert_eq!(number("HorizontalPodAutoscaler "), 4);
        assert_eq!(number("PodDisruptionBudget "), 1);
        let found: Vec<String> = upstream
            .iter()
            .zip(&ours)
            .flat_map(|((name, upstream), (_, ours))| {
                let found = differences(upstream, ours).into_iter();
                found.map(move |difference| format!("{name} {difference}"))
            })
            .collect();
        assert_eq!(found, Vec::<String>::new(), "CNI {}", through.setup.name);
    }
}

#[test]
fn a_gateway_is_refused_where_upstream_refuses_it() {
    for through in through_istiod() {
        for outcome in [&through.upstream, &through.ours] {
            let refused = outcome
                .refused
                .iter()
                .filter(|(name, _)| !hostile::is_hostile(name));
            let refused: Vec<_> = refused.collect();
            // A variable of the proxy's own, set again: the API server takes it only once.
            assert!(
                matches!(&refused[..], [(name, reason)] if name.as_str() == "edge/overridden"
                    && reason.contains(r#"duplicate entries for key [name="ISTIO_META_MESH_ID"]"#)),
                "{refused:?}"
            );
        }
    }
}

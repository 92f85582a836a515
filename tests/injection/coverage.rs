//! Whether the workloads and Gateways here have everything that upstream's templates ask for.

use std::collections::{BTreeMap, BTreeSet};

use istio_pilot::istio::Injection;
use serde_json::Value;

use crate::gateways;
use crate::setup::Setup;
use crate::workloads;

/// Names in upstream's templates that no workload has, and why none needs it.
const NOT_NEEDED: &[(&str, &str)] = &[
    (
        "apm.datadoghq.com/env",
        "only where Datadog traces, which the charm has no option for",
    ),
    (
        "k8s.v1.cni.cncf.io/networks",
        "only where Multus calls the CNI plugin, which the charm has no option for",
    ),
    (
        "gateway.istio.io/managed",
        "written, never read: a label of what istiod makes of a Gateway",
    ),
    (
        "gateway.networking.k8s.io/gateway-class-name",
        "written, never read: as above",
    ),
    (
        "gateway.istio.io/controller-version",
        "istiod itself gives it to every Gateway",
    ),
];

/// The names of labels and annotations in the actions of a template: a domain, a slash, a word,
/// between quotes or backticks.
fn names(template: &str) -> BTreeSet<&str> {
    let mut names = BTreeSet::new();
    for action in template.split("{{").skip(1) {
        let action = action.split("}}").next().unwrap_or_default();
        for word in action.split(['"', '`']) {
            let is_name = word.split_once('/').is_some_and(|(domain, name)| {
                let plain = |text: &str| {
                    text.chars()
                        .all(|it| it.is_ascii_alphanumeric() || matches!(it, '.' | '-'))
                };
                domain.contains('.') && plain(domain) && plain(name) && !name.is_empty()
            });
            if is_name {
                names.insert(word);
            }
        }
    }
    names
}

/// The keys of every `labels`, `annotations` and `matchLabels` in an object.
fn keys(object: &Value, found: &mut BTreeSet<String>) {
    match object {
        Value::Object(fields) => {
            for (field, value) in fields {
                if let ("labels" | "annotations" | "matchLabels", Value::Object(entries)) =
                    (field.as_str(), value)
                {
                    found.extend(entries.keys().cloned());
                }
                keys(value, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| keys(item, found)),
        _ => {}
    }
}

#[test]
fn whatever_upstream_asks_a_pod_or_a_gateway_for_one_has_here() {
    let mut here = BTreeSet::new();
    for workload in workloads::all() {
        keys(&workload.object, &mut here);
    }
    for object in gateways::usual("istio-system") {
        keys(&object, &mut here);
    }
    for injection in [Injection::IstioInit, Injection::IstioValidation] {
        let config: Value =
            serde_yaml::from_str(&Setup::plain(injection).upstream().config).unwrap();
        let templates: BTreeMap<String, String> =
            serde_json::from_value(config["templates"].clone()).unwrap();
        assert_eq!(templates.len(), 8, "{:?}", templates.keys());
        let asked_for: BTreeSet<&str> = templates.values().flat_map(|text| names(text)).collect();
        assert!(asked_for.len() > 40, "{asked_for:?}");
        let missing: Vec<&str> = asked_for
            .iter()
            .filter(|name| !here.contains(**name))
            .copied()
            .collect();
        let mut not_needed: Vec<&str> = NOT_NEEDED.iter().map(|(name, _)| *name).collect();
        not_needed.sort_unstable();
        assert_eq!(missing, not_needed);
    }
}

/// Whether any part of a workload is as `wanted` says, of a key and its value.
fn any(object: &Value, wanted: &dyn Fn(&str, &Value) -> bool) -> bool {
    match object {
        Value::Object(fields) => fields
            .iter()
            .any(|(key, value)| wanted(key, value) || any(value, wanted)),
        Value::Array(items) => items.iter().any(|item| any(item, wanted)),
        _ => false,
    }
}

#[test]
fn the_workloads_are_of_every_kind_and_shape() {
    let workloads = workloads::all();
    let some = |what: &str, wanted: &dyn Fn(&str, &Value) -> bool| {
        let found = workloads
            .iter()
            .any(|workload| any(&workload.object, wanted));
        assert!(found, "no workload has {what}");
    };
    for kind in [
        "Pod",
        "Deployment",
        "ReplicaSet",
        "StatefulSet",
        "DaemonSet",
        "Job",
        "CronJob",
        "List",
    ] {
        some(kind, &|key, value| key == "kind" && value == kind);
    }
    for field in [
        "httpGet",
        "tcpSocket",
        "grpc",
        "exec",
        "livenessProbe",
        "readinessProbe",
        "startupProbe",
        "initContainers",
        "imagePullSecrets",
        "fsGroup",
        "capabilities",
        "dnsPolicy",
    ] {
        some(field, &|key, _| key == field);
    }
    some("the host's network", &|key, value| {
        key == "hostNetwork" && value == true
    });
    for container in ["istio-proxy", "istio-init", "istio-validation"] {
        some(container, &|key, value| key == "name" && value == container);
    }
    some("a long name", &|key, value| {
        key == "name" && value.as_str().is_some_and(|name| name.len() > 63)
    });
    some("a user of OpenShift's ranges", &|key, value| {
        key == "runAsUser" && value.as_u64() > Some(1_000_000_000)
    });
    some("only IPv6 addresses", &|key, value| {
        key == "podIP" && value.as_str().is_some_and(|ip| ip.contains(':'))
    });
}

#[test]
fn names_are_found_in_actions_only() {
    let template = "example.com/outside: {{ index .Labels \"example.com/first\" }}\n\
                    {{ annotation .ObjectMeta `b.example.com/a.Name` \"a/b/c\" }} `example.com/x`";
    assert_eq!(
        names(template).into_iter().collect::<Vec<_>>(),
        ["b.example.com/a.Name", "example.com/first"]
    );
}

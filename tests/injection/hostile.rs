//! Text of users that tries to leave its place: it never becomes more than text.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::generator::annotation_names;
use crate::istiod::{Outcome, through_istiod};

const NAMESPACE: &str = "hostile";

/// The text without any meaning that the others are compared with, and its name.
const HARMLESS: (&str, &str) = ("harmless", "a/harmless");

/// The text that no object can have which is applied: the API server reads that as YAML.
const CONTROLS: &str = "controls";

/// Texts by their names. All hold a slash: an image without one is not taken.
fn texts() -> Vec<(&'static str, String)> {
    let texts = [
        HARMLESS,
        ("quotes", "a/b\"c'd`e\u{e9}\u{2028}\u{1f600}"),
        (
            "escapes",
            r"a/\n\x41\u0042\\ %s %!d(string=x): &x *y !!z [b, {c: d}] # e",
        ),
        (
            "actions",
            "a/{{ .Values.global.hub }}{{ fail \"x\" }}{{- /* */ -}}",
        ),
        // Both fit into a container of upstream's sidecar.
        (
            "field",
            "a/b\"\n    securityContext:\n      privileged: true\n    workingDir: \"/",
        ),
        ("container", "a/b\"\n  - name: evil\n    image: \"evil:1"),
        (CONTROLS, "a/\u{85}\u{feff}\u{7f}\u{1}"),
    ];
    let texts = texts.map(|(name, text)| (name, text.to_owned()));
    let long = ("long", format!("a/{}", "x".repeat(20_000)));
    texts.into_iter().chain([long]).collect()
}

/// Texts that YAML takes for something else. Whether they mean anything depends on their place.
const WORDS: &[(&str, &str)] = &[("nothing", "~"), ("flag", "true"), ("sequence", "- a")];

/// The annotations where upstream's templates do not keep a text in its place, so that the pod is
/// another one, or none. Ours has the text where it belongs.
const LOOSE_WITH_UPSTREAM: &[&str] = &[
    "proxy.istio.io/config",
    "sidecar.istio.io/agentLogLevel",
    "sidecar.istio.io/bootstrapOverride",
    "sidecar.istio.io/componentLogLevel",
    "sidecar.istio.io/logLevel",
    "sidecar.istio.io/proxyImage",
    "sidecar.istio.io/proxyImageType",
    "sidecar.istio.io/userVolume",
    "traffic.sidecar.istio.io/includeOutboundPorts",
];

fn texts_of_gateways() -> impl Iterator<Item = (&'static str, String)> {
    texts().into_iter().filter(|(name, _)| *name != CONTROLS)
}

/// All annotations that a pod can have an effect with, in turn with each text. istiod takes only
/// certain texts of many; of those no more than one is tried here.
fn cases() -> Vec<(&'static str, &'static str, String)> {
    let further = [
        "sidecar.istio.io/inject",
        "sidecar.istio.io/status",
        "proxy.istio.io/overrides",
    ];
    let mut cases = Vec::new();
    for key in annotation_names().into_iter().chain(further) {
        let texts = texts().into_iter();
        if CHECKED_BY_ISTIOD.contains(&key) {
            cases.extend(
                texts
                    .filter(|(name, _)| *name == "container")
                    .map(|(name, text)| (key, name, text)),
            );
            continue;
        }
        cases.extend(texts.map(|(name, text)| (key, name, value(key, &text))));
        cases.extend(
            WORDS
                .iter()
                .map(|(name, text)| (key, *name, (*text).to_owned())),
        );
    }
    cases
}

/// A volume of which istiod can read no more than the name: with upstream it is an empty one then,
/// and the application starts without what it has to find there.
const ONLY_OURS_REFUSES: (&str, &str) = ("sidecar.istio.io/userVolume", CONTROLS);

/// Annotations with which istiod refuses a pod unless their text is what it has to be.
const CHECKED_BY_ISTIOD: &[&str] = &[
    "inject.istio.io/templates",
    "istio.io/reroute-virtual-interfaces",
    "prometheus.io/port",
    "prometheus.istio.io/merge-metrics",
    "proxy.istio.io/overrides",
    "readiness.status.sidecar.istio.io/failureThreshold",
    "readiness.status.sidecar.istio.io/initialDelaySeconds",
    "readiness.status.sidecar.istio.io/periodSeconds",
    "sidecar.istio.io/interceptionMode",
    "sidecar.istio.io/proxyCPU",
    "sidecar.istio.io/proxyCPULimit",
    "sidecar.istio.io/proxyMemory",
    "sidecar.istio.io/proxyMemoryLimit",
    "status.sidecar.istio.io/port",
    "traffic.sidecar.istio.io/excludeInboundPorts",
    "traffic.sidecar.istio.io/excludeInterfaces",
    "traffic.sidecar.istio.io/excludeOutboundIPRanges",
    "traffic.sidecar.istio.io/excludeOutboundPorts",
    "traffic.sidecar.istio.io/includeInboundPorts",
    "traffic.sidecar.istio.io/includeOutboundIPRanges",
    "traffic.sidecar.istio.io/kubevirtInterfaces",
];

/// A text as the value of an annotation: where that is JSON, as a text of it.
fn value(key: &str, text: &str) -> String {
    match key {
        "proxy.istio.io/config" => json!({"proxyMetadata": {"A": text}}).to_string(),
        "sidecar.istio.io/userVolume" => {
            json!({"more": {"secret": {"secretName": text}}}).to_string()
        }
        _ => text.to_owned(),
    }
}

/// The name of a pod.
fn name(key: &str, text: &str) -> String {
    format!("{}-{text}", key.replace('/', ".").to_lowercase())
}

pub(crate) fn pods() -> Vec<Value> {
    let cases = cases().into_iter();
    cases
        .map(|(key, text, value)| {
            json!({
                "apiVersion": "v1", "kind": "Pod",
                "metadata": {
                    "name": name(key, text), "namespace": NAMESPACE, "annotations": {key: value},
                },
                "spec": {"containers": [{"name": "app", "image": "app:1"}]},
            })
        })
        .collect()
}

/// Kinds of Gateways by a short name: their class, the protocol of their listener, and the
/// annotations with the text.
const GATEWAYS: &[(&str, &str, &str, &[&str])] = &[
    ("levels", "istio", "HTTP", LEVELS),
    ("waypoint-levels", "istio-waypoint", "HBONE", LEVELS),
    ("image", "istio", "HTTP", &["sidecar.istio.io/proxyImage"]),
    (
        "agent-image",
        "istio-agentgateway",
        "HTTP",
        &["gateway.istio.io/agentgatewayImage"],
    ),
];

/// Of the log levels, and one that is only handed on.
const LEVELS: &[&str] = &[
    "sidecar.istio.io/logLevel",
    "sidecar.istio.io/componentLogLevel",
    "sidecar.istio.io/agentLogLevel",
    "example.com/note",
];

pub(crate) fn gateways() -> Vec<Value> {
    let mut gateways = Vec::new();
    for (kind, class, protocol, keys) in GATEWAYS {
        for (name, text) in texts_of_gateways() {
            let annotations: Map<String, Value> = keys
                .iter()
                .map(|key| ((*key).to_owned(), text.clone().into()))
                .collect();
            gateways.push(json!({
                "apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway",
                "metadata": {
                    "name": format!("{kind}-{name}"), "namespace": NAMESPACE,
                    "annotations": annotations,
                },
                "spec": {
                    "gatewayClassName": class,
                    "listeners": [{"name": "only", "port": 15008, "protocol": protocol}],
                },
            }));
        }
    }
    gateways
}

/// Whether a name, with its namespace, is of an object made of these.
pub(crate) fn is_hostile(name: &str) -> bool {
    name.contains(NAMESPACE)
}

/// What an object with the harmless text would be with another one. Text in JSON, as some
/// annotations and variables have it, becomes part of the object.
fn with_text(object: &Value, name: &str, text: &str) -> Value {
    match object {
        Value::String(string) => match serde_json::from_str(string) {
            Ok(inner @ Value::Object(_)) => with_text(&inner, name, text),
            _ => string
                .replace(&format!("-{}", HARMLESS.0), &format!("-{name}"))
                .replace(HARMLESS.1, text)
                .into(),
        },
        Value::Array(items) => items
            .iter()
            .map(|item| with_text(item, name, text))
            .collect(),
        Value::Object(fields) => fields
            .iter()
            // The API server decides it by the tag of the image.
            .filter(|(key, _)| *key != "imagePullPolicy")
            .map(|(key, field)| (key.clone(), with_text(field, name, text)))
            .collect(),
        other => other.clone(),
    }
}

/// As [`with_text`] leaves an object.
fn with_own_text(object: &Value) -> Value {
    with_text(object, HARMLESS.0, HARMLESS.1)
}

/// The pod of a case.
fn pod<'a>(outcome: &'a Outcome, key: &str, text: &str) -> Option<&'a Value> {
    outcome.pods[&format!("{NAMESPACE}/{}", name(key, text))].as_ref()
}

#[test]
fn text_in_an_annotation_of_a_pod_stays_text() {
    let texts = texts();
    for through in through_istiod() {
        for (key, name, _) in cases() {
            let Some((_, text)) = texts.iter().find(|(other, _)| *other == name) else {
                continue;
            };
            let upstream = pod(&through.upstream, key, name);
            let ours = pod(&through.ours, key, name);
            // Not every text is one that Kubernetes or istiod takes, whoever wrote the templates.
            let refused_anyway = upstream.is_none() || (key, name) == ONLY_OURS_REFUSES;
            if ours.is_none() && refused_anyway {
                continue;
            }
            let expected = pod(&through.ours, key, HARMLESS.0);
            assert_eq!(
                ours.map(with_own_text),
                expected.map(|expected| with_text(expected, name, text)),
                "CNI {}, {key}: {text}",
                through.setup.name,
            );
        }
    }
}

#[test]
fn text_in_an_annotation_of_a_pod_does_what_it_does_with_upstream() {
    let mut different = BTreeSet::new();
    for through in through_istiod() {
        for (key, text, _) in cases() {
            let [upstream, ours] =
                [&through.upstream, &through.ours].map(|outcome| pod(outcome, key, text));
            assert!(
                ours.is_some() || upstream.is_none() || (key, text) == ONLY_OURS_REFUSES,
                "only ours refuses {text} in {key}"
            );
            if CHECKED_BY_ISTIOD.contains(&key) {
                assert!(ours.is_none(), "{key}");
            }
            if upstream != ours {
                different.insert(key);
            }
        }
    }
    let different: Vec<&str> = different.into_iter().collect();
    assert_eq!(different, LOOSE_WITH_UPSTREAM);
}

#[test]
fn text_in_an_annotation_of_a_gateway_stays_text() {
    for through in through_istiod() {
        let refused = &through.ours.refused;
        assert!(!refused.keys().any(|name| is_hostile(name)), "{refused:?}");
        for (kind, class, ..) in GATEWAYS {
            // Only its own class makes istiod add the class to the names.
            let suffix = if *class == "istio" { "-istio" } else { "" };
            for (name, text) in texts_of_gateways() {
                for object in ["ServiceAccount", "Deployment", "Service"] {
                    let of = |outcome: &'static Outcome, text: &str| {
                        let name = format!("{object} {NAMESPACE} {kind}-{text}{suffix}");
                        outcome.objects.get(&name)
                    };
                    let harmless = of(&through.ours, HARMLESS.0).unwrap();
                    let ours = of(&through.ours, name).unwrap();
                    assert_eq!(
                        with_own_text(ours),
                        with_text(harmless, name, &text),
                        "CNI {}, {kind}: {text}",
                        through.setup.name
                    );
                    // Upstream does not keep the text of an image in its place.
                    if !kind.ends_with("image") {
                        assert_eq!(of(&through.upstream, name), Some(ours));
                    }
                }
            }
        }
    }
}

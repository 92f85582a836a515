//! Labels and annotations: all that upstream's templates and injector read.

use proptest::prelude::*;
use proptest::strategy::BoxedStrategy;
use serde_json::{Map, Value, json};

use super::{maybe, object, one_of};

/// A key, how often it is there, and its values.
type Entry = (&'static str, f64, BoxedStrategy<Value>);

fn texts(key: &'static str, probability: f64, values: &'static [&'static str]) -> Entry {
    (key, probability, one_of(values).boxed())
}

fn matching(key: &'static str, probability: f64, pattern: &'static str) -> Entry {
    let values = proptest::string::string_regex(pattern).unwrap();
    (key, probability, values.prop_map(Value::from).boxed())
}

/// A map in which each entry is there with its probability.
fn map(entries: Vec<Entry>) -> impl Strategy<Value = Value> {
    entries
        .into_iter()
        .map(|(key, probability, values)| {
            prop::option::weighted(probability, values)
                .prop_map(move |value| value.map(|value| (key.to_owned(), value)))
                .boxed()
        })
        .collect::<Vec<_>>()
        .prop_map(|entries| Value::Object(entries.into_iter().flatten().collect::<Map<_, _>>()))
}

/// The metadata of a pod.
pub(super) fn metadata() -> impl Strategy<Value = Value> {
    (map(labels()), map(annotations()))
        .prop_map(|(labels, annotations)| json!({"labels": labels, "annotations": annotations}))
}

/// The keys of [`annotations`].
pub(super) fn annotation_names() -> Vec<&'static str> {
    annotations().into_iter().map(|(key, ..)| key).collect()
}

fn labels() -> Vec<Entry> {
    let name = "([a-z0-9]([a-z0-9_.-]{0,60}[a-z0-9])?)?";
    vec![
        matching("app", 0.4, name),
        matching("version", 0.3, name),
        matching("app.kubernetes.io/name", 0.2, name),
        matching("app.kubernetes.io/version", 0.2, name),
        matching("service.istio.io/canonical-name", 0.1, name),
        matching("service.istio.io/canonical-revision", 0.1, name),
        matching("service.istio.io/workload-name", 0.1, name),
        texts("security.istio.io/tlsMode", 0.1, &["istio", "disabled", ""]),
        texts("networking.istio.io/tunnel", 0.1, &["http", "none"]),
        texts("topology.istio.io/network", 0.1, &["first", "second"]),
        texts("istio.io/rev", 0.1, &["default", "canary"]),
        texts(
            "sidecar.istio.io/inject",
            0.1,
            &["true", "true", "true", "false"],
        ),
    ]
}

#[expect(clippy::too_many_lines, reason = "a table")]
fn annotations() -> Vec<Entry> {
    let ports = "([1-9][0-9]{0,3}(, ?[1-9][0-9]{0,3}){0,3})?";
    let ranges = &[
        "",
        "10.0.0.0/8",
        "10.0.0.0/8,192.168.0.0/16",
        "fd00::/8",
        "::/0,0.0.0.0/0",
    ];
    let interfaces = "(eth[0-9](,[a-z]{2,8}[0-9]){0,2})?";
    let quantity = &["10m", "0.5", "2"];
    let memory = &["64Mi", "1G", "0.5Gi"];
    let seconds = "[1-9][0-9]{0,2}";
    vec![
        texts(
            "inject.istio.io/templates",
            0.3,
            &[
                "sidecar",
                "gateway",
                "gateway",
                "grpc-agent",
                "grpc-agent",
                "grpc-simple",
                "sidecar,grpc-simple",
            ],
        ),
        texts(
            "sidecar.istio.io/interceptionMode",
            0.3,
            &["REDIRECT", "TPROXY", "NONE"],
        ),
        texts(
            "sidecar.istio.io/nativeSidecar",
            0.3,
            &["true", "false", ""],
        ),
        texts(
            "sidecar.istio.io/capNetBindService",
            0.2,
            &["true", "false", ""],
        ),
        texts(
            "status.sidecar.istio.io/port",
            0.2,
            &["0", "15020", "15099"],
        ),
        matching("traffic.sidecar.istio.io/includeInboundPorts", 0.2, ports),
        matching("traffic.sidecar.istio.io/excludeInboundPorts", 0.3, ports),
        matching("traffic.sidecar.istio.io/includeOutboundPorts", 0.2, ports),
        matching("traffic.sidecar.istio.io/excludeOutboundPorts", 0.2, ports),
        texts(
            "traffic.sidecar.istio.io/includeOutboundIPRanges",
            0.2,
            ranges,
        ),
        texts(
            "traffic.sidecar.istio.io/excludeOutboundIPRanges",
            0.2,
            ranges,
        ),
        matching(
            "traffic.sidecar.istio.io/excludeInterfaces",
            0.1,
            interfaces,
        ),
        matching(
            "traffic.sidecar.istio.io/kubevirtInterfaces",
            0.1,
            interfaces,
        ),
        matching("istio.io/reroute-virtual-interfaces", 0.1, interfaces),
        texts(
            "sidecar.istio.io/proxyImage",
            0.1,
            &["own.example:5000/p:1", "p", ""],
        ),
        texts(
            "sidecar.istio.io/proxyImageType",
            0.1,
            &["debug", "distroless", "default"],
        ),
        matching("sidecar.istio.io/logLevel", 0.1, "[a-z]{1,8}"),
        matching(
            "sidecar.istio.io/componentLogLevel",
            0.1,
            "[a-z]{1,8}:[a-z]{1,8}(,a:b)?",
        ),
        matching(
            "sidecar.istio.io/agentLogLevel",
            0.1,
            "[a-z]{1,8}:[a-z]{1,8}(,a:b)?",
        ),
        texts("sidecar.istio.io/proxyCPU", 0.1, quantity),
        texts("sidecar.istio.io/proxyCPULimit", 0.1, quantity),
        texts("sidecar.istio.io/proxyMemory", 0.1, memory),
        texts("sidecar.istio.io/proxyMemoryLimit", 0.1, memory),
        matching(
            "readiness.status.sidecar.istio.io/initialDelaySeconds",
            0.1,
            seconds,
        ),
        matching(
            "readiness.status.sidecar.istio.io/periodSeconds",
            0.1,
            seconds,
        ),
        matching(
            "readiness.status.sidecar.istio.io/failureThreshold",
            0.1,
            seconds,
        ),
        matching(
            "sidecar.istio.io/bootstrapOverride",
            0.1,
            "[a-z]{1,8}-[a-z]",
        ),
        texts(
            "sidecar.istio.io/userVolume",
            0.1,
            &[
                "{}",
                r#"{"more": {"emptyDir": {}}, "a": {"secret": {"secretName": "s"}}}"#,
            ],
        ),
        texts(
            "sidecar.istio.io/userVolumeMount",
            0.1,
            &[
                "{}",
                r#"{"more": {"mountPath": "/m"}, "a": {"mountPath": "/a", "readOnly": true}}"#,
            ],
        ),
        texts(
            "sidecar.istio.io/rewriteAppHTTPProbers",
            0.1,
            &["true", "false"],
        ),
        texts("prometheus.io/scrape", 0.1, &["true", "false"]),
        texts("prometheus.io/port", 0.1, &["9090", "8080"]),
        texts("prometheus.io/path", 0.1, &["/metrics"]),
        texts("prometheus.istio.io/merge-metrics", 0.1, &["true", "false"]),
        texts(
            "kubectl.kubernetes.io/default-container",
            0.1,
            &["app0", "app1"],
        ),
        texts(
            "kubectl.kubernetes.io/default-logs-container",
            0.1,
            &["app0", "app1"],
        ),
        ("proxy.istio.io/config", 0.3, proxy_configuration().boxed()),
    ]
}

/// The annotation with which a pod configures its proxy, in JSON.
fn proxy_configuration() -> impl Strategy<Value = Value> {
    let variables = map(vec![
        texts("ISTIO_META_ENABLE_HBONE", 0.2, &["true", "false"]),
        texts("ISTIO_META_DNS_CAPTURE", 0.2, &["true"]),
        texts("IPTABLES_TRACE_LOGGING", 0.1, &["true", "false"]),
        texts("ISTIO_META_MESH_ID", 0.1, &["other"]),
        texts("ENVOY_SECURE_MERGED_METRICS_PORT", 0.1, &["15091"]),
        matching("A", 0.2, "[a-z =,&<>é]{0,12}"),
    ]);
    (
        maybe(variables),
        maybe(one_of(&["REDIRECT", "TPROXY"])),
        maybe(any::<bool>().prop_map(Value::from)),
        maybe(Just(json!({"imageType": "distroless"}))),
        maybe((0_u32..8).prop_map(Value::from)),
        maybe(one_of(&["10s", "1m30s"])),
    )
        .prop_map(|(variables, mode, hold, image, concurrency, drain)| {
            let configuration = object([
                ("proxyMetadata", variables),
                ("interceptionMode", mode),
                ("holdApplicationUntilProxyStarts", hold),
                ("image", image),
                ("concurrency", concurrency),
                ("drainDuration", drain),
            ]);
            configuration.to_string().into()
        })
}

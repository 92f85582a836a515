//! Containers: the application's, and parts of the proxy's that users write themselves.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{maybe, maybe_with, object, one_of};

/// The lists of a pod.
#[derive(Clone, Debug)]
pub(super) struct Containers {
    pub(super) first: Value,
    pub(super) main: Value,
}

/// One to three containers, up to two init containers, and sometimes parts of the proxy's.
pub(super) fn all() -> impl Strategy<Value = Containers> {
    (
        prop::collection::vec(container(), 1..4),
        prop::collection::vec(init_container(), 0..3),
        prop::option::weighted(0.2, own_proxy()),
        prop::option::weighted(0.1, own_redirection()),
        any::<prop::sample::Index>(),
    )
        .prop_map(|(mut main, mut first, proxy, redirection, place)| {
            name("app", &mut main);
            name("init", &mut first);
            if let Some((proxy, native)) = proxy {
                let list = if native { &mut first } else { &mut main };
                list.insert(place.index(list.len() + 1), proxy);
            }
            first.extend(redirection.into_iter().flatten());
            Containers {
                first: if first.is_empty() {
                    Value::Null
                } else {
                    json!(first)
                },
                main: json!(main),
            }
        })
}

fn name(prefix: &str, containers: &mut [Value]) {
    for (index, container) in containers.iter_mut().enumerate() {
        container["name"] = format!("{prefix}{index}").into();
    }
}

fn container() -> impl Strategy<Value = Value> {
    (
        maybe(ports()),
        maybe_with(0.4, probe()),
        maybe_with(0.4, probe()),
        maybe_with(0.2, probe()),
        maybe_with(0.3, Just(json!([{"name": "A", "value": "b"}, {"name": "LISTEN", "value": "[::]:80"}]))),
        maybe_with(0.3, security_context()),
        maybe_with(0.2, Just(json!({"limits": {"cpu": "1", "memory": "1Gi"}}))),
        maybe_with(0.1, Just(json!({"postStart": {"httpGet": {"port": 80}}, "preStop": {"exec": {"command": ["x"]}}}))),
        one_of(&["app:1", "registry:5000/app@sha256:0", "app"]),
    )
        .prop_map(|(ports, live, ready, start, env, security, resources, lifecycle, image)| {
            object([
                ("image", image),
                ("ports", ports),
                ("livenessProbe", live),
                ("readinessProbe", ready),
                ("startupProbe", start),
                ("env", env),
                ("securityContext", security),
                ("resources", resources),
                ("lifecycle", lifecycle),
            ])
        })
}

fn init_container() -> impl Strategy<Value = Value> {
    (
        maybe_with(0.3, Just(json!("Always"))),
        maybe_with(0.3, probe()),
    )
        .prop_map(|(restart, probe)| {
            object([
                ("image", json!("app:1")),
                // Only a container that runs on may have probes.
                (
                    "readinessProbe",
                    if restart.is_null() {
                        Value::Null
                    } else {
                        probe
                    },
                ),
                ("restartPolicy", restart),
            ])
        })
}

fn ports() -> impl Strategy<Value = Value> {
    let port = (
        1_u16..15000,
        maybe_with(0.3, one_of(&["http", "grpc-web", "a"])),
        maybe_with(0.3, one_of(&["TCP", "UDP", "SCTP"])),
        maybe_with(0.1, one_of(&["127.0.0.1", "::1"])),
    )
        .prop_map(|(number, name, protocol, address)| {
            object([
                ("containerPort", json!(number)),
                ("name", name),
                ("protocol", protocol),
                ("hostIP", address),
            ])
        });
    prop::collection::vec(port, 0..4).prop_map(Value::from)
}

fn probe() -> impl Strategy<Value = Value> {
    let port = prop_oneof![3 => (1_u16..15000).prop_map(Value::from), 1 => Just(json!("http"))];
    let action = prop_oneof![
        (
            port.clone(),
            maybe(one_of(&["/", "/healthz?full=1"])),
            maybe(one_of(&["HTTP", "HTTPS"]))
        )
            .prop_map(|(port, path, scheme)| {
                let get = object([("port", port), ("path", path), ("scheme", scheme)]);
                json!({"httpGet": get})
            }),
        port.prop_map(|port| json!({"tcpSocket": {"port": port}})),
        (1_u16..15000, maybe(one_of(&["shop", ""]))).prop_map(|(port, service)| {
            json!({"grpc": object([("port", json!(port)), ("service", service)])})
        }),
        Just(json!({"exec": {"command": ["check"]}})),
    ];
    (action, maybe(1_u32..60)).prop_map(|(mut probe, seconds)| {
        if !seconds.is_null() {
            probe["periodSeconds"] = seconds;
        }
        probe
    })
}

fn security_context() -> impl Strategy<Value = Value> {
    (
        // The second is of the range that OpenShift gives to namespaces.
        maybe(prop::sample::select(&[1000_u64, 1_000_650_000][..]).prop_map(Value::from)),
        maybe(any::<bool>().prop_map(Value::from)),
        maybe(Just(json!({"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}))),
    )
        .prop_map(|(user, no_root, capabilities)| {
            object([
                ("runAsUser", user),
                ("runAsNonRoot", no_root),
                ("capabilities", capabilities),
            ])
        })
}

/// A container `istio-proxy`, and whether it stands among the init containers.
fn own_proxy() -> impl Strategy<Value = (Value, bool)> {
    let users = (maybe(1001_u32..5000), maybe(1001_u32..5000))
        .prop_map(|(user, group)| object([("runAsUser", user), ("runAsGroup", group)]));
    (
        one_of(&["auto", "own.example/proxy:1"]),
        maybe(ports()),
        maybe(Just(json!([{"name": "ISTIO_META_CLUSTER_ID", "value": "mine"}, {"name": "MORE", "value": ""}]))),
        maybe_with(0.4, users),
        maybe_with(0.3, Just(json!({"requests": {"cpu": "1"}}))),
        maybe_with(0.2, probe()),
        maybe_with(0.2, Just(json!({"preStop": {"exec": {"command": ["sleep", "5"]}}}))),
        prop::bool::weighted(0.2),
    )
        .prop_map(|(image, ports, env, security, resources, ready, lifecycle, native)| {
            let proxy = object([
                ("name", json!("istio-proxy")),
                ("image", image),
                ("ports", ports),
                ("env", env),
                ("securityContext", security),
                ("resources", resources),
                ("readinessProbe", ready),
                ("lifecycle", lifecycle),
                ("restartPolicy", if native { json!("Always") } else { Value::Null }),
            ]);
            (proxy, native)
        })
}

/// Containers `istio-init` and `istio-validation` that users adjust.
fn own_redirection() -> impl Strategy<Value = Vec<Value>> {
    let adjusted = |name: &'static str| json!({"name": name, "image": "auto", "resources": {"requests": {"cpu": "1m"}}});
    prop_oneof![
        Just(vec![adjusted("istio-init")]),
        Just(vec![adjusted("istio-validation")]),
        Just(vec![adjusted("istio-init"), adjusted("istio-validation")]),
    ]
}

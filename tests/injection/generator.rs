//! Random workloads: a grammar of what injection looks at.

mod containers;
mod metadata;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// The annotations that injection reads: its templates, and istiod itself.
pub(crate) fn annotation_names() -> Vec<&'static str> {
    metadata::annotation_names()
}

/// Nothing, or something: each with even odds.
fn maybe<S: Strategy<Value: Into<Value>>>(strategy: S) -> impl Strategy<Value = Value> {
    maybe_with(0.5, strategy)
}

/// Nothing (null), or with this probability something.
fn maybe_with<S: Strategy<Value: Into<Value>>>(
    probability: f64,
    strategy: S,
) -> impl Strategy<Value = Value> {
    prop::option::weighted(probability, strategy)
        .prop_map(|value| value.map_or(Value::Null, Into::into))
}

/// A map of these fields without those that are null.
fn object<const N: usize>(fields: [(&str, Value); N]) -> Value {
    let fields = fields.into_iter().filter(|(_, value)| !value.is_null());
    Value::Object(fields.map(|(key, value)| (key.to_owned(), value)).collect())
}

/// One of these texts.
fn one_of(texts: &'static [&'static str]) -> impl Strategy<Value = Value> {
    prop::sample::select(texts).prop_map(Value::from)
}

/// A workload of any kind.
pub(crate) fn workload() -> impl Strategy<Value = Value> {
    (kind(), names(), metadata::metadata(), specification()).prop_map(
        |(kind, names, metadata, specification)| {
            let mut pod = json!({"metadata": metadata, "spec": specification});
            match kind {
                Kind::Pod => {
                    for (key, value) in names {
                        pod["metadata"][key] = value;
                    }
                    pod["apiVersion"] = "v1".into();
                    pod["kind"] = "Pod".into();
                    pod
                }
                Kind::Job => json!({
                    "apiVersion": "batch/v1", "kind": "Job",
                    "metadata": names, "spec": {"template": pod},
                }),
                Kind::CronJob => json!({
                    "apiVersion": "batch/v1", "kind": "CronJob", "metadata": names,
                    "spec": {"schedule": "@daily", "jobTemplate": {
                        "metadata": pod["metadata"], "spec": {"template": pod},
                    }},
                }),
                Kind::Controller(kind) => json!({
                    "apiVersion": "apps/v1", "kind": kind, "metadata": names,
                    "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": pod},
                }),
            }
        },
    )
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Pod,
    Job,
    CronJob,
    Controller(&'static str),
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        4 => Just(Kind::Pod),
        1 => Just(Kind::Job),
        1 => Just(Kind::CronJob),
        4 => prop::sample::select(&["Deployment", "DaemonSet", "StatefulSet", "ReplicaSet"][..])
            .prop_map(Kind::Controller),
    ]
}

/// Name and namespace, and for some the owner that the API server would know.
fn names() -> impl Strategy<Value = Map<String, Value>> {
    let name = prop_oneof![
        6 => "[a-z][a-z0-9-]{0,20}[a-z0-9]",
        // Longer than a label may be, with dashes where it is cut.
        1 => "[a-z]{60}[a-z-]{5}[a-z]{5}",
        // What YAML takes for something else than text.
        1 => prop::sample::select(&["null", "true", "no", "1e3", "0x10", "1.5"][..])
            .prop_map(str::to_owned),
    ];
    let owner = prop_oneof![
        4 => Just(Value::Null),
        1 => Just(json!([{
            "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-6f7c8d", "uid": "1",
            "controller": true,
        }])),
        1 => Just(json!([{
            "apiVersion": "batch/v1", "kind": "Job", "name": "nightly-29000000", "uid": "1",
            "controller": true,
        }])),
    ];
    (
        name,
        any::<bool>(),
        maybe(one_of(&["team", "edge", "default"])),
        owner,
    )
        .prop_map(|(name, generated, namespace, owner)| {
            let mut names = Map::new();
            if owner.is_null() && !generated {
                names.insert("name".to_owned(), name.into());
            } else if owner.is_null() {
                // A controller's own name cannot be generated here; a pod's can.
                names.insert("name".to_owned(), format!("{name}-own").into());
                names.insert("generateName".to_owned(), format!("{name}-").into());
            } else {
                names.insert("generateName".to_owned(), "web-6f7c8d-".into());
                names.insert("labels".to_owned(), json!({"pod-template-hash": "6f7c8d"}));
                names.insert("ownerReferences".to_owned(), owner);
            }
            if !namespace.is_null() {
                names.insert("namespace".to_owned(), namespace);
            }
            names
        })
}

/// A pod's specification.
fn specification() -> impl Strategy<Value = Value> {
    (
        containers::all(),
        maybe_with(0.03, Just(json!(true))),
        maybe_with(0.3, one_of(&["web", "default", ""])),
        maybe_with(0.2, one_of(&["ClusterFirst", "Default", "None"])),
        maybe_with(
            0.3,
            (maybe(1000_u32..2000), maybe(Just(json!(true))), maybe(Just(json!(2000)))).prop_map(
                |(user, no_root, group)| {
                    object([
                        ("runAsUser", user),
                        ("runAsNonRoot", no_root),
                        ("fsGroup", group),
                    ])
                },
            ),
        ),
        maybe_with(0.2, Just(json!([{"name": "registry"}]))),
        maybe_with(
            0.3,
            Just(json!([{"name": "data", "emptyDir": {}}, {"name": "config", "configMap": {"name": "c"}}])),
        ),
    )
        .prop_map(|(containers, host, account, dns, security, secrets, volumes)| {
            object([
                ("initContainers", containers.first),
                ("containers", containers.main),
                ("hostNetwork", host),
                ("serviceAccountName", account),
                ("dnsPolicy", dns),
                ("securityContext", security),
                ("imagePullSecrets", secrets),
                ("volumes", volumes),
            ])
        })
}

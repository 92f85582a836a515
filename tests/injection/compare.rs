//! What differs between two objects, and which differences are meant.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;

use crate::setup::Setup;
use crate::workloads::Workload;

/// A place where two objects differ.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Difference {
    /// As a JSON pointer.
    pub(crate) path: String,
    pub(crate) upstream: Option<Value>,
    pub(crate) ours: Option<Value>,
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |value: &Option<Value>| {
            value
                .as_ref()
                .map_or("nothing".to_owned(), Value::to_string)
        };
        write!(
            formatter,
            "{}: upstream has {}, ours {}",
            self.path,
            text(&self.upstream),
            text(&self.ours)
        )
    }
}

/// Every difference, down to single values; lists of different length differ as a whole.
pub(crate) fn differences(upstream: &Value, ours: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    collect(String::new(), Some(upstream), Some(ours), &mut found);
    found
}

fn collect(
    path: String,
    upstream: Option<&Value>,
    ours: Option<&Value>,
    found: &mut Vec<Difference>,
) {
    match (upstream, ours) {
        (Some(Value::Object(upstream)), Some(Value::Object(ours))) => {
            let keys: BTreeSet<&String> = upstream.keys().chain(ours.keys()).collect();
            for key in keys {
                let key_path = format!("{path}/{}", key.replace('~', "~0").replace('/', "~1"));
                collect(key_path, upstream.get(key), ours.get(key), found);
            }
        }
        (Some(Value::Array(upstream)), Some(Value::Array(ours)))
            if upstream.len() == ours.len() =>
        {
            for (index, (upstream, ours)) in upstream.iter().zip(ours).enumerate() {
                collect(format!("{path}/{index}"), Some(upstream), Some(ours), found);
            }
        }
        _ if upstream == ours => {}
        _ => found.push(Difference {
            path,
            upstream: upstream.cloned(),
            ours: ours.cloned(),
        }),
    }
}

/// Where a difference was found.
pub(crate) struct Place<'a> {
    pub(crate) setup: &'a Setup,
    pub(crate) workload: &'a Workload,
    /// What our configuration made of it.
    pub(crate) ours: &'a Value,
}

impl Place<'_> {
    /// Whether the difference is in this field of this container.
    fn container_field(&self, difference: &Difference, container: &str, field: &str) -> bool {
        let Some((before, after)) = difference.path.split_once("ontainers/") else {
            return false;
        };
        let Some((index, fields)) = after.split_once('/') else {
            return false;
        };
        let pointer = format!("{before}ontainers/{index}/name");
        let same_field = fields
            .strip_prefix(field)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        same_field && self.ours.pointer(&pointer) == Some(&Value::from(container))
    }

    fn template(&self) -> &str {
        self.workload
            .pod_annotation("inject.istio.io/templates")
            .unwrap_or("sidecar")
    }

    fn traces_rules(&self) -> bool {
        self.workload
            .pod_annotation("proxy.istio.io/config")
            .is_some_and(|config| config.contains("IPTABLES_TRACE_LOGGING"))
    }
}

/// A difference that is meant.
pub(crate) struct Reviewed {
    pub(crate) reason: &'static str,
    covers: fn(&Place, &Difference) -> bool,
}

/// All differences between upstream's pods and ours.
pub(crate) const REVIEWED: &[Reviewed] = &[
    Reviewed {
        reason: "With the node agent, IPTABLES_TRACE_LOGGING in the proxy's metadata does not make \
                 the proxy a privileged container run by root. In Istio 1.31.1 the agent does \
                 nothing with these rights (the CNI plugin is what adds the traces), and that no \
                 pod gets a privileged container by an annotation is what the node agent is for.",
        covers: |place, difference| {
            place.setup.validates()
                && place.traces_rules()
                && place.container_field(difference, "istio-proxy", "securityContext")
        },
    },
    Reviewed {
        reason: "grpc-agent with the status port 0 keeps the agent's resources and mounts. \
                 Upstream drops them together with the readiness probe, and the agent cannot \
                 start without its token; mounts that the pod asks for land in its environment.",
        covers: |place, difference| {
            place.template() == "grpc-agent"
                && place
                    .workload
                    .pod_annotation("status.sidecar.istio.io/port")
                    == Some("0")
                && (place.container_field(difference, "istio-proxy", "resources")
                    || place.container_field(difference, "istio-proxy", "volumeMounts")
                    || (place.container_field(difference, "istio-proxy", "env")
                        && place
                            .workload
                            .pod_annotation("sidecar.istio.io/userVolumeMount")
                            .is_some()))
        },
    },
    Reviewed {
        reason: "grpc-simple writes gRPC's bootstrap file with a script of our own, which has \
                 istiod's namespace in it. Upstream takes it from a variable that ends in a line \
                 break, and the address in its file has a space in it: nobody finds istiod there \
                 (`grpc.rs` runs both scripts).",
        covers: |place, difference| {
            place.template().contains("grpc-simple")
                && ["command", "env"]
                    .iter()
                    .any(|field| place.container_field(difference, "grpc-bootstrap-init", field))
        },
    },
    Reviewed {
        reason: "Where the configuration names a whole image, a pod's annotation proxyImage \
                 without a slash leaves it at that. Upstream puts hub and tag around the whole \
                 image, which names nothing.",
        covers: |place, difference| {
            let images = &place.setup.mesh.images;
            let composed = |image: &str| format!("{}/{image}:{}", images.hub, images.tag);
            place
                .workload
                .pod_annotation("sidecar.istio.io/proxyImage")
                .is_some_and(|image| !image.contains('/'))
                && [&images.proxy, &images.proxy_init].iter().any(|image| {
                    difference.upstream == Some(Value::from(composed(image)))
                        && difference.ours == Some(Value::from(image.as_str()))
                })
        },
    },
];

/// The index in [`REVIEWED`] of what covers a difference.
pub(crate) fn reviewed(place: &Place, difference: &Difference) -> Option<usize> {
    REVIEWED
        .iter()
        .position(|reviewed| (reviewed.covers)(place, difference))
}

#[test]
fn differences_are_found_and_named() {
    let upstream = serde_json::json!({"same": 1, "a/b": [1, {"c": 2}], "gone": true, "list": [1]});
    let ours = serde_json::json!({"same": 1, "a/b": [1, {"c": 3}], "new": null, "list": [1, 2]});
    let texts: Vec<String> = differences(&upstream, &ours)
        .iter()
        .map(Difference::to_string)
        .collect();
    assert_eq!(
        texts,
        [
            "/a~1b/1/c: upstream has 2, ours 3",
            "/gone: upstream has true, ours nothing",
            "/list: upstream has [1], ours [1,2]",
            "/new: upstream has nothing, ours null",
        ]
    );
}

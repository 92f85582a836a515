//! Services that the platform does not tell Istio about.
//!
//! Follows <https://istio.io/latest/docs/reference/config/networking/service-entry/>.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_with::skip_serializing_none;

use super::{label_selector::WorkloadLabels, port::IS_PORT, workload_entry::WorkloadEntrySpec};
use crate::{
    Kind,
    schema::{Rule, items, map_list, rules},
    status::IstioStatus,
};

const SELECTOR_OR_ENDPOINTS: Rule = Rule {
    message: "only one of WorkloadSelector or Endpoints can be set",
    rule: "(has(self.workloadSelector) ? 1 : 0) + (has(self.endpoints) ? 1 : 0) <= 1",
};
const RANGES_ARE_NOT_RESOLVED: Rule = Rule {
    message: "CIDR addresses are allowed only for NONE/STATIC resolution types",
    rule: r#"!((has(self.addresses) ? self.addresses : []).exists(k, k.contains("/")) && !((has(self.resolution) ? self.resolution : "NONE") in ["STATIC", "NONE"]))"#,
};
const NONE_WITHOUT_ENDPOINTS: Rule = Rule {
    message: "NONE mode cannot set endpoints",
    rule: r#"((has(self.resolution) ? self.resolution : "NONE") == "NONE") ? !has(self.endpoints) : true"#,
};
const ROUND_ROBIN_HAS_ONE_ENDPOINT: Rule = Rule {
    message: "DNS_ROUND_ROBIN mode cannot have multiple endpoints",
    rule: r#"((has(self.resolution) ? self.resolution : "") == "DNS_ROUND_ROBIN") ? ((has(self.endpoints) ? self.endpoints : []).size() <= 1) : true"#,
};
const NOT_ANY_HOST: Rule = Rule {
    message: "hostname cannot be wildcard",
    rule: r#"self != "*""#,
};
const DIFFERENT_NUMBERS: Rule = Rule {
    message: "port number cannot be duplicated",
    rule: "self.all(l1, self.exists_one(l2, l1.number == l2.number))",
};

/// A service in Istio's registry: one outside the mesh, or one of workloads outside Kubernetes.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, CustomResource)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = rules(&[
    SELECTOR_OR_ENDPOINTS,
    RANGES_ARE_NOT_RESOLVED,
    NONE_WITHOUT_ENDPOINTS,
    ROUND_ROBIN_HAS_ONE_ENDPOINT,
]))]
#[kube(
    group = "networking.istio.io",
    version = "v1",
    kind = "ServiceEntry",
    plural = "serviceentries",
    shortname = "se",
    namespaced,
    status = "IstioStatus",
    schema = "disabled",
    derive = "Default",
    derive = "PartialEq",
    printcolumn(name = "Hosts", type_ = "string", json_path = ".spec.hosts"),
    printcolumn(name = "Location", type_ = "string", json_path = ".spec.location"),
    printcolumn(name = "Resolution", type_ = "string", json_path = ".spec.resolution"),
    printcolumn(
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp"
    )
)]
pub struct ServiceEntrySpec {
    /// The service's names, 1 to 256: domain names, `*` possible as first label, but not alone.
    #[schemars(
        length(min = 1, max = 256),
        transform = items(json!({ "x-kubernetes-validations": [NOT_ANY_HOST] }))
    )]
    pub hosts: Vec<String>,
    /// Virtual addresses of the service, or ranges of them; at most 256. Traffic to them belongs to
    /// it. Without any, TCP traffic is told apart by port alone.
    #[schemars(length(max = 256), inner(length(max = 64)))]
    pub addresses: Option<Vec<String>>,
    /// The service's ports, at most 256; exactly one if the endpoints are sockets.
    #[schemars(
        length(max = 256),
        transform = map_list("name"),
        transform = rules(&[DIFFERENT_NUMBERS])
    )]
    pub ports: Option<Vec<ServicePort>>,
    /// Whether it belongs to the mesh; `MESH_EXTERNAL` by default.
    pub location: Option<Location>,
    /// How its endpoints are found; `NONE` by default.
    pub resolution: Option<Resolution>,
    /// The endpoints, at most 4096; not together with `workloadSelector`.
    #[schemars(length(max = 4096))]
    pub endpoints: Option<Vec<WorkloadEntrySpec>>,
    /// Selects pods and workload entries of the namespace as endpoints, for services in the mesh;
    /// not together with `endpoints`.
    pub workload_selector: Option<WorkloadLabels>,
    /// The namespaces that see it: names, `.` for its own, or `*` for all, which is the default.
    /// Ztunnel and waypoints always take it as `*`.
    pub export_to: Option<Vec<String>>,
    /// Names of which one must be in the server's certificate, besides those of the service
    /// accounts of selected workload entries.
    pub subject_alt_names: Option<Vec<String>>,
}

impl Kind for ServiceEntry {
    const VERSIONS: &'static [&'static str] = &["v1", "v1alpha3", "v1beta1"];
    const STORAGE_VERSION: &'static str = "v1";
    const SPEC_REQUIRED: bool = true;
}

/// Whether a service belongs to the mesh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Location {
    /// It does not: no mutual TLS, and clients enforce the policies.
    MeshExternal,
    /// It does, such as a virtual machine with a proxy.
    MeshInternal,
}

/// How proxies find the address to send traffic to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Resolution {
    /// It is the one that the client connects to.
    None,
    /// It is that of an endpoint.
    Static,
    /// The host, or the endpoints' names, are resolved from time to time; every answer is used.
    Dns,
    /// As `DNS`, but only the first answer is used, and connections stay if the answer changes. One
    /// endpoint at most.
    DnsRoundRobin,
    /// The name that a request asks for is resolved when it comes; only for hosts with `*`, over
    /// HTTP or TLS. Endpoints are ignored.
    DynamicDns,
}

/// A port of a service.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServicePort {
    /// The number, from 1 to 65535, different from those of the other ports.
    #[schemars(transform = rules(&[IS_PORT]))]
    pub number: u32,
    /// What is spoken there: `HTTP`, `HTTPS`, `GRPC`, `HTTP2`, `MONGO`, `TCP` or `TLS`.
    #[schemars(length(max = 256))]
    pub protocol: Option<String>,
    /// A name, different from those of the other ports.
    #[schemars(length(max = 256))]
    pub name: String,
    /// The endpoints' port, from 1 to 65535; `number` by default.
    #[schemars(transform = rules(&[IS_PORT]))]
    pub target_port: Option<u32>,
}

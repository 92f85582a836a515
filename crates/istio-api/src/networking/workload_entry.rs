//! A workload outside Kubernetes, such as a virtual machine.
//!
//! Follows <https://istio.io/latest/docs/reference/config/networking/workload-entry/>.

use std::collections::BTreeMap;

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_with::skip_serializing_none;

use super::port::IS_PORT;
use crate::{
    Kind,
    schema::{Rule, max_properties, rules, values},
    status::IstioStatus,
};

const HAS_ADDRESS: Rule = Rule {
    message: "Address is required",
    rule: "has(self.address) || has(self.network)",
};
/// What remains if the address may be missing.
pub(super) const SOCKET_WITHOUT_PORTS: Rule = Rule {
    message: "UDS may not include ports",
    rule: r#"(has(self.address) ? self.address : "").startsWith("unix://") ? !has(self.ports) : true"#,
};
const SOCKET_IS_ABSOLUTE: Rule = Rule {
    message: "UDS must be an absolute path or abstract socket",
    rule: r#"self.startsWith("unix://") ? (self.substring(7, 8) == "/" || self.substring(7, 8) == "@") : true"#,
};
const SOCKET_IS_NO_FOLDER: Rule = Rule {
    message: "UDS may not be a dir",
    rule: r#"self.startsWith("unix://") ? !self.endsWith("/") : true"#,
};
const PORT_NAMES: Rule = Rule {
    message: "port name must be valid",
    rule: r#"self.all(key, size(key) < 63 && key.matches("^[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?$"))"#,
};

/// One workload that is not a pod. A service entry that selects it, or that contains it, makes it
/// part of a service.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, CustomResource)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = rules(&[HAS_ADDRESS, SOCKET_WITHOUT_PORTS]))]
#[kube(
    group = "networking.istio.io",
    version = "v1",
    kind = "WorkloadEntry",
    plural = "workloadentries",
    shortname = "we",
    namespaced,
    status = "IstioStatus",
    schema = "disabled",
    derive = "Default",
    derive = "PartialEq",
    printcolumn(
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp"
    ),
    printcolumn(name = "Address", type_ = "string", json_path = ".spec.address")
)]
pub struct WorkloadEntrySpec {
    /// An IP address without port, a full domain name where the service resolves names, or
    /// `unix://` with the path of a socket or `@` and a name. May be missing if `network` is set.
    #[schemars(length(max = 256), transform = rules(&[SOCKET_IS_ABSOLUTE, SOCKET_IS_NO_FOLDER]))]
    pub address: Option<String>,
    /// The workload's ports, by the names of the service's ports. For one that is not there it is
    /// the target port of the service, or else its port. Not for sockets; at most 128.
    #[schemars(
        transform = max_properties(128),
        transform = rules(&[PORT_NAMES]),
        transform = values(json!({ "x-kubernetes-validations": [IS_PORT] }))
    )]
    pub ports: Option<BTreeMap<String, u32>>,
    /// Labels, as those of a pod; at most 256.
    #[schemars(transform = max_properties(256))]
    pub labels: Option<BTreeMap<String, String>>,
    /// The network it is in. Those of the same network reach each other; between networks, traffic
    /// goes through a gateway.
    #[schemars(length(max = 2048))]
    pub network: Option<String>,
    /// Where it is, for load balancing by locality: `<region>/<zone>/<sub-zone>`.
    #[schemars(length(max = 2048))]
    pub locality: Option<String>,
    /// Its share of the traffic, relative to the weights of the service's other endpoints; 1 if not
    /// set.
    pub weight: Option<u32>,
    /// The service account of its proxy, of the same namespace.
    #[schemars(length(max = 253))]
    pub service_account: Option<String>,
}

impl Kind for WorkloadEntry {
    const VERSIONS: &'static [&'static str] = &["v1", "v1alpha3", "v1beta1"];
    const STORAGE_VERSION: &'static str = "v1";
    const SPEC_REQUIRED: bool = true;
}

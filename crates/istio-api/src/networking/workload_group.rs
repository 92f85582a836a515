//! What workloads outside Kubernetes have in common.
//!
//! Follows <https://istio.io/latest/docs/reference/config/networking/workload-group/>.

use std::collections::BTreeMap;

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::{
    port::IS_PORT,
    workload_entry::{SOCKET_WITHOUT_PORTS, WorkloadEntrySpec},
};
use crate::{
    Kind,
    schema::{Rule, at_most_one_of, max_properties, rules},
    status::IstioStatus,
};

const KNOWN_SCHEME: Rule = Rule {
    message: "scheme must be one of [HTTP, HTTPS]",
    rule: r#"self in ["", "HTTP", "HTTPS"]"#,
};

/// The template of workload entries that virtual machines make when they join the mesh, as that of
/// a deployment is for its pods.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, CustomResource)]
#[serde(rename_all = "camelCase")]
#[kube(
    group = "networking.istio.io",
    version = "v1",
    kind = "WorkloadGroup",
    plural = "workloadgroups",
    shortname = "wg",
    namespaced,
    status = "IstioStatus",
    schema = "disabled",
    derive = "Default",
    derive = "PartialEq",
    printcolumn(
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp"
    )
)]
pub struct WorkloadGroupSpec {
    /// Metadata of the entries; their labels belong here, not into `template`.
    pub metadata: Option<EntryMetadata>,
    /// The entries' fields. Address and labels are left out: each machine has its own address. The
    /// service account is `default` if not set.
    #[schemars(transform = rules(&[SOCKET_WITHOUT_PORTS]))]
    pub template: WorkloadEntrySpec,
    /// How to know that a machine is ready; traffic goes only to those that are.
    pub probe: Option<ReadinessProbe>,
}

impl Kind for WorkloadGroup {
    const VERSIONS: &'static [&'static str] = &["v1", "v1alpha3", "v1beta1"];
    const STORAGE_VERSION: &'static str = "v1";
    const SPEC_REQUIRED: bool = true;
}

/// Metadata that a group gives its entries.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EntryMetadata {
    /// Labels, at most 256.
    #[schemars(transform = max_properties(256))]
    pub labels: Option<BTreeMap<String, String>>,
    /// Annotations, at most 256.
    #[schemars(transform = max_properties(256))]
    pub annotations: Option<BTreeMap<String, String>>,
}

/// A check that the proxy makes of its workload, as the kubelet makes of a pod; of one kind.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = at_most_one_of(&["httpGet", "tcpSocket", "exec", "grpc"]))]
pub struct ReadinessProbe {
    /// Seconds from the start to the first check; 0 by default.
    #[schemars(range(min = 0))]
    pub initial_delay_seconds: Option<i32>,
    /// Seconds until a check counts as failed; 1 by default.
    #[schemars(range(min = 0))]
    pub timeout_seconds: Option<i32>,
    /// Seconds from one check to the next; 10 by default.
    #[schemars(range(min = 0))]
    pub period_seconds: Option<i32>,
    /// Successes in a row that make a workload ready again; 1 by default.
    #[schemars(range(min = 0))]
    pub success_threshold: Option<i32>,
    /// Failures in a row that make it not ready; 3 by default.
    #[schemars(range(min = 0))]
    pub failure_threshold: Option<i32>,
    /// An HTTP request is answered with a status from 200 to 399.
    pub http_get: Option<HttpHealthCheck>,
    /// A TCP connection is accepted.
    pub tcp_socket: Option<TcpHealthCheck>,
    /// A command exits with 0.
    pub exec: Option<ExecHealthCheck>,
    /// The gRPC health service says that it serves.
    pub grpc: Option<GrpcHealthCheck>,
}

/// A check by an HTTP request.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HttpHealthCheck {
    /// The path; `/` by default.
    pub path: Option<String>,
    /// The port, from 1 to 65535.
    #[schemars(transform = rules(&[IS_PORT]))]
    pub port: u32,
    /// The host to connect to; that of the workload by default. For another `Host` header use
    /// `httpHeaders`.
    pub host: Option<String>,
    /// `HTTP`, which is the default, or `HTTPS`.
    #[schemars(transform = rules(&[KNOWN_SCHEME]))]
    pub scheme: Option<String>,
    /// Headers of the request; a name may come twice.
    pub http_headers: Option<Vec<HttpHeader>>,
}

/// A header of a check's request.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HttpHeader {
    /// The name.
    #[schemars(regex(pattern = "^[-_A-Za-z0-9]+$"))]
    pub name: Option<String>,
    /// The value.
    pub value: Option<String>,
}

/// A check by a TCP connection.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TcpHealthCheck {
    /// The host; `localhost` by default.
    pub host: Option<String>,
    /// The port, from 1 to 65535.
    #[schemars(transform = rules(&[IS_PORT]))]
    pub port: u32,
}

/// A check by a command.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExecHealthCheck {
    /// The program and its arguments; no shell is involved.
    #[schemars(inner(length(min = 1)))]
    pub command: Vec<String>,
}

/// A check by the gRPC health service.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GrpcHealthCheck {
    /// The port, from 1 to 65535.
    #[schemars(transform = rules(&[IS_PORT]))]
    pub port: Option<u32>,
    /// The service that is asked about, by its full name.
    pub service: Option<String>,
}

//! Proxies through which traffic enters or leaves the mesh.
//!
//! Follows <https://istio.io/latest/docs/reference/config/networking/gateway/>.

use std::collections::BTreeMap;

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use crate::{Kind, status::IstioStatus};

mod tls;

pub use tls::{ServerTlsMode, ServerTlsSettings, TlsCertificate, TlsProtocol};

/// The ports that gateway proxies open, and the hosts that they serve there. Where requests go is
/// said by the virtual services that name this gateway.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, CustomResource)]
#[serde(rename_all = "camelCase")]
#[kube(
    group = "networking.istio.io",
    version = "v1",
    kind = "Gateway",
    plural = "gateways",
    shortname = "gw",
    namespaced,
    status = "IstioStatus",
    schema = "disabled",
    derive = "Default",
    derive = "PartialEq"
)]
pub struct GatewaySpec {
    /// What is opened.
    pub servers: Option<Vec<Server>>,
    /// The labels of the pods that are the gateway, in every namespace unless istiod is told to
    /// stay in that of the resource (`PILOT_SCOPE_GATEWAY_TO_NAMESPACE`). All workloads if not set.
    pub selector: Option<BTreeMap<String, String>>,
}

impl Kind for Gateway {
    const VERSIONS: &'static [&'static str] = &["v1", "v1alpha3", "v1beta1"];
    const STORAGE_VERSION: &'static str = "v1";
}

/// One open port.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Server {
    /// The port.
    pub port: Port,
    /// The address to open it on, or `unix://` with the path of a socket, or `@` and a name, port 0
    /// then; all addresses by default.
    pub bind: Option<String>,
    /// The hosts that are served: domain names, `*` possible as first label, with or without
    /// `<namespace>/` before. A virtual service needs a host that fits one of them, and the
    /// namespace: `*` for any, which is the default, or `.` for the resource's own.
    pub hosts: Vec<String>,
    /// TLS of this port; plain if not set.
    pub tls: Option<ServerTlsSettings>,
    /// Not implemented by Istio.
    pub default_endpoint: Option<String>,
    /// A name for statistics, different from those of all other servers.
    pub name: Option<String>,
}

/// A port of a gateway.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Port {
    /// The number; 0 with a socket.
    pub number: u32,
    /// What is spoken there: `HTTP`, `HTTPS`, `GRPC`, `GRPC-WEB`, `HTTP2`, `MONGO`, `TCP` or `TLS`.
    pub protocol: String,
    /// A name, unique within the gateway.
    pub name: String,
    /// Without effect in a gateway; deprecated.
    pub target_port: Option<u32>,
}

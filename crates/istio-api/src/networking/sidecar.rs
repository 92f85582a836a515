//! What a sidecar proxy opens, and what it knows of the mesh.
//!
//! Follows <https://istio.io/latest/docs/reference/config/networking/sidecar/>.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::{
    destination_rule::ConnectionPoolSettings, gateway::ServerTlsSettings,
    label_selector::WorkloadLabels, virtual_service::Destination,
};
use crate::{Kind, status::IstioStatus};

/// Which traffic of a workload its sidecar proxy handles, and which services it knows.
///
/// Without any, a proxy knows every service of the mesh. One without selector is for its namespace;
/// in the root namespace, for every namespace that has none.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, CustomResource)]
#[serde(rename_all = "camelCase")]
#[kube(
    group = "networking.istio.io",
    version = "v1",
    kind = "Sidecar",
    plural = "sidecars",
    namespaced,
    status = "IstioStatus",
    schema = "disabled",
    derive = "Default",
    derive = "PartialEq"
)]
pub struct SidecarSpec {
    /// The workloads it is for; all of the namespace if not set.
    pub workload_selector: Option<WorkloadLabels>,
    /// What comes in. Not set, the proxy takes the ports from the services of the workload.
    pub ingress: Option<Vec<IstioIngressListener>>,
    /// What goes out, and to which services. Not set, it is that of the namespace or the mesh.
    pub egress: Option<Vec<IstioEgressListener>>,
    /// Limits of the connections that come in, for all ports. It replaces that of the destination
    /// rule; a listener's own replaces this.
    pub inbound_connection_pool: Option<ConnectionPoolSettings>,
    /// What happens with traffic to unknown destinations; as the mesh configuration says by
    /// default, which is `ALLOW_ANY` unless changed.
    pub outbound_traffic_policy: Option<OutboundTrafficPolicy>,
}

impl Kind for Sidecar {
    const VERSIONS: &'static [&'static str] = &["v1", "v1alpha3", "v1beta1"];
    const STORAGE_VERSION: &'static str = "v1";
}

/// A port on which the proxy takes traffic for its workload.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct IstioIngressListener {
    /// The port.
    pub port: SidecarPort,
    /// The address to open it on; that of the workload by default. No sockets.
    pub bind: Option<String>,
    /// How traffic gets to the listener; as `DEFAULT` if not set.
    pub capture_mode: Option<CaptureMode>,
    /// Where the workload listens: `127.0.0.1:<port>`, `[::1]:<port>`, `0.0.0.0:<port>` or
    /// `[::]:<port>` for the workload's own address, or `unix://` with the path of a socket.
    pub default_endpoint: Option<String>,
    /// TLS of this port, of the mode `SIMPLE` or `MUTUAL`, for callers outside the mesh; needs peer
    /// authentication to be off there.
    pub tls: Option<ServerTlsSettings>,
    /// Limits of the connections to this port, in place of `inboundConnectionPool`.
    pub connection_pool: Option<ConnectionPoolSettings>,
}

/// A port on which the proxy takes what its workload sends.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct IstioEgressListener {
    /// The port; not set, it is for every port that no other listener has.
    pub port: Option<SidecarPort>,
    /// The address to open it on, or `unix://` with the path of a socket; needs a port. Not set,
    /// the addresses of the services where traffic is captured, otherwise 127.0.0.1.
    pub bind: Option<String>,
    /// How traffic gets to the listener; as `DEFAULT` if not set.
    pub capture_mode: Option<CaptureMode>,
    /// The services that it knows: `<namespace>/<name>`. The namespace may be `*`, or `.` for that
    /// of the resource; the name may be `*` or have it as first label. `~` before the namespace
    /// leaves the services out, and `~/*` leaves out all.
    pub hosts: Vec<String>,
}

/// A port of a listener.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SidecarPort {
    /// The number; 0 with a socket.
    pub number: Option<u32>,
    /// What is spoken there: `HTTP`, `HTTPS`, `GRPC`, `HTTP2`, `MONGO`, `TCP` or `TLS`.
    pub protocol: Option<String>,
    /// A name.
    pub name: Option<String>,
    /// Without effect; deprecated.
    pub target_port: Option<u32>,
}

/// How traffic gets to a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CaptureMode {
    /// As the environment does it.
    Default,
    /// Redirected by iptables.
    Iptables,
    /// Sent to it by the application itself.
    None,
}

/// What happens with traffic to unknown destinations.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OutboundTrafficPolicy {
    /// Whether it is let out; `REGISTRY_ONLY` if not set.
    pub mode: Option<OutboundTrafficMode>,
    /// The service that it goes through, with `ALLOW_ANY`; directly out if not set. One of the
    /// egress listeners must know this service.
    pub egress_proxy: Option<Destination>,
}

/// Whether traffic to unknown destinations is let out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OutboundTrafficMode {
    /// It is dropped.
    RegistryOnly,
    /// It is let out.
    AllowAny,
}

//! What happens with traffic to a service after it was routed.
//!
//! Follows <https://istio.io/latest/docs/reference/config/networking/destination-rule/>.

use std::collections::BTreeMap;

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::port::PortSelector;
use crate::{Kind, schema::nullable, selector::WorkloadSelector, status::IstioStatus};

mod connection_pool;
mod load_balancer;
mod locality;
mod outlier_detection;
mod tls;

pub use connection_pool::{
    ConnectionKeepalive, ConnectionPoolSettings, HttpSettings, HttpUpgradePolicy, TcpKeepalive,
    TcpSettings,
};
pub use load_balancer::{
    ConsistentHash, CookieAttribute, HttpCookie, LoadBalancerSettings, Maglev, RingHash,
    SimpleLoadBalancer, WarmupConfiguration,
};
pub use locality::{
    Distribute, Failover, LocalityLoadBalancerSetting, ZoneAwareLoadBalancerSetting,
};
pub use outlier_detection::OutlierDetection;
pub use tls::{ClientTlsMode, ClientTlsSettings};

/// How clients reach a service: load balancing, limits, TLS, and its versions as subsets.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, CustomResource)]
#[serde(rename_all = "camelCase")]
#[kube(
    group = "networking.istio.io",
    version = "v1",
    kind = "DestinationRule",
    plural = "destinationrules",
    shortname = "dr",
    namespaced,
    status = "IstioStatus",
    schema = "disabled",
    derive = "Default",
    derive = "PartialEq",
    printcolumn(name = "Host", type_ = "string", json_path = ".spec.host"),
    printcolumn(
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp"
    )
)]
pub struct DestinationRuleSpec {
    /// The service, by its name in the registry; rules for unknown ones have no effect. A name
    /// without dots is completed with the rule's own namespace, not with that of the service.
    pub host: String,
    /// What holds for all of its traffic.
    pub traffic_policy: Option<TrafficPolicy>,
    /// Named parts of the service, such as its versions, that virtual services route to.
    pub subsets: Option<Vec<Subset>>,
    /// The namespaces that see the rule: names, `.` for its own, or `*` for all, which is the
    /// default.
    pub export_to: Option<Vec<String>>,
    /// The clients it is for, of its namespace alone; all that see it if not set.
    pub workload_selector: Option<WorkloadSelector>,
}

impl Kind for DestinationRule {
    const VERSIONS: &'static [&'static str] = &["v1", "v1alpha3", "v1beta1"];
    const STORAGE_VERSION: &'static str = "v1";
}

/// How traffic is sent to a service or to a subset of it.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TrafficPolicy {
    /// How an endpoint is chosen.
    pub load_balancer: Option<LoadBalancerSettings>,
    /// Limits of connections and requests.
    pub connection_pool: Option<ConnectionPoolSettings>,
    /// When an endpoint is left out for a while.
    pub outlier_detection: Option<OutlierDetection>,
    /// TLS of the connections.
    pub tls: Option<ClientTlsSettings>,
    /// Policies of single ports, at most 4096. Each replaces this one as a whole.
    #[schemars(length(max = 4096))]
    pub port_level_settings: Option<Vec<PortTrafficPolicy>>,
    /// Sends TCP through a tunnel over another protocol; for routes of TCP and TLS, not of HTTP.
    pub tunnel: Option<TunnelSettings>,
    /// Says with the PROXY protocol whom a connection comes from.
    pub proxy_protocol: Option<ProxyProtocol>,
    /// How many requests may be retries.
    pub retry_budget: Option<RetryBudget>,
}

/// How traffic is sent to one port of a service.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PortTrafficPolicy {
    /// The port of the service.
    pub port: Option<PortSelector>,
    /// How an endpoint is chosen.
    pub load_balancer: Option<LoadBalancerSettings>,
    /// Limits of connections and requests.
    pub connection_pool: Option<ConnectionPoolSettings>,
    /// When an endpoint is left out for a while.
    pub outlier_detection: Option<OutlierDetection>,
    /// TLS of the connections.
    pub tls: Option<ClientTlsSettings>,
}

/// A named part of a service. Its policy holds only for traffic that a route sends to it.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Subset {
    /// The name that routes use.
    pub name: String,
    /// The labels that an endpoint must have, all of them.
    pub labels: Option<BTreeMap<String, String>>,
    /// What holds for its traffic, over what the rule says for all.
    pub traffic_policy: Option<TrafficPolicy>,
}

/// A tunnel for TCP.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TunnelSettings {
    /// `CONNECT`, which is the default, or `POST`; both of HTTP.
    pub protocol: Option<String>,
    /// The host at the tunnel's end: a full domain name or an IP address.
    pub target_host: String,
    /// The port at the tunnel's end.
    pub target_port: u32,
}

/// The PROXY protocol, which <https://www.haproxy.org/download/2.1/doc/proxy-protocol.txt>
/// describes.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProxyProtocol {
    /// The version; `V1` by default.
    pub version: Option<ProxyProtocolVersion>,
}

/// A version of the PROXY protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ProxyProtocolVersion {
    /// As text.
    V1,
    /// As bytes.
    V2,
}

/// How many requests may be retries at the same time.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RetryBudget {
    /// Their share of active and waiting requests, in percent; 20 by default.
    #[schemars(range(min = 0, max = 100), transform = nullable)]
    pub percent: Option<f64>,
    /// How many are allowed in any case; 3 by default.
    pub min_retry_concurrency: Option<u32>,
    /// How long a request counts, such as `10s`; `0ms` by default, for those of this moment alone.
    pub budget_interval: Option<String>,
}

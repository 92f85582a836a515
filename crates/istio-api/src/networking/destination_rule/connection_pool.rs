//! Limits of connections and requests.
//!
//! Follows <https://istio.io/latest/docs/reference/config/networking/destination-rule/>.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use crate::Duration;

/// Limits of the connections and requests from one proxy to a service.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionPoolSettings {
    /// Limits for TCP, and so also for HTTP.
    pub tcp: Option<TcpSettings>,
    /// Limits for HTTP and gRPC.
    pub http: Option<HttpSettings>,
}

/// Limits of TCP connections.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TcpSettings {
    /// How many connections of TCP and HTTP/1.1 are open at most; 2^32-1 by default.
    pub max_connections: Option<i32>,
    /// How long opening one may take; 10 s by default.
    pub connect_timeout: Option<Duration>,
    /// Probes that keep connections open; off by default.
    pub tcp_keepalive: Option<TcpKeepalive>,
    /// How long a connection lives, used or not, such as `1h`; no limit by default.
    pub max_connection_duration: Option<Duration>,
    /// How long a connection lives without a byte, such as `30m`; `1h` by default, `0s` for ever.
    pub idle_timeout: Option<String>,
}

/// Probes of the operating system that keep connections open and find dead ones.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TcpKeepalive {
    /// Probes without answer until a connection is dead; as the operating system says by default, 9
    /// for Linux.
    pub probes: Option<u32>,
    /// How long a connection is idle before the first one; as the operating system says by default,
    /// 2 hours for Linux.
    pub time: Option<Duration>,
    /// How long from one probe to the next; as the operating system says by default, 75 s for
    /// Linux.
    pub interval: Option<Duration>,
}

/// Limits of HTTP and gRPC.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HttpSettings {
    /// Requests that wait for a connection, HTTP/2 included; 2^32-1 by default.
    pub http1_max_pending_requests: Option<i32>,
    /// Requests under way at most, HTTP/1.1 included; 2^32-1 by default.
    pub http2_max_requests: Option<i32>,
    /// Requests over one connection until it is closed: 0, which is the default, for no limit, 1
    /// for a new connection each time; at most 2^29.
    pub max_requests_per_connection: Option<i32>,
    /// Retries under way at most; 2^32-1 by default.
    pub max_retries: Option<i32>,
    /// How long a connection lives without a request; 1 hour by default.
    pub idle_timeout: Option<Duration>,
    /// Whether HTTP/1.1 becomes HTTP/2 on the way; as the mesh configuration says by default.
    pub h2_upgrade_policy: Option<HttpUpgradePolicy>,
    /// Whether the client's version of HTTP is kept, so that `h2UpgradePolicy` has no effect; false
    /// by default.
    pub use_client_protocol: Option<bool>,
    /// Streams over one connection of HTTP/2 at most; 2^31-1 by default.
    pub max_concurrent_streams: Option<i32>,
    /// Probes of HTTP/2 connections; off by default.
    pub http2_keep_alive: Option<ConnectionKeepalive>,
}

/// PING frames that find dead connections of HTTP/2. Both are needed.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionKeepalive {
    /// How long from one probe to the next, such as `30s`.
    pub interval: Option<Duration>,
    /// How long the answer may take before the connection is closed, such as `10s`.
    pub timeout: Option<Duration>,
}

/// Whether HTTP/1.1 becomes HTTP/2 on the way to a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum HttpUpgradePolicy {
    /// As the mesh configuration says.
    Default,
    /// It does not.
    DoNotUpgrade,
    /// It does.
    Upgrade,
}

//! How an endpoint of a service is chosen.
//!
//! Follows <https://istio.io/latest/docs/reference/config/networking/destination-rule/>.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::{LocalityLoadBalancerSetting, ZoneAwareLoadBalancerSetting};
use crate::{
    Duration,
    schema::{at_most_one_of, at_most_one_of_each, nullable},
};

/// How an endpoint of a service is chosen.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = at_most_one_of(&["simple", "consistentHash"]))]
pub struct LoadBalancerSettings {
    /// By a method that looks at the endpoints alone; Istio's choice if neither this nor
    /// `consistentHash` is set.
    pub simple: Option<SimpleLoadBalancer>,
    /// By something in the request, so that like requests get to the same endpoint.
    pub consistent_hash: Option<ConsistentHash>,
    /// Prefers endpoints by where they are. It replaces that of the mesh configuration as a whole;
    /// not together with `zoneAwareLbSetting`.
    pub locality_lb_setting: Option<LocalityLoadBalancerSetting>,
    /// Prefers endpoints in the same zone as far as they can take the load. It replaces that of the
    /// mesh configuration as a whole; not together with `localityLbSetting`.
    pub zone_aware_lb_setting: Option<ZoneAwareLoadBalancerSetting>,
    /// The former way to say `warmup.duration`; deprecated.
    pub warmup_duration_secs: Option<Duration>,
    /// Gives new endpoints less traffic at first; for round robin and least requests.
    pub warmup: Option<WarmupConfiguration>,
}

/// A method that looks at the endpoints alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SimpleLoadBalancer {
    /// Istio's choice.
    Unspecified,
    /// The former name of `LEAST_REQUEST`; deprecated.
    LeastConn,
    /// By chance, among the healthy ones.
    Random,
    /// The address that the client asked for, without load balancing.
    Passthrough,
    /// One after the other; `LEAST_REQUEST` is mostly better.
    RoundRobin,
    /// One with few requests under way.
    LeastRequest,
}

/// Chooses by something in the request: at most one key, and at most one algorithm.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = at_most_one_of_each(&[
    &["httpHeaderName", "httpCookie", "useSourceIp", "httpQueryParameterName"],
    &["ringHash", "maglev"],
]))]
pub struct ConsistentHash {
    /// Key: the header of this name.
    pub http_header_name: Option<String>,
    /// Key: a cookie.
    pub http_cookie: Option<HttpCookie>,
    /// Key: the client's address, also for TCP; false by default.
    pub use_source_ip: Option<bool>,
    /// Key: the query parameter of this name.
    pub http_query_parameter_name: Option<String>,
    /// Algorithm: a ring with a number of places for each endpoint; the default.
    pub ring_hash: Option<RingHash>,
    /// Algorithm: Maglev, faster and less stable.
    pub maglev: Option<Maglev>,
    /// The former place of `ringHash.minimumRingSize`; deprecated.
    pub minimum_ring_size: Option<u64>,
}

/// A hash ring.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RingHash {
    /// The places on the ring at least; 1024 by default. More spread the load better.
    pub minimum_ring_size: Option<u64>,
}

/// A Maglev table.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Maglev {
    /// The places in the table: a prime below 5000011; 65537 by default. With more, fewer requests
    /// move when endpoints change.
    pub table_size: Option<u64>,
}

/// A cookie that a request's endpoint is chosen by. If it is missing and `ttl` is set, the proxy
/// sets it.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HttpCookie {
    /// The name.
    pub name: String,
    /// The path for which it is set.
    pub path: Option<String>,
    /// How long a cookie of the proxy lives, such as `1h`; `0s` for the browser's session. Not set,
    /// the proxy sets none.
    pub ttl: Option<String>,
    /// Further attributes of a cookie that the proxy sets.
    pub attributes: Option<Vec<CookieAttribute>>,
}

/// An attribute of a cookie, such as `SameSite`.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CookieAttribute {
    /// The name.
    pub name: String,
    /// The value, if it has one.
    pub value: Option<String>,
}

/// How new endpoints get more and more traffic.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WarmupConfiguration {
    /// How long it takes until an endpoint has its full share, such as `60s`.
    pub duration: Duration,
    /// The share at the beginning, in percent of the full one; 10 by default.
    #[schemars(range(min = 0, max = 100), transform = nullable)]
    pub minimum_percent: Option<f64>,
    /// The form of the growth: 1, which is the default, for a straight line, more for a steeper
    /// start.
    #[schemars(range(min = 0), transform = nullable)]
    pub aggression: Option<f64>,
}

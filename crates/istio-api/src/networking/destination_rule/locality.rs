//! Load balancing by where client and endpoints are.
//!
//! Follows <https://istio.io/latest/docs/reference/config/networking/destination-rule/>.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use crate::schema::nullable;

/// Load balancing by where client and endpoints are. At most one of `distribute`, `failover` and
/// `failoverPriority`. The latter two need outlier detection.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LocalityLoadBalancerSetting {
    /// Shares of the traffic from one place to others. Without, each place has the share of its
    /// endpoints.
    pub distribute: Option<Vec<Distribute>>,
    /// Which region takes the traffic of another whose endpoints are ill; any by default.
    pub failover: Option<Vec<Failover>>,
    /// Labels, or `<label>=<value>`, that order endpoints: those that have the longest beginning of
    /// the list come first. A label alone stands for the client's value.
    pub failover_priority: Option<Vec<String>>,
    /// Whether it is on, whatever the mesh configuration says; true by default.
    #[schemars(transform = nullable)]
    pub enabled: Option<bool>,
}

/// Shares of the traffic that starts in one place.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Distribute {
    /// The place: `<region>/<zone>/<sub-zone>`, the last part possibly `*`.
    pub from: Option<String>,
    /// Shares in percent by place, 100 together; other places get nothing.
    pub to: Option<BTreeMap<String, u32>>,
}

/// Where the traffic of a region goes if its endpoints are ill.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Failover {
    /// The region that has the ill endpoints.
    pub from: Option<String>,
    /// The region that takes over.
    pub to: Option<String>,
}

/// Load balancing that keeps traffic in the client's zone as far as the endpoints there can take
/// it, and in its region while they are healthy.
///
/// Only for sidecars, and only if they have `ISTIO_META_ENABLE_SELF_DISCOVERY=true`.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ZoneAwareLoadBalancerSetting {
    /// Whether it is on, whatever the mesh configuration says; true by default.
    #[schemars(transform = nullable)]
    pub enabled: Option<bool>,
    /// Which region takes the traffic of another whose endpoints are ill; any by default. Needs
    /// outlier detection, or `PILOT_SEND_UNHEALTHY_ENDPOINTS` at istiod, as does
    /// `failoverPriority`.
    pub failover: Option<Vec<Failover>>,
    /// Labels, or `<label>=<value>`, that order endpoints as in `localityLbSetting`; among equals,
    /// the client's region comes first. Not the labels of region, zone and sub-zone.
    pub failover_priority: Option<Vec<String>>,
    /// How many endpoints the client's region must have for it to work, at least 1; 6 by default.
    #[schemars(range(min = 1), transform = nullable)]
    pub min_cluster_size: Option<u32>,
}

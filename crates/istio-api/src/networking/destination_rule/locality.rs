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
    /// Which region takes the traffic of another whose endpoints are ill.
    pub failover: Option<Vec<Failover>>,
    /// Labels, or `<label>=<value>`, that order endpoints: those that agree with the client in the
    /// longest beginning of the list come first.
    pub failover_priority: Option<Vec<String>>,
    /// Whether it is on; as the mesh configuration says if not set.
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

/// Load balancing that keeps traffic in the client's zone as far as the endpoints there can take it.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ZoneAwareLoadBalancerSetting {
    /// Whether it is on; as the mesh configuration says if not set.
    #[schemars(transform = nullable)]
    pub enabled: Option<bool>,
    /// Which region takes the traffic of another whose endpoints are ill.
    pub failover: Option<Vec<Failover>>,
    /// Labels, or `<label>=<value>`, that order endpoints within the order by region: those that
    /// agree with the client in the longest beginning of the list come first.
    pub failover_priority: Option<Vec<String>>,
    /// How many endpoints the client's region must have for it to work, at least 1.
    #[schemars(range(min = 1), transform = nullable)]
    pub min_cluster_size: Option<u32>,
}

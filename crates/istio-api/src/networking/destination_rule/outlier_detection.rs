//! When an endpoint gets no traffic for a while.
//!
//! Follows <https://istio.io/latest/docs/reference/config/networking/destination-rule/>.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use crate::{Duration, schema::nullable};

/// When an endpoint that makes errors is left out for a while (ejected).
///
/// Over HTTP, errors are 5xx answers; over TCP, connections that fail or time out. With this,
/// traffic also prefers near endpoints, unless `localityLbSetting` is off.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OutlierDetection {
    /// The former way to say `consecutiveGatewayErrors`, 5 by default; deprecated.
    pub consecutive_errors: Option<i32>,
    /// Whether errors that happen on this side, such as a connection that cannot be opened, are
    /// counted apart from those that the endpoint answers; false by default.
    pub split_external_local_origin_errors: Option<bool>,
    /// Errors of this side in a row that eject an endpoint; 5 by default. Only if they are counted
    /// apart.
    #[schemars(transform = nullable)]
    pub consecutive_local_origin_failures: Option<u32>,
    /// Answers 502, 503 or 504 in a row, or failed TCP connections, that eject an endpoint; 0,
    /// which is the default, for never. They also count for `consecutive5xxErrors`, which should be
    /// higher.
    #[schemars(transform = nullable)]
    pub consecutive_gateway_errors: Option<u32>,
    /// Answers 5xx in a row, or failed TCP connections, that eject an endpoint; 5 by default, 0 for
    /// never.
    #[serde(rename = "consecutive5xxErrors")]
    #[schemars(transform = nullable)]
    pub consecutive_5xx_errors: Option<u32>,
    /// How often endpoints are looked at; 10 s by default.
    pub interval: Option<Duration>,
    /// How long an endpoint is ejected the first time, and how much longer each further time; 30 s
    /// by default.
    pub base_ejection_time: Option<Duration>,
    /// How many endpoints may be ejected, in percent; 10 by default.
    pub max_ejection_percent: Option<i32>,
    /// How many endpoints must be healthy, in percent; below, ejected ones get traffic too. 0,
    /// which is the default, for any.
    pub min_health_percent: Option<i32>,
    /// The statuses of answers that count as errors, 100 to 599; all 5xx if not set.
    #[schemars(inner(range(min = 100, max = 599)))]
    pub outlier_detection_http_error_codes: Option<Vec<u32>>,
}

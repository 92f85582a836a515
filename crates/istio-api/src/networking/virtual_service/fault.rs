//! Faults made for tests.
//!
//! Follows <https://istio.io/latest/docs/reference/config/networking/virtual-service/>.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::Percent;
use crate::{Duration, schema::at_most_one_of};

/// Faults made for tests; delay and abort do not depend on each other.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HttpFaultInjection {
    /// Requests wait, as over a slow network.
    pub delay: Option<Delay>,
    /// Requests are answered with an error, as by a broken service.
    pub abort: Option<Abort>,
}

/// A delay of requests.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = at_most_one_of(&["fixedDelay", "exponentialDelay"]))]
pub struct Delay {
    /// The former way to say `percentage`, from 0 to 100; deprecated.
    pub percent: Option<i32>,
    /// How long they wait, such as `5s`.
    pub fixed_delay: Option<Duration>,
    /// Not implemented by Istio.
    pub exponential_delay: Option<Duration>,
    /// How many requests, in percent; none if not set.
    pub percentage: Option<Percent>,
}

/// An error as answer to requests.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = at_most_one_of(&["httpStatus", "grpcStatus", "http2Error"]))]
pub struct Abort {
    /// A status of HTTP, such as 503.
    pub http_status: Option<i32>,
    /// A status of gRPC by its name, such as `UNAVAILABLE`.
    pub grpc_status: Option<String>,
    /// Not implemented by Istio.
    pub http2_error: Option<String>,
    /// How many requests, in percent; none if not set.
    pub percentage: Option<Percent>,
}

//! Routes of HTTP requests.
//!
//! Follows <https://istio.io/latest/docs/reference/config/networking/virtual-service/>.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::{
    CorsPolicy, Destination, Headers, HttpDirectResponse, HttpFaultInjection, HttpMatchRequest,
    HttpRedirect, HttpRewrite,
};
use crate::{Duration, schema::nullable};

/// A route of HTTP: which requests, and what happens with them. One of `route`, `redirect`,
/// `directResponse` and `delegate`.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HttpRoute {
    /// A name for access logs.
    pub name: Option<String>,
    /// The requests: those that one of these matches; all if not set.
    pub r#match: Option<Vec<HttpMatchRequest>>,
    /// They go to these services.
    pub route: Option<Vec<HttpRouteDestination>>,
    /// They are answered with a redirect.
    pub redirect: Option<HttpRedirect>,
    /// They are answered by the proxy.
    pub direct_response: Option<HttpDirectResponse>,
    /// They are routed by another virtual service.
    pub delegate: Option<Delegate>,
    /// Changes to path and host on the way; not with `redirect`.
    pub rewrite: Option<HttpRewrite>,
    /// How long the answer may take, such as `5s`; no limit by default.
    pub timeout: Option<Duration>,
    /// How failed requests are tried again; as the mesh configuration says by default, which is
    /// twice unless changed.
    pub retries: Option<HttpRetry>,
    /// Faults made for tests. There are no timeouts and retries then.
    pub fault: Option<HttpFaultInjection>,
    /// A service that gets copies of the requests; its answers are thrown away.
    pub mirror: Option<Destination>,
    /// Services that get copies of the requests; their answers are thrown away.
    pub mirrors: Option<Vec<HttpMirrorPolicy>>,
    /// The former way to say `mirrorPercentage`, from 0 to 100; deprecated.
    #[schemars(transform = nullable)]
    pub mirror_percent: Option<u32>,
    /// The former spelling of `mirrorPercent`; deprecated.
    #[serde(rename = "mirror_percent")]
    #[schemars(transform = nullable)]
    pub mirror_percent_former: Option<u32>,
    /// How many requests `mirror` gets copies of, in percent; all by default.
    pub mirror_percentage: Option<Percent>,
    /// What browsers may do with answers to other sites.
    pub cors_policy: Option<CorsPolicy>,
    /// Changes to headers.
    pub headers: Option<Headers>,
}

/// One of the services that share the requests of a route.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HttpRouteDestination {
    /// The service.
    pub destination: Destination,
    /// Its share: this out of all weights together; 0, which is the default, for nothing. A service
    /// that is alone gets everything.
    pub weight: Option<i32>,
    /// Changes to headers of requests that go there, and of their answers.
    pub headers: Option<Headers>,
}

/// Another virtual service, whose routes hold for the requests of this one. It cannot delegate
/// further, and its matches must be narrower.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Delegate {
    /// Its name.
    pub name: Option<String>,
    /// Its namespace; that of the resource by default.
    pub namespace: Option<String>,
}

/// How failed requests are tried again.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HttpRetry {
    /// How often, as far as the timeouts allow; 0, which is the default, for never.
    pub attempts: Option<i32>,
    /// How long each attempt, the first included, may take, such as `2s`; as the route's timeout by
    /// default.
    pub per_try_timeout: Option<Duration>,
    /// Which failures, with commas between: Envoy's conditions for HTTP and gRPC, and statuses;
    /// `connect-failure,refused-stream,unavailable,cancelled` by default.
    pub retry_on: Option<String>,
    /// Whether endpoints in other places are tried; false by default.
    #[schemars(transform = nullable)]
    pub retry_remote_localities: Option<bool>,
    /// Whether endpoints that failed are not tried again; true by default.
    #[schemars(transform = nullable)]
    pub retry_ignore_previous_hosts: Option<bool>,
    /// The time before the first retry, from which later ones grow; 25 ms by default.
    pub backoff: Option<Duration>,
}

/// A service that gets copies of requests.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HttpMirrorPolicy {
    /// The service.
    pub destination: Destination,
    /// How many requests it gets copies of, in percent; all by default.
    pub percentage: Option<Percent>,
}

/// A share in percent.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Percent {
    /// From 0 to 100.
    pub value: Option<f64>,
}

//! Routes of TLS and TCP connections.
//!
//! Follows <https://istio.io/latest/docs/reference/config/networking/virtual-service/>.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::Destination;

/// A route of TLS connections that are not terminated.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TlsRoute {
    /// The connections: those that one of these matches.
    pub r#match: Vec<TlsMatchAttributes>,
    /// Where they go.
    pub route: Option<Vec<RouteDestination>>,
}

/// A route of TCP connections.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TcpRoute {
    /// The connections: those that one of these matches; all if not set.
    pub r#match: Option<Vec<L4MatchAttributes>>,
    /// Where they go.
    pub route: Option<Vec<RouteDestination>>,
}

/// One of the services that share the connections of a route.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RouteDestination {
    /// The service.
    pub destination: Destination,
    /// Its share: this out of all weights together; 0, which is the default, for nothing. A service
    /// that is alone gets everything.
    pub weight: Option<i32>,
}

/// TLS connections; every field that is set must match.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TlsMatchAttributes {
    /// Names that the client asks for (SNI), `*` possible as first label. They must be among the
    /// resource's hosts.
    pub sni_hosts: Vec<String>,
    /// Addresses, or ranges of them, that the client connects to.
    pub destination_subnets: Option<Vec<String>>,
    /// The port that the client connects to.
    pub port: Option<u32>,
    /// Labels of the workloads that route like this; only with the gateway `mesh`.
    pub source_labels: Option<BTreeMap<String, String>>,
    /// The gateways that route like this, in place of those of the resource.
    pub gateways: Option<Vec<String>>,
    /// The namespace of the workloads that route like this; only with the gateway `mesh`.
    pub source_namespace: Option<String>,
}

/// TCP connections; every field that is set must match.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct L4MatchAttributes {
    /// Addresses, or ranges of them, that the client connects to.
    pub destination_subnets: Option<Vec<String>>,
    /// The port that the client connects to.
    pub port: Option<u32>,
    /// Not implemented by Istio.
    pub source_subnet: Option<String>,
    /// Labels of the workloads that route like this; only with the gateway `mesh`.
    pub source_labels: Option<BTreeMap<String, String>>,
    /// The gateways that route like this, in place of those of the resource.
    pub gateways: Option<Vec<String>>,
    /// The namespace of the workloads that route like this; only with the gateway `mesh`.
    pub source_namespace: Option<String>,
}

//! Which objects of Envoy's configuration a patch is for.
//!
//! Follows <https://istio.io/latest/docs/reference/config/networking/envoy-filter/>.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use crate::{
    networking::port::IS_PORT,
    schema::{Rule, at_most_one_of, rules},
};

const WAYPOINT_IN_ITS_CONTEXT: Rule = Rule {
    message: "only support waypointMatch when context is WAYPOINT",
    rule: r#"has(self.context) ? ((self.context == "WAYPOINT") ? has(self.waypoint) : !has(self.waypoint)) : !has(self.waypoint)"#,
};

/// Which objects a patch is for. At most one of `listener`, `routeConfiguration`, `cluster` and
/// `waypoint`.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(
    transform = at_most_one_of(&["listener", "routeConfiguration", "cluster", "waypoint"]),
    transform = rules(&[WAYPOINT_IN_ITS_CONTEXT])
)]
pub struct EnvoyConfigObjectMatch {
    /// The kind of proxy and the direction; `ANY` by default.
    pub context: Option<PatchContext>,
    /// The proxies, by what they tell istiod about themselves.
    pub proxy: Option<ProxyMatch>,
    /// Listeners, or something in them.
    pub listener: Option<ListenerMatch>,
    /// Route configurations, or something in them.
    pub route_configuration: Option<RouteConfigurationMatch>,
    /// Clusters.
    pub cluster: Option<ClusterMatch>,
    /// Objects of a waypoint; with the context `WAYPOINT`, and needed there.
    pub waypoint: Option<WaypointMatch>,
}

/// A kind of proxy and a direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PatchContext {
    /// Sidecars and gateways, in both directions.
    Any,
    /// What comes in to a sidecar.
    SidecarInbound,
    /// What goes out from a sidecar.
    SidecarOutbound,
    /// Gateways.
    Gateway,
    /// Waypoints.
    Waypoint,
}

/// Proxies, by what they tell istiod about themselves.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProxyMatch {
    /// A regular expression (RE2) for the proxy's version of Istio.
    pub proxy_version: Option<String>,
    /// Metadata that the proxy must have, all of it, with these very values.
    pub metadata: Option<BTreeMap<String, String>>,
}

/// Clusters; every field that is set must match.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClusterMatch {
    /// The port of the service; inwards, the target port.
    pub port_number: Option<u32>,
    /// The service, by its full name. Not heeded inwards.
    pub service: Option<String>,
    /// The subset of the service.
    pub subset: Option<String>,
    /// The cluster's very name; the other fields are left out then.
    pub name: Option<String>,
}

/// Route configurations; every field that is set must match.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RouteConfigurationMatch {
    /// The port of the service or of the gateway's server; every port if not set.
    pub port_number: Option<u32>,
    /// The name of the gateway's port; for gateways.
    pub port_name: Option<String>,
    /// The gateway, as `<namespace>/<name>`; for gateways.
    pub gateway: Option<String>,
    /// A virtual host in it.
    pub vhost: Option<VirtualHostMatch>,
    /// The route configuration's very name, such as `http_proxy`.
    pub name: Option<String>,
}

/// Virtual hosts of a route configuration.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VirtualHostMatch {
    /// The name, which istiod makes as `<host>:<port>`.
    pub name: Option<String>,
    /// One of its domains.
    pub domain_name: Option<String>,
    /// A route in it.
    pub route: Option<RouteMatch>,
}

/// Routes of a virtual host.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RouteMatch {
    /// The name: `default`, or that in the virtual service.
    pub name: Option<String>,
    /// What the route does; `ANY` by default.
    pub action: Option<RouteAction>,
}

/// What a route does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RouteAction {
    /// Any of these.
    Any,
    /// It sends the request to a cluster.
    Route,
    /// It answers with a redirect.
    Redirect,
    /// It answers itself.
    DirectResponse,
}

/// Listeners; every field that is set must match.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListenerMatch {
    /// The port of the service, inwards too, or of the gateway; every port if not set.
    pub port_number: Option<u32>,
    /// Not implemented by Istio.
    pub port_name: Option<String>,
    /// A filter chain in it.
    pub filter_chain: Option<FilterChainMatch>,
    /// A listener filter in it, by name.
    pub listener_filter: Option<String>,
    /// The listener's very name, which istiod makes as `<address>_<port>`.
    pub name: Option<String>,
}

/// Filter chains of a listener; every field that is set must match.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FilterChainMatch {
    /// The name.
    pub name: Option<String>,
    /// A name that clients ask for (SNI) and that the chain is for.
    pub sni: Option<String>,
    /// `tls`, or `raw_buffer` where none is recognised; for what comes in to sidecars.
    pub transport_protocol: Option<String>,
    /// What is spoken inside TLS, with commas between: `h2`, `http/1.1`, `http/1.0`; for sidecars.
    pub application_protocols: Option<String>,
    /// A filter in it.
    pub filter: Option<FilterMatch>,
    /// The port that the chain is for.
    pub destination_port: Option<u32>,
}

/// Filters of a filter chain.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FilterMatch {
    /// The name, such as `envoy.filters.network.http_connection_manager`.
    pub name: Option<String>,
    /// A filter inside this one.
    pub sub_filter: Option<SubFilterMatch>,
}

/// Filters inside a filter, such as those of the HTTP connection manager.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SubFilterMatch {
    /// The name, such as `envoy.filters.http.router`.
    pub name: Option<String>,
}

/// Objects of a waypoint.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WaypointMatch {
    /// The port of the service, from 1 to 65535; every port if not set.
    #[schemars(transform = rules(&[IS_PORT]))]
    pub port_number: Option<u32>,
    /// A route.
    pub route: Option<WaypointRouteMatch>,
    /// A filter.
    pub filter: Option<FilterMatch>,
}

/// Routes of a waypoint.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WaypointRouteMatch {
    /// The name: `default`, or that in the virtual service.
    pub name: Option<String>,
}

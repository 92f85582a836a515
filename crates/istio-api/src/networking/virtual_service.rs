//! Where requests to a host go.
//!
//! Follows <https://istio.io/latest/docs/reference/config/networking/virtual-service/>.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::port::PortSelector;
use crate::{Kind, status::IstioStatus};

mod connection_route;
mod fault;
mod headers;
mod http_answer;
mod http_match;
mod http_route;

pub use connection_route::{
    L4MatchAttributes, RouteDestination, TcpRoute, TlsMatchAttributes, TlsRoute,
};
pub use fault::{Abort, Delay, HttpFaultInjection};
pub use headers::{CorsPolicy, HeaderOperations, Headers, UnmatchedPreflights};
pub use http_answer::{
    HttpBody, HttpDirectResponse, HttpRedirect, HttpRewrite, RedirectPortSelection, RegexRewrite,
};
pub use http_match::{HttpMatchRequest, StringMatch};
pub use http_route::{
    Delegate, HttpMirrorPolicy, HttpRetry, HttpRoute, HttpRouteDestination, Percent,
};

/// The routes of some hosts, for gateways, for sidecars or for both.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, CustomResource)]
#[serde(rename_all = "camelCase")]
#[kube(
    group = "networking.istio.io",
    version = "v1",
    kind = "VirtualService",
    plural = "virtualservices",
    shortname = "vs",
    namespaced,
    status = "IstioStatus",
    schema = "disabled",
    derive = "Default",
    derive = "PartialEq",
    printcolumn(name = "Gateways", type_ = "string", json_path = ".spec.gateways"),
    printcolumn(name = "Hosts", type_ = "string", json_path = ".spec.hosts"),
    printcolumn(
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp"
    )
)]
pub struct VirtualServiceSpec {
    /// The hosts: domain names, `*` possible as first label, or IP addresses, which only gateways
    /// serve. A name without dots is completed with the namespace of the resource. Not set in a
    /// delegate.
    pub hosts: Option<Vec<String>>,
    /// Who routes like this: gateways, as `<namespace>/<name>` or the name alone in the resource's
    /// namespace, and `mesh` for all sidecars, which alone is the default.
    pub gateways: Option<Vec<String>>,
    /// Routes of HTTP and gRPC; the first that matches a request is taken.
    pub http: Option<Vec<HttpRoute>>,
    /// Routes of TLS that is not terminated; the first that matches a connection is taken.
    pub tls: Option<Vec<TlsRoute>>,
    /// Routes of other TCP; the first that matches a connection is taken.
    pub tcp: Option<Vec<TcpRoute>>,
    /// The namespaces that see it: names, `.` for its own, or `*` for all, which is the default.
    pub export_to: Option<Vec<String>>,
}

impl Kind for VirtualService {
    const VERSIONS: &'static [&'static str] = &["v1", "v1alpha3", "v1beta1"];
    const STORAGE_VERSION: &'static str = "v1";
}

/// A service that requests or connections are sent to.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Destination {
    /// The service, by its name in the registry; traffic to an unknown one is dropped. A name
    /// without dots is completed with the namespace of the resource, not with that of the service.
    pub host: String,
    /// A subset of the service, which a destination rule defines.
    pub subset: Option<String>,
    /// The port of the service; not needed if it has only one.
    pub port: Option<PortSelector>,
}

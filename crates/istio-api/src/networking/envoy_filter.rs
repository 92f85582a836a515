//! Changes to the configuration that istiod makes for Envoy.
//!
//! Follows <https://istio.io/latest/docs/reference/config/networking/envoy-filter/>.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use serde_with::skip_serializing_none;

use super::label_selector::WorkloadLabels;
use crate::{
    Kind,
    schema::{Rule, preserve_unknown_fields, rules},
    selector::PolicyTargetReference,
    status::IstioStatus,
};

mod object_match;

pub use object_match::{
    ClusterMatch, EnvoyConfigObjectMatch, FilterChainMatch, FilterMatch, ListenerMatch,
    PatchContext, ProxyMatch, RouteAction, RouteConfigurationMatch, RouteMatch, SubFilterMatch,
    VirtualHostMatch, WaypointMatch, WaypointRouteMatch,
};

const SELECTOR_OR_TARGETS: Rule = Rule {
    message: "only one of targetRefs or workloadSelector can be set",
    rule: "(has(self.workloadSelector) ? 1 : 0) + (has(self.targetRefs) ? 1 : 0) <= 1",
};

/// Patches of Envoy's configuration. Those of the root namespace come first, then by `priority`,
/// then by age.
///
/// They depend on what istiod generates, which may change with each release.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, CustomResource)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = rules(&[SELECTOR_OR_TARGETS]))]
#[kube(
    group = "networking.istio.io",
    version = "v1alpha3",
    kind = "EnvoyFilter",
    plural = "envoyfilters",
    namespaced,
    status = "IstioStatus",
    schema = "disabled",
    derive = "Default",
    derive = "PartialEq"
)]
pub struct EnvoyFilterSpec {
    /// The workloads it is for. If neither this nor `targetRefs` is set, all of the namespace; in
    /// the root namespace, all of the mesh.
    pub workload_selector: Option<WorkloadLabels>,
    /// The resources whose proxies it is for, at most 16. Waypoints heed only this.
    #[schemars(length(max = 16))]
    pub target_refs: Option<Vec<PolicyTargetReference>>,
    /// The patches, made in this order.
    pub config_patches: Option<Vec<EnvoyConfigObjectPatch>>,
    /// The order among those of the same namespace: the lowest first, 0 by default, negative
    /// possible.
    pub priority: Option<i32>,
}

impl Kind for EnvoyFilter {
    const VERSIONS: &'static [&'static str] = &["v1alpha3"];
    const STORAGE_VERSION: &'static str = "v1alpha3";
}

/// One change.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EnvoyConfigObjectPatch {
    /// The kind of object that is changed.
    pub apply_to: Option<ApplyTo>,
    /// Which objects of that kind; all if not set.
    pub r#match: Option<EnvoyConfigObjectMatch>,
    /// The change.
    pub patch: Option<Patch>,
}

/// A kind of object in Envoy's configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ApplyTo {
    /// None; not a valid choice.
    Invalid,
    /// A listener.
    Listener,
    /// A filter chain of a listener.
    FilterChain,
    /// A filter of connections, in a filter chain.
    NetworkFilter,
    /// A filter of requests, in the HTTP connection manager.
    HttpFilter,
    /// A route configuration, which can only be merged; its virtual hosts are objects of their own.
    RouteConfiguration,
    /// A virtual host of a route configuration.
    VirtualHost,
    /// A route of a virtual host.
    HttpRoute,
    /// A cluster.
    Cluster,
    /// The configuration of an HTTP filter that proxies fetch by itself.
    ExtensionConfig,
    /// The configuration that a proxy starts with; deprecated.
    Bootstrap,
    /// A filter of a listener.
    ListenerFilter,
}

/// A change to an object.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Patch {
    /// What is done.
    pub operation: Option<PatchOperation>,
    /// The object of Envoy's API, or a part of it, in JSON; none to remove something.
    #[schemars(transform = preserve_unknown_fields)]
    pub value: Option<Map<String, Value>>,
    /// Where a new filter stands among Istio's, for `ADD`; Istio's choice by default.
    pub filter_class: Option<FilterClass>,
}

/// What is done with an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PatchOperation {
    /// Nothing; not a valid choice.
    Invalid,
    /// The value is merged into it, as protocol buffers are: lists grow.
    Merge,
    /// The value is put at the end of its list. Not for route configurations and routes.
    Add,
    /// It is removed. Not for route configurations and routes.
    Remove,
    /// The value is put before it; at the beginning if nothing matches.
    InsertBefore,
    /// The value is put after it; at the end if nothing matches.
    InsertAfter,
    /// The value is put at the beginning of its list.
    InsertFirst,
    /// The value takes its place. For HTTP and network filters only; nothing happens if there is
    /// none.
    Replace,
    /// The value is merged into it, but lists are replaced.
    MergeAndReplaceList,
}

/// Where a new filter stands among Istio's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FilterClass {
    /// Istio's choice; for filters that do not depend on others.
    Unspecified,
    /// After Istio authenticates.
    Authn,
    /// After Istio authorizes.
    Authz,
    /// Before Istio counts.
    Stats,
}

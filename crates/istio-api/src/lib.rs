//! Istio's API in Rust: the types of its resources, and the definitions made from them.
//!
//! Every kind of Istio 1.31 has a module below that of its API group, with the type of the whole
//! object, that of its `spec` and those of everything inside:
//!
//! ```
//! use istio_api::networking::{Gateway, gateway::GatewaySpec};
//!
//! let gateway = Gateway::new("public", GatewaySpec::default());
//! assert_eq!(serde_json::to_value(&gateway)?["apiVersion"], "networking.istio.io/v1");
//! # Ok::<(), serde_json::Error>(())
//! ```
//!
//! Optional fields are `Option`s, lists included: an absent list and an empty one differ for some
//! of Istio's policies. What the schemas say beyond types, such as limits, patterns and rules, is
//! in the attributes of the types, so that [`custom_resource_definitions`] is made from them alone.
//! A new field of the next release is a line in its struct.
//!
//! The facts are those of `kubernetes/customresourcedefinitions.gen.yaml` in the Go module
//! `istio.io/api` v1.31.1; the documentation follows
//! <https://istio.io/latest/docs/reference/config/> in this project's own words.

#![allow(
    clippy::duplicated_attributes,
    reason = "columns with the same type are not duplicates"
)]

mod definition;
pub mod difference;
mod duration;
pub mod extensions;
pub mod networking;
mod schema;
pub mod security;
pub mod selector;
pub mod status;
pub mod telemetry;

pub use definition::{Error, Kind, custom_resource_definition};
pub use duration::Duration;
pub use telemetry::Telemetry;

use schema::Schemas;

use extensions::{TrafficExtension, WasmPlugin};
use networking::{
    DestinationRule, EnvoyFilter, Gateway, ProxyConfig, ServiceEntry, Sidecar, VirtualService,
    WorkloadEntry, WorkloadGroup,
};
use security::{AuthorizationPolicy, PeerAuthentication, RequestAuthentication};

/// The definitions of all 15 kinds, ordered by group and kind.
///
/// # Errors
/// As [`custom_resource_definition`].
pub fn custom_resource_definitions() -> Result<Vec<serde_json::Value>, Error> {
    let schemas = &mut Schemas::new();
    Ok(vec![
        definition::of::<TrafficExtension>(schemas)?,
        definition::of::<WasmPlugin>(schemas)?,
        definition::of::<DestinationRule>(schemas)?,
        definition::of::<EnvoyFilter>(schemas)?,
        definition::of::<Gateway>(schemas)?,
        definition::of::<ProxyConfig>(schemas)?,
        definition::of::<ServiceEntry>(schemas)?,
        definition::of::<Sidecar>(schemas)?,
        definition::of::<VirtualService>(schemas)?,
        definition::of::<WorkloadEntry>(schemas)?,
        definition::of::<WorkloadGroup>(schemas)?,
        definition::of::<AuthorizationPolicy>(schemas)?,
        definition::of::<PeerAuthentication>(schemas)?,
        definition::of::<RequestAuthentication>(schemas)?,
        definition::of::<Telemetry>(schemas)?,
    ])
}

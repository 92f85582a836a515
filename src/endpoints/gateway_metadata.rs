//! The endpoint `gateway-metadata` (interface `gateway_metadata`): what the ingress gateway is made of.
//!
//! One JSON document in this application's databag, as version 1.0.1 of the Python library
//! charmlibs-interfaces-gateway-metadata writes and reads it.

use juju::relation::{Bag, DatabagChanges, OwnBag, Relation};
use serde::Serialize;

use super::{Endpoint, Known, Publication, World};
use crate::intent::Intent;
use crate::istio::names::gateway_account;

/// The key of the document.
const KEY: &str = "metadata";

/// The endpoint.
pub(super) struct GatewayMetadata;

/// The document. The order of the fields is the library's.
#[derive(Serialize)]
struct Metadata<'a> {
    namespace: &'a str,
    gateway_name: &'a str,
    /// The charm istio-gateway gives the Deployment the name of its Service.
    deployment_name: &'a str,
    service_account: String,
}

impl Endpoint for GatewayMetadata {
    fn name(&self) -> &'static str {
        "gateway-metadata"
    }

    fn reads(&self) -> &'static [Bag] {
        &[Bag::OwnApplication]
    }

    fn request(&self, _: &[Relation], _: &Known<'_>, _: &mut Intent) {}

    fn publish(&self, relation: &Relation, world: &World<'_>) -> Vec<Publication> {
        let (Some(mesh), true) = (world.intent.mesh(), world.leader) else {
            return Vec::new();
        };
        let service = &mesh.gateway.service;
        let metadata = Metadata {
            namespace: world.intent.identity.namespace(),
            gateway_name: &mesh.gateway.name,
            deployment_name: service,
            service_account: gateway_account(service),
        };
        // Text alone always has a JSON form.
        let Ok(text) = serde_json::to_string(&metadata) else {
            return Vec::new();
        };
        let wanted = DatabagChanges::from([(KEY.to_owned(), Some(text))]);
        vec![Publication::new(relation, OwnBag::Application, &wanted)]
    }
}

#[cfg(test)]
mod tests {
    use juju::relation::Databag;

    use super::*;
    use crate::simulated::Simulated;

    /// What the library writes for the default options.
    const DEFAULT: &str = r#"{"namespace":"mesh","gateway_name":"istio-gateway","deployment_name":"istio-ingressgateway-workload","service_account":"istio-ingressgateway-workload-service-account"}"#;

    /// What is written with these options, where the databag holds that.
    fn published(options: &[(&str, &str)], own: &str, leader: bool) -> Vec<DatabagChanges> {
        let intent = Simulated::new(options).intent;
        let relation = Relation {
            own_application: Some(Databag::from([(KEY, own)])),
            ..Relation::new("gateway-metadata:1".parse().unwrap())
        };
        let world = World::of(&intent, None, leader);
        let published = GatewayMetadata.publish(&relation, &world).into_iter();
        published.map(|it| it.changes).collect()
    }

    #[test]
    fn the_leader_writes_the_bytes_of_the_python_library() {
        let wanted = DatabagChanges::from([(KEY.to_owned(), Some(DEFAULT.to_owned()))]);
        assert_eq!(published(&[], "", true), [wanted]);
        assert_eq!(published(&[], DEFAULT, true), [DatabagChanges::new()]);
        assert_eq!(published(&[], "", false), []);
    }

    #[test]
    fn it_follows_the_options_and_stays_as_it_is_while_they_are_wrong() {
        let options = [
            ("default-gateway", "kubeflow-gateway"),
            ("gateway-service-name", "edge"),
        ];
        let text = r#"{"namespace":"mesh","gateway_name":"kubeflow-gateway","deployment_name":"edge","service_account":"edge-service-account"}"#;
        let wanted = DatabagChanges::from([(KEY.to_owned(), Some(text.to_owned()))]);
        assert_eq!(published(&options, DEFAULT, true), [wanted]);
        assert_eq!(published(&[("default-gateway", "_")], DEFAULT, true), []);
    }
}

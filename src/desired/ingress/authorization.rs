//! What lets a service check every request.

use std::collections::BTreeMap;

use istio_api::networking::EnvoyFilter;
use istio_api::networking::envoy_filter::{
    ApplyTo, EnvoyConfigObjectMatch, EnvoyConfigObjectPatch, EnvoyFilterSpec, FilterChainMatch,
    FilterMatch, ListenerMatch, Patch, PatchContext, PatchOperation,
};
use istio_api::networking::label_selector::WorkloadLabels;
use serde_json::{Map, Value, json};

use crate::desired::gateway::{HTTP_PORT, HTTPS_PORT, SELECTOR};
use crate::intent::identity::Identity;
use crate::intent::ingress::Authorizer;
use crate::istio::names::{authorization_filter, service_host};

/// How long a request waits for its check.
const TIMEOUT: &str = "10s";

/// The filter on both ports of the gateway's pods. Where the service does not answer, Envoy refuses
/// the request: that is the default of `failure_mode_allow`
/// (<https://www.envoyproxy.io/docs/envoy/latest/api-v3/extensions/filters/http/ext_authz/v3/ext_authz.proto>).
pub(super) fn filter(authorizer: &Authorizer, identity: &Identity) -> EnvoyFilter {
    let value = ext_authz(authorizer);
    let patches = [HTTP_PORT, HTTPS_PORT].map(|port| patch(port, value.clone()));
    let (label, of_gateway) = SELECTOR;
    let specification = EnvoyFilterSpec {
        workload_selector: Some(WorkloadLabels {
            labels: Some(BTreeMap::from([(label.to_owned(), of_gateway.to_owned())])),
        }),
        config_patches: Some(patches.into()),
        ..EnvoyFilterSpec::default()
    };
    let name = authorization_filter(identity.application());
    let mut filter = EnvoyFilter::new(&name, specification);
    filter.metadata.namespace = Some(identity.namespace().to_owned());
    filter
}

/// Puts the check before all other filters of a port.
fn patch(port: u32, value: Map<String, Value>) -> EnvoyConfigObjectPatch {
    let manager = "envoy.filters.network.http_connection_manager";
    let listener = ListenerMatch {
        port_number: Some(port),
        filter_chain: Some(FilterChainMatch {
            filter: Some(FilterMatch {
                name: Some(manager.to_owned()),
                ..FilterMatch::default()
            }),
            ..FilterChainMatch::default()
        }),
        ..ListenerMatch::default()
    };
    EnvoyConfigObjectPatch {
        apply_to: Some(ApplyTo::HttpFilter),
        r#match: Some(EnvoyConfigObjectMatch {
            context: Some(PatchContext::Gateway),
            listener: Some(listener),
            ..EnvoyConfigObjectMatch::default()
        }),
        patch: Some(Patch {
            operation: Some(PatchOperation::InsertBefore),
            value: Some(value),
            ..Patch::default()
        }),
    }
}

fn ext_authz(authorizer: &Authorizer) -> Map<String, Value> {
    let Authorizer {
        service,
        namespace,
        port,
        path_prefix,
        request_headers,
        response_headers,
        client_headers,
    } = authorizer;
    let host = service_host(service, namespace);
    let mut http_service = json!({
        "server_uri": {
            "uri": format!("http://{host}:{port}"),
            "cluster": format!("outbound|{port}||{host}"),
            "timeout": TIMEOUT,
        },
    });
    if !path_prefix.is_empty() {
        http_service["path_prefix"] = json!(path_prefix);
    }
    if !request_headers.is_empty() {
        http_service["authorization_request"] =
            json!({"allowed_headers": patterns(request_headers)});
    }
    if !response_headers.is_empty() {
        http_service["authorization_response"]["allowed_upstream_headers"] =
            patterns(response_headers);
    }
    if !client_headers.is_empty() {
        http_service["authorization_response"]["allowed_client_headers_on_success"] =
            patterns(client_headers);
    }
    let type_url = "type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz";
    let config = json!({"@type": type_url, "http_service": http_service});
    [
        ("name".to_owned(), json!("envoy.filters.http.ext_authz")),
        ("typed_config".to_owned(), config),
    ]
    .into_iter()
    .collect()
}

fn patterns(headers: &[String]) -> Value {
    let exact: Vec<Value> = headers.iter().map(|it| json!({"exact": it})).collect();
    json!({"patterns": exact})
}

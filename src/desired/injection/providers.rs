//! What the mesh configuration knows beside istiod and proxies: services that check requests.

use serde_json::{Value, json};

use crate::intent::extensions::{CheckHeaders, CheckProtocol, Extensions, ExternalAuthorizer};
use crate::istio::names::service_host;

/// How long a request waits for its check; by default that is ten minutes.
const TIMEOUT: &str = "10s";

/// The field `extensionProviders` of the mesh configuration
/// (<https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/#MeshConfig-ExtensionProvider>).
pub(super) fn providers(extensions: &Extensions) -> Vec<Value> {
    extensions.authorizers.iter().map(authorizer).collect()
}

/// Where the service does not answer, Envoy refuses the request: `failOpen` is false by default.
fn authorizer(authorizer: &ExternalAuthorizer) -> Value {
    let ExternalAuthorizer {
        name,
        service,
        namespace,
        port,
        protocol,
        ..
    } = authorizer;
    let mut service =
        json!({"service": service_host(service, namespace), "port": port, "timeout": TIMEOUT});
    match protocol {
        CheckProtocol::Grpc => json!({"name": name, "envoyExtAuthzGrpc": service}),
        CheckProtocol::Http(headers) => {
            for (field, names) in fields(headers) {
                if let Some(names) = names {
                    service[field] = json!(names);
                }
            }
            json!({"name": name, "envoyExtAuthzHttp": service})
        }
    }
}

fn fields(headers: &CheckHeaders) -> [(&'static str, &Option<Vec<String>>); 4] {
    let CheckHeaders {
        seen,
        added,
        answered,
        refused,
    } = headers;
    [
        ("includeRequestHeadersInCheck", seen),
        ("headersToUpstreamOnAllow", added),
        ("headersToDownstreamOnAllow", answered),
        ("headersToDownstreamOnDeny", refused),
    ]
}

//! What the mesh configuration knows beside istiod and proxies: services that check requests, and what
//! collects spans.

use serde_json::{Value, json};

use crate::desired::Inputs;
use crate::desired::spans::host;
use crate::intent::extensions::{CheckHeaders, CheckProtocol, Extensions, ExternalAuthorizer};
use crate::istio::names::{TRACING_PROVIDER, service_host};

/// How long a request waits for its check; by default that is ten minutes.
const TIMEOUT: &str = "10s";

/// The field `extensionProviders` of the mesh configuration
/// (<https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/#MeshConfig-ExtensionProvider>).
pub(super) fn providers(inputs: &Inputs<'_>) -> Vec<Value> {
    let Extensions {
        authorizers,
        collector,
        ..
    } = inputs.extensions;
    let mut providers: Vec<Value> = authorizers.iter().map(authorizer).collect();
    providers.extend(collector.as_ref().map(|collector| {
        let service = host(collector, inputs.identity);
        json!({
            "name": TRACING_PROVIDER,
            "opentelemetry": {"service": service, "port": collector.port},
        })
    }));
    providers
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

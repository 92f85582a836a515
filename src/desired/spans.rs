//! What has proxies send the spans of requests.

use istio_api::networking::ServiceEntry;
use istio_api::networking::service_entry::{Location, Resolution, ServiceEntrySpec, ServicePort};
use istio_api::networking::workload_entry::WorkloadEntrySpec;

use istio_api::telemetry::{ProviderRef, Telemetry, TelemetrySpec, Tracing};

use super::{RenderError, typed};
use crate::intent::Intent;
use crate::intent::extensions::{CollectorHost, SpanCollector};
use crate::intent::identity::Identity;
use crate::istio::names::{self, TRACING_PROVIDER};
use crate::k8s::object::Object;

/// The `Telemetry` of the whole mesh, and where it needs one the `ServiceEntry` of what collects spans;
/// none where nothing does.
///
/// How many requests are traced stays as Istio does by default.
///
/// # Errors
/// A defect of this program.
pub(super) fn objects(intent: &Intent) -> Result<Vec<Object>, RenderError> {
    let extensions = intent.mesh().and(intent.extensions.as_ref());
    let Some(collector) = extensions.and_then(|it| it.collector.as_ref()) else {
        return Ok(Vec::new());
    };
    let identity = &intent.identity;
    let mut objects = vec![typed(&telemetry(identity))?];
    if let Some(entry) = service_entry(collector, identity) {
        objects.push(typed(&entry)?);
    }
    Ok(objects)
}

/// How the mesh calls what collects spans.
pub(super) fn host(collector: &SpanCollector, identity: &Identity) -> String {
    match &collector.host {
        CollectorHost::Service(host) | CollectorHost::Name(host) => host.clone(),
        CollectorHost::Address(_) => {
            names::span_collector(identity.application(), identity.namespace())
        }
    }
}

/// In the root namespace and without a selector, it is for the whole mesh.
fn telemetry(identity: &Identity) -> Telemetry {
    let provider = ProviderRef {
        name: TRACING_PROVIDER.to_owned(),
    };
    let tracing = Tracing {
        providers: Some(vec![provider]),
        ..Tracing::default()
    };
    let specification = TelemetrySpec {
        tracing: Some(vec![tracing]),
        ..TelemetrySpec::default()
    };
    let mut telemetry = Telemetry::new(&names::tracing(identity.application()), specification);
    telemetry.metadata.namespace = Some(identity.namespace().to_owned());
    telemetry
}

/// Proxies know Services of the cluster, and no other hosts.
fn service_entry(collector: &SpanCollector, identity: &Identity) -> Option<ServiceEntry> {
    let (resolution, endpoints) = match &collector.host {
        CollectorHost::Service(_) => return None,
        CollectorHost::Name(_) => (Resolution::Dns, None),
        CollectorHost::Address(address) => {
            let endpoint = WorkloadEntrySpec {
                address: Some(address.to_string()),
                ..WorkloadEntrySpec::default()
            };
            (Resolution::Static, Some(vec![endpoint]))
        }
    };
    let port = ServicePort {
        number: collector.port.into(),
        protocol: Some("GRPC".to_owned()),
        name: "grpc-otlp".to_owned(),
        target_port: None,
    };
    let specification = ServiceEntrySpec {
        hosts: vec![host(collector, identity)],
        ports: Some(vec![port]),
        location: Some(Location::MeshExternal),
        resolution: Some(resolution),
        endpoints,
        ..ServiceEntrySpec::default()
    };
    let mut entry = ServiceEntry::new(&names::tracing(identity.application()), specification);
    entry.metadata.namespace = Some(identity.namespace().to_owned());
    Some(entry)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::intent::extensions::Extensions;
    use crate::simulated::Simulated;

    /// The specifications of the objects, by kind, for a collector at port 4317.
    fn objects_for(host: Option<CollectorHost>) -> Vec<Value> {
        let mut intent = Simulated::new(&[]).intent;
        intent.extensions = Some(Extensions {
            collector: host.map(|host| SpanCollector { host, port: 4317 }),
            ..Extensions::default()
        });
        let objects = objects(&intent).unwrap().into_iter();
        objects.map(Object::into_value).collect()
    }

    #[test]
    fn a_service_of_the_cluster_needs_no_more_than_a_telemetry_of_the_whole_mesh() {
        let telemetry = json!({
            "apiVersion": "telemetry.istio.io/v1", "kind": "Telemetry",
            "metadata": {"name": "pilot-workload-tracing", "namespace": "mesh"},
            "spec": {"tracing": [{"providers": [{"name": "workload-tracing"}]}]},
        });
        let host = "tempo.cos.svc.cluster.local".to_owned();
        assert_eq!(objects_for(Some(CollectorHost::Service(host))), [telemetry]);
        assert_eq!(objects_for(None), [] as [Value; 0]);
    }

    #[test]
    fn what_is_no_service_of_the_cluster_becomes_one_of_the_mesh() {
        let entry = |host: CollectorHost| objects_for(Some(host)).remove(1);
        let name = entry(CollectorHost::Name("tempo.example".to_owned()));
        let expected = json!({
            "apiVersion": "networking.istio.io/v1", "kind": "ServiceEntry",
            "metadata": {"name": "pilot-workload-tracing", "namespace": "mesh"},
            "spec": {
                "hosts": ["tempo.example"], "location": "MESH_EXTERNAL", "resolution": "DNS",
                "ports": [{"name": "grpc-otlp", "number": 4317, "protocol": "GRPC"}],
            },
        });
        assert_eq!(name, expected);
        let address = entry(CollectorHost::Address("10.1.2.3".parse().unwrap()));
        let mut expected = expected;
        expected["spec"]["hosts"] = json!(["spans.pilot.mesh.internal"]);
        expected["spec"]["resolution"] = json!("STATIC");
        expected["spec"]["endpoints"] = json!([{"address": "10.1.2.3"}]);
        assert_eq!(address, expected);
    }
}

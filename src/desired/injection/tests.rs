//! What holds of the configuration without running it; `tests/injection/` runs it.

use serde_json::{Value, json};

use super::*;
use crate::cni::Phase;
use crate::intent::Mesh;
use crate::intent::extensions::{
    CheckHeaders, CheckProtocol, CollectorHost, Extensions, ExternalAuthorizer, SpanCollector,
};
use crate::intent::identity::Identity;
use crate::intent::options::check;

/// A control plane with both paths set.
struct ControlPlane {
    identity: Identity,
    mesh: Mesh,
    extensions: Extensions,
    phase: Phase,
}

impl ControlPlane {
    fn inputs(&self) -> Inputs<'_> {
        Inputs {
            identity: &self.identity,
            mesh: &self.mesh,
            extensions: &self.extensions,
            kubernetes: KubernetesVersion {
                major: 1,
                minor: 34,
            },
            phase: self.phase,
        }
    }
}

fn control_plane(injection: Injection) -> ControlPlane {
    let options = json!({"cni-bin-dir": "/opt/cni/bin", "cni-conf-dir": "/etc/cni/net.d"});
    ControlPlane {
        identity: Identity::new("istio-pilot", "mesh"),
        mesh: check(options.as_object().unwrap()).mesh.unwrap(),
        extensions: Extensions::default(),
        phase: match injection {
            Injection::IstioInit => Phase::RollingOut,
            Injection::IstioValidation => Phase::On,
        },
    }
}

fn values(control_plane: &ControlPlane) -> Value {
    serde_json::from_str(&injector_config(&control_plane.inputs()).unwrap().values).unwrap()
}

fn templates(control_plane: &ControlPlane) -> BTreeMap<String, String> {
    let config: Value =
        serde_yaml::from_str(&injector_config(&control_plane.inputs()).unwrap().config).unwrap();
    serde_json::from_value(config["templates"].clone()).unwrap()
}

#[test]
fn the_values_show_what_new_pods_get() {
    for (injection, enabled) in [
        (Injection::IstioInit, false),
        (Injection::IstioValidation, true),
    ] {
        let values = values(&control_plane(injection));
        assert_eq!(values["pilot"]["cni"]["enabled"], json!(enabled));
    }
}

#[test]
fn an_image_below_hub_and_tag_is_left_to_istiod_and_another_is_not() {
    let mut control_plane = control_plane(Injection::IstioInit);
    let mut image = |reference: &str| {
        control_plane.mesh.images.proxy = reference.to_owned();
        let whole = templates(&control_plane)["sidecar"].contains(reference);
        (
            values(&control_plane)["global"]["proxy"]["image"].clone(),
            whole,
        )
    };
    assert_eq!(
        image("docker.io/istio/proxy-own:1.31.1"),
        (json!("proxy-own"), false)
    );
    for reference in [
        "docker.io/istio/proxyv2:1.31.0",
        "docker.io/istio/more/proxyv2:1.31.1",
        "docker.io/istio2/proxyv2:1.31.1",
        "registry:5000/proxyv2@sha256:00",
    ] {
        assert_eq!(image(reference), (json!(reference), true));
    }
}

#[test]
fn istiod_gets_no_branch_on_what_is_known() {
    for injection in [Injection::IstioInit, Injection::IstioValidation] {
        for (name, template) in templates(&control_plane(injection)) {
            for known in [".Values", ".MeshConfig", ".Revision", "[[", "[%", "[#"] {
                assert!(!template.contains(known), "{name} contains {known}");
            }
        }
    }
}

#[test]
fn the_templates_stand_readable_in_the_config_map() {
    let config = injector_config(&control_plane(Injection::IstioInit).inputs()).unwrap();
    for name in TEMPLATES {
        assert!(config.config.contains(&format!("  {name}: |\n")), "{name}");
    }
}

#[test]
fn the_config_map_stays_below_128_kib() {
    for injection in [Injection::IstioInit, Injection::IstioValidation] {
        let mut control_plane = control_plane(injection);
        // As long as a name with a digest gets: they stand in every template.
        let long = format!(
            "registry.example:5000/{}@sha256:{}",
            "i".repeat(255),
            "0".repeat(64)
        );
        for image in [
            &mut control_plane.mesh.images.proxy,
            &mut control_plane.mesh.images.proxy_init,
        ] {
            image.clone_from(&long);
        }
        let InjectorConfig { config, values } = injector_config(&control_plane.inputs()).unwrap();
        let data = json!({"config": config, "values": values}).to_string();
        assert!(data.len() < 128 * 1024, "{} bytes", data.len());
    }
}

#[test]
fn no_line_of_a_template_is_blank_or_ends_in_a_space() {
    for (name, template) in templates(&control_plane(Injection::IstioInit)) {
        for line in template.lines() {
            assert!(!line.is_empty() && !line.ends_with(' '), "{name}: {line:?}");
        }
    }
}

#[test]
fn what_becomes_of_a_gateway_stands_in_documents_of_their_own() {
    let kinds = [
        "ServiceAccount",
        "Deployment",
        "Service",
        "HorizontalPodAutoscaler",
        "PodDisruptionBudget",
    ];
    let templates = templates(&control_plane(Injection::IstioInit));
    for name in [
        "agentgateway",
        "agentgateway-waypoint",
        "kube-gateway",
        "waypoint",
    ] {
        let found: Vec<&str> = templates[name]
            .split("\n---\n")
            .filter_map(|document| document.split_once("\nkind: ")?.1.lines().next())
            .collect();
        assert_eq!(found, kinds, "{name}");
    }
}

#[test]
fn services_that_check_requests_are_in_the_mesh_configuration_and_nothing_else_changes() {
    let mut control_plane = control_plane(Injection::IstioInit);
    let mesh = |control_plane: &ControlPlane| mesh_config(&control_plane.inputs()).unwrap().mesh;
    let before = mesh(&control_plane);
    let named = |name: &str| Some(vec![name.to_owned()]);
    let authorizer = |name: &str, protocol| ExternalAuthorizer {
        relation: "istio-ingress-config:1".parse().unwrap(),
        name: name.to_owned(),
        service: "oidc".to_owned(),
        namespace: "kubeflow".to_owned(),
        port: 8080,
        protocol,
    };
    let headers = CheckHeaders {
        seen: named("cookie"),
        added: named("kubeflow-userid"),
        answered: named("set-cookie"),
        refused: named("content-type"),
    };
    control_plane.extensions.authorizers = vec![
        authorizer("all", CheckProtocol::Http(headers)),
        authorizer("none", CheckProtocol::Http(CheckHeaders::default())),
        authorizer("grpc", CheckProtocol::Grpc),
    ];
    let after = mesh(&control_plane);
    let mut read: Value = serde_yaml::from_str(&after).unwrap();
    let providers = read.as_object_mut().unwrap().remove("extensionProviders");
    assert_eq!(read, serde_yaml::from_str::<Value>(&before).unwrap());
    let host = "oidc.kubeflow.svc.cluster.local";
    let expected = json!([
        {
            "name": "all",
            "envoyExtAuthzHttp": {
                "service": host, "port": 8080, "timeout": "10s",
                "includeRequestHeadersInCheck": ["cookie"],
                "headersToUpstreamOnAllow": ["kubeflow-userid"],
                "headersToDownstreamOnAllow": ["set-cookie"],
                "headersToDownstreamOnDeny": ["content-type"],
            },
        },
        {"name": "none", "envoyExtAuthzHttp": {"service": host, "port": 8080, "timeout": "10s"}},
        {"name": "grpc", "envoyExtAuthzGrpc": {"service": host, "port": 8080, "timeout": "10s"}},
    ]);
    assert_eq!(providers, Some(expected));
    control_plane.extensions = Extensions::default();
    assert_eq!(mesh(&control_plane), before);
}

#[test]
fn the_collector_of_spans_is_in_the_mesh_configuration_by_the_name_that_the_mesh_has_for_it() {
    let mut control_plane = control_plane(Injection::IstioInit);
    let mut providers = |host| {
        control_plane.extensions.collector = Some(SpanCollector { host, port: 4317 });
        let mesh = mesh_config(&control_plane.inputs()).unwrap().mesh;
        let mesh: Value = serde_yaml::from_str(&mesh).unwrap();
        mesh["extensionProviders"].clone()
    };
    let expected = |host: &str| json!([{"name": "workload-tracing", "opentelemetry": {"service": host, "port": 4317}}]);
    let name = providers(CollectorHost::Name("tempo.example".to_owned()));
    assert_eq!(name, expected("tempo.example"));
    let address = providers(CollectorHost::Address("10.1.2.3".parse().unwrap()));
    assert_eq!(address, expected("spans.istio-pilot.mesh.internal"));
}

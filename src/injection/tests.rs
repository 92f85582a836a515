//! What holds of the configuration without running it; `tests/injection/` runs it.

use serde_json::{Value, json};

use super::*;
use crate::control_plane::{CniPaths, Images};

fn control_plane(injection: Injection) -> ControlPlane {
    ControlPlane {
        application: "istio-pilot".to_owned(),
        namespace: "mesh".to_owned(),
        images: Images {
            hub: "docker.io/istio".to_owned(),
            tag: "1.31.1".to_owned(),
            pilot: "docker.io/istio/pilot:1.31.1".to_owned(),
            proxy: "docker.io/istio/proxyv2:1.31.1".to_owned(),
            proxy_init: "docker.io/istio/proxyv2:1.31.1".to_owned(),
            cni: "docker.io/istio/install-cni:1.31.1".to_owned(),
            grpc_bootstrap_init: "busybox:1.28".to_owned(),
        },
        node_agent: Some(CniPaths {
            bin_dir: "/opt/cni/bin".to_owned(),
            conf_dir: "/etc/cni/net.d".to_owned(),
        }),
        injection,
        kubernetes: KubernetesVersion {
            major: 1,
            minor: 34,
        },
    }
}

fn values(control_plane: &ControlPlane) -> Value {
    serde_json::from_str(&injector_config(control_plane).unwrap().values).unwrap()
}

fn templates(control_plane: &ControlPlane) -> BTreeMap<String, String> {
    let config: Value =
        serde_yaml::from_str(&injector_config(control_plane).unwrap().config).unwrap();
    serde_json::from_value(config["templates"].clone()).unwrap()
}

#[test]
fn the_values_tell_what_new_pods_get() {
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
        control_plane.images.proxy = reference.to_owned();
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
    let config = injector_config(&control_plane(Injection::IstioInit)).unwrap();
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
            &mut control_plane.images.proxy,
            &mut control_plane.images.proxy_init,
        ] {
            image.clone_from(&long);
        }
        let InjectorConfig { config, values } = injector_config(&control_plane).unwrap();
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

//! What rendering promises whatever the configuration.

use istio_pilot::cni::Phase;
use istio_pilot::desired::stream::{to_json, to_yaml_stream};
use istio_pilot::intent::cni_paths::{CniPaths, CniSetting};
use istio_pilot::intent::identity::Identity;
use istio_pilot::intent::{Intent, Target};
use istio_pilot::istio::ISTIO_VERSION;
use istio_pilot::k8s::kind::{self, Wave};
use istio_pilot::k8s::labels;
use istio_pilot::k8s::object::Object;
use proptest::prelude::*;
use serde_json::Value;

use crate::cases::{self, ControlPlane};

#[test]
fn objects_come_in_the_order_of_applying() {
    for case in cases::all() {
        let objects = case.control_plane.objects();
        let waves: Vec<_> = objects
            .iter()
            .map(|object| object.id().wave().unwrap())
            .collect();
        assert!(waves.is_sorted(), "{}: {waves:?}", case.name);
        assert_eq!(waves.first(), Some(&Wave::Definitions));
        assert_eq!(waves.last(), Some(&Wave::Webhooks));
    }
}

/// Readers of the table of kinds find every object: requests, pruning and the order are made of it.
#[test]
fn every_object_is_of_a_kind_in_the_table() {
    for case in cases::all() {
        for object in case.control_plane.objects() {
            let kind = kind::find(&object.id().group, object.kind()).unwrap();
            assert_eq!(object.api_version(), kind.api_version(), "{}", object.id());
            assert_eq!(
                object.id().namespace.is_some(),
                kind.namespaced,
                "{}",
                object.id()
            );
        }
    }
}

#[test]
fn every_object_carries_our_labels_and_no_pod_template_does() {
    for case in cases::all() {
        for object in case.control_plane.objects() {
            let definition = object.kind() == "CustomResourceDefinition";
            let instance = format!("istio-pilot-{}", case.control_plane.namespace());
            let instance = (!definition).then_some(instance.as_str());
            assert_eq!(object.label(labels::INSTANCE), instance, "{}", object.id());
            assert_eq!(
                object.label(labels::MANAGED_BY),
                Some("istio-pilot"),
                "{}",
                object.id()
            );
            assert_eq!(
                object.label(labels::VERSION),
                Some(ISTIO_VERSION),
                "{}",
                object.id()
            );
            let template = object
                .at("/spec/template/metadata/labels")
                .and_then(Value::as_object);
            for label in [labels::INSTANCE, labels::MANAGED_BY, labels::VERSION] {
                assert!(
                    template.is_none_or(|it| !it.contains_key(label)),
                    "{}",
                    object.id()
                );
            }
        }
    }
}

/// What others set is never sent: sending it would take it from them.
#[test]
fn fields_of_others_are_left_out() {
    for case in cases::all() {
        for object in case.control_plane.objects() {
            assert_eq!(object.at("/spec/replicas"), None, "{}", object.id());
            let text = object.value().to_string();
            assert!(!text.contains("caBundle"), "{}", object.id());
        }
    }
}

/// istiod reads YAML 1.1, in which a bare `on` is no text.
#[test]
fn a_model_may_have_the_name_of_a_truth_value() {
    let objects = cases::control_plane("on").objects();
    let mesh = objects
        .iter()
        .find_map(|it| it.at("/data/mesh")?.as_str())
        .unwrap();
    let line = mesh
        .lines()
        .find(|it| it.starts_with("rootNamespace:"))
        .unwrap();
    assert!(
        ["rootNamespace: \"on\"", "rootNamespace: 'on'"].contains(&line),
        "{line}"
    );
}

#[test]
fn the_node_agent_differs_by_nothing_but_what_was_configured() {
    let paths = |bin_dir: &str, conf_dir: &str| CniPaths {
        bin_dir: bin_dir.to_owned(),
        conf_dir: conf_dir.to_owned(),
    };
    let node_agent = |phase| -> Vec<Object> {
        let paths = paths("/opt/cni/bin", "/etc/cni/net.d");
        let mut objects = cases::with_node_agent("mesh", paths, phase).objects();
        objects.retain(|it| it.id().name.starts_with("istio-cni"));
        objects
    };
    let before = node_agent(Phase::RollingOut);
    assert_eq!(before.len(), 7);
    assert_eq!(before, node_agent(Phase::On));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Names and paths are checked elsewhere; here no text may break out of its place.
    #[test]
    fn any_text_stays_in_its_place(
        namespace in "\\PC{1,20}",
        image in any::<String>(),
        bin_dir in any::<String>(),
        conf_dir in any::<String>(),
    ) {
        let plain = cases::with_node_agent(
            "mesh",
            CniPaths { bin_dir: "/a".to_owned(), conf_dir: "/b".to_owned() },
            Phase::On,
        );
        let mut mesh = plain.mesh().clone();
        mesh.images.pilot.clone_from(&image);
        mesh.images.cni.clone_from(&image);
        mesh.cni = CniSetting::On(CniPaths { bin_dir: bin_dir.clone(), conf_dir });
        let odd = ControlPlane {
            intent: Intent {
                identity: Identity::new("istio-pilot", &namespace),
                target: Target::Installed(mesh),
                ..plain.intent.clone()
            },
            phase: Phase::On,
        };
        let objects = odd.objects();
        prop_assert_eq!(objects.len(), plain.objects().len());
        let find = |kind: &str| objects.iter().find(|it| it.kind() == kind).unwrap();
        let image_of = |object: &Object| object.at("/spec/template/spec/containers/0/image").cloned();
        prop_assert_eq!(image_of(find("Deployment")), Some(Value::String(image.clone())));
        let daemon_set = find("DaemonSet");
        prop_assert_eq!(image_of(daemon_set), Some(Value::String(image)));
        prop_assert_eq!(daemon_set.id().namespace.as_deref(), Some(namespace.as_str()));
        let path = daemon_set.at("/spec/template/spec/volumes/0/hostPath/path");
        prop_assert_eq!(path, Some(&Value::String(bin_dir)));
        to_yaml_stream(&objects);
        to_json(&objects).unwrap();
    }
}

use serde_json::{Value, json};

use super::*;
use crate::intent::cni_paths::{CniPaths, CniSetting};

fn options(value: Value) -> Options {
    match value {
        Value::Object(options) => options,
        _ => panic!("options must be a map"),
    }
}

fn good(value: Value) -> Mesh {
    check(&options(value)).mesh.unwrap()
}

#[track_caller]
fn problems(value: Value, expected: &[&str]) {
    let found: Vec<_> = check(&options(value))
        .mesh
        .unwrap_err()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(
            found.contains(expected),
            "{found:?} should contain {expected:?}"
        );
    }
}

fn on(bin_dir: &str, conf_dir: &str) -> CniSetting {
    CniSetting::On(CniPaths {
        bin_dir: bin_dir.to_owned(),
        conf_dir: conf_dir.to_owned(),
    })
}

#[test]
fn nothing_set_is_off_with_the_default_images() {
    let configuration = good(json!({}));
    assert_eq!(configuration.cni, CniSetting::Off { missing: None });
    assert_eq!(configuration.images.pilot, "docker.io/istio/pilot:1.31.1");
    assert_eq!(
        configuration.images.cni,
        "docker.io/istio/install-cni:1.31.1"
    );
    assert_eq!(configuration.images.grpc_bootstrap_init, "busybox:1.28");
    assert_eq!(configuration.gateway.name, "istio-gateway");
    assert_eq!(configuration.gateway.tls_secret_id, None);
}

#[test]
fn both_paths_are_on_and_one_names_the_missing_other() {
    let bin = "/opt/cni/bin";
    let conf = "/etc/cni/net.d";
    let setting = |value| good(value).cni;
    assert_eq!(
        setting(json!({"cni-bin-dir": bin, "cni-conf-dir": conf})),
        on(bin, conf)
    );
    let conf_missing = CniSetting::Off {
        missing: Some("cni-conf-dir"),
    };
    assert_eq!(
        setting(json!({"cni-bin-dir": bin, "cni-conf-dir": ""})),
        conf_missing
    );
    assert_eq!(
        setting(json!({"cni-bin-dir": bin, "cni-conf-dir": "  "})),
        conf_missing
    );
    let bin_missing = CniSetting::Off {
        missing: Some("cni-bin-dir"),
    };
    assert_eq!(setting(json!({"cni-conf-dir": conf})), bin_missing);
    let none = CniSetting::Off { missing: None };
    assert_eq!(
        setting(json!({"cni-bin-dir": null, "cni-conf-dir": " "})),
        none
    );
}

#[test]
fn spaces_around_and_one_trailing_slash_are_dropped() {
    let value = json!({"cni-bin-dir": "  /opt/cni/bin/ ", "cni-conf-dir": "/etc/cni/net.d/"});
    assert_eq!(good(value).cni, on("/opt/cni/bin", "/etc/cni/net.d"));
}

#[test]
fn bad_paths_are_named_with_what_is_wrong() {
    for (path, expected) in [
        ("opt/cni/bin", "not absolute"),
        ("/", "root directory"),
        ("//", "root directory"),
        ("/opt//bin", "empty part"),
        ("/opt/bin//", "empty part"),
        ("/opt/./bin", "'.'"),
        ("/opt/../bin", "'..'"),
        ("/opt/cni\nbin", "invisible character U+000A"),
        ("/opt/cni/bin\n", "invisible character U+000A"),
        ("/opt/\u{7f}", "invisible character U+007F"),
    ] {
        problems(
            json!({"cni-bin-dir": path, "cni-conf-dir": "/etc/cni"}),
            &[expected],
        );
        // A set option is checked even when the other one is empty.
        problems(json!({"cni-conf-dir": path}), &[expected]);
    }
}

#[test]
fn a_path_may_have_4096_bytes_and_no_more() {
    let path = |length: usize| format!("/{}", "a".repeat(length - 1));
    let value = json!({"cni-bin-dir": path(4096), "cni-conf-dir": "/etc/cni"});
    assert_eq!(good(value).cni, on(&path(4096), "/etc/cni"));
    let value = json!({"cni-bin-dir": path(4097), "cni-conf-dir": "/etc/cni"});
    let found = check(&options(value)).mesh.unwrap_err();
    assert!(found[0].message.contains("4096 bytes"), "{found:?}");
    assert!(found[0].message.len() < 200, "a status message stays short");
}

#[test]
fn the_two_paths_must_differ_after_trimming() {
    let value = json!({"cni-bin-dir": "/opt/cni/", "cni-conf-dir": " /opt/cni"});
    problems(value, &["must differ from cni-bin-dir"]);
}

#[test]
fn all_problems_come_together() {
    let value = json!({
        "cni-bin-dir": "x",
        "cni-conf-dir": "/",
        "image-configuration": "global-tag: 7\npilot-image: ''",
        "default-gateway": "Not A Name",
    });
    problems(
        value,
        &[
            "cni-bin-dir: 'x'",
            "cni-conf-dir: '/'",
            "global-tag: 7",
            "pilot-image",
            "default-gateway",
        ],
    );
}

#[test]
fn what_nobody_can_see_in_an_option_is_named() {
    for option in [
        "cni-bin-dir",
        "cni-conf-dir",
        "default-gateway",
        "gateway-service-name",
        "csr-domain-name",
        "tls-secret-id",
    ] {
        for (hidden, name) in [
            ("\u{200b}", "U+200B"),
            ("\u{feff}", "U+FEFF"),
            ("\u{a0}", "U+00A0"),
            ("\t", "U+0009"),
        ] {
            for value in [
                format!("{hidden}/a"),
                format!("/a{hidden}b"),
                format!("/a{hidden}"),
            ] {
                problems(json!({ (option): value }), &[name]);
            }
        }
    }
}

#[test]
fn names_are_those_that_kubernetes_takes() {
    let named = |option: &str, name: &str| check(&options(json!({ (option): name }))).mesh;
    let long = "a".repeat(64);
    for name in ["istio-gateway", "0", "a.b", &long] {
        assert!(named("default-gateway", name).is_ok(), "{name}");
    }
    assert!(named("gateway-service-name", "istio-ingressgateway").is_ok());
    // No Service has such a name.
    for name in ["a.b", long.as_str(), "A", "a_b", "-a"] {
        let value = json!({"gateway-service-name": name});
        problems(value, &["must be the name of a Service"]);
    }
    for name in ["A", "a_b", "a..b", "a-", "a b"] {
        let value = json!({"default-gateway": name});
        problems(value, &["must be a Kubernetes name"]);
    }
}

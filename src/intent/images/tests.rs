use expect_test::{Expect, expect};
use serde_json::json;

use super::*;

fn parsed(text: &str) -> (Option<Images>, Vec<Problem>, Vec<String>) {
    let options = json!({ IMAGE_CONFIGURATION: text });
    let (mut problems, mut warnings) = (Vec::new(), Vec::new());
    let images = parse(options.as_object().unwrap(), &mut problems, &mut warnings);
    assert_eq!(images.is_none(), !problems.is_empty());
    (images, problems, warnings)
}

#[track_caller]
fn good(text: &str) -> Images {
    let (images, problems, _) = parsed(text);
    images.unwrap_or_else(|| unreachable!("{problems:?}"))
}

/// What is wrong, or what is odd, a line each.
#[track_caller]
fn told(text: &str, expected: &Expect) {
    let (_, problems, warnings) = parsed(text);
    let problems = problems.iter().map(ToString::to_string);
    let warnings = warnings.iter().map(|it| format!("warning: {it}"));
    let lines: Vec<_> = problems.chain(warnings).collect();
    expected.assert_eq(&lines.join("\n"));
}

#[test]
fn images_take_hub_and_tag_unless_they_are_whole_references() {
    let images = good(
        "{global-hub: registry.local:5000/istio, global-tag: 1.31.1-distroless, \
         pilot-image: example.com/own/pilot:7, global-proxy-image: proxy}",
    );
    assert_eq!(images.pilot, "example.com/own/pilot:7");
    assert_eq!(
        images.proxy,
        "registry.local:5000/istio/proxy:1.31.1-distroless"
    );
    assert_eq!(
        images.proxy_init,
        "registry.local:5000/istio/proxyv2:1.31.1-distroless"
    );
}

#[test]
fn a_slash_at_the_end_of_the_hub_is_dropped() {
    let images = good("global-hub: registry.test/istio/");
    assert_eq!(images.hub, "registry.test/istio");
    assert!(images.pilot.starts_with("registry.test/istio/pilot:"));
}

#[test]
fn a_hub_may_be_a_registry_alone() {
    for hub in [
        "localhost:5000",
        "[::1]:5000",
        "registry.test",
        "REGISTRY.test",
        "istio",
    ] {
        let images = good(&json!({ HUB: hub }).to_string());
        assert!(images.cni.starts_with(&format!("{hub}/install-cni:")));
    }
}

#[test]
fn hubs_below_which_nothing_can_be_pulled_are_told() {
    let hubs = [
        "",
        "/",
        "docker.io/istio//",
        "https://docker.io/istio",
        "/docker.io/istio",
        "docker.io/Istio",
        "Istio",
        "user:password@docker.io/istio",
        "docker.io/istio:1.31.1",
        "docker.io/istio@sha256:0",
        "docker.io/is tio",
        " docker.io/istio",
        "docker.io/istio\u{a0}",
    ];
    let mut lines = Vec::new();
    for hub in hubs {
        let (_, problems, _) = parsed(&json!({ HUB: hub }).to_string());
        // One mistake is one problem, although five images have it.
        assert_eq!(problems.len(), 1, "{problems:?}");
        lines.push(format!("{}\n", problems[0]));
    }
    expect![[r#"
        image-configuration: global-hub: '' is empty; leave the key out for its default
        image-configuration: global-hub: '/' has an empty part: a slash at its beginning or end, or two in a row
        image-configuration: global-hub: 'docker.io/istio//' has an empty part: a slash at its beginning or end, or two in a row
        image-configuration: global-hub: 'https://docker.io/istio' has a scheme; leave out what ends in ://
        image-configuration: global-hub: '/docker.io/istio' has an empty part: a slash at its beginning or end, or two in a row
        image-configuration: global-hub: 'docker.io/Istio' has capital letters in 'Istio', where only a registry may have them
        image-configuration: global-hub: 'Istio' has capital letters in 'Istio', where only a registry may have them
        image-configuration: global-hub: '…@docker.io/istio' has an @, but a hub has no digest, and credentials belong into an image pull secret
        image-configuration: global-hub: 'docker.io/istio:1.31.1' has a tag; it belongs into global-tag
        image-configuration: global-hub: 'docker.io/istio@sha256:0' has an @, but a hub has no digest, and credentials belong into an image pull secret
        image-configuration: global-hub: 'docker.io/is tio' holds a space; write it without
        image-configuration: global-hub: ' docker.io/istio' holds a space; write it without
        image-configuration: global-hub: 'docker.io/istio\u{a0}' holds the invisible character U+00A0; type it again
    "#]].assert_eq(&lines.concat());
}

#[test]
fn a_password_in_the_wrong_place_is_not_shown() {
    for key in [HUB, PILOT, GRPC_BOOTSTRAP_INIT] {
        for place in [
            "user:hunter2@registry.test/a",
            "https://user:hunter2@registry.test/a",
            "user:hun@ter2@registry.test/a",
        ] {
            let (_, problems, _) = parsed(&json!({ key: place }).to_string());
            assert!(!problems[0].message.contains("hun"), "{problems:?}");
            assert!(
                problems[0].message.contains("image pull secret") || place.starts_with("https")
            );
        }
    }
}

#[test]
fn tags_that_no_image_has_are_told() {
    let digest = format!("sha256:{}", "0a".repeat(32));
    let mut lines = Vec::new();
    for tag in [
        "",
        ":1.31.1",
        "1.31.1+build",
        &digest,
        "@sha256:0",
        ".1",
        "1 31",
        "1.31\u{200b}",
    ] {
        let (_, problems, _) = parsed(&json!({ TAG: tag }).to_string());
        assert_eq!(problems.len(), 1, "{problems:?}");
        lines.push(format!("{}\n", problems[0]));
    }
    expect![[r#"
        image-configuration: global-tag: '' is empty; leave the key out for its default
        image-configuration: global-tag: ':1.31.1' begins with a colon; write '1.31.1'
        image-configuration: global-tag: '1.31.1+build' is no tag: at most 128 letters, digits, '_', '.' and '-', not '.' or '-' first
        image-configuration: global-tag: 'sha256:0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0…' is no tag; a digest belongs to a whole reference of each image, behind an @
        image-configuration: global-tag: '@sha256:0' is no tag; a digest belongs to a whole reference of each image, behind an @
        image-configuration: global-tag: '.1' is no tag: at most 128 letters, digits, '_', '.' and '-', not '.' or '-' first
        image-configuration: global-tag: '1 31' holds a space; write it without
        image-configuration: global-tag: '1.31\u{200b}' holds the invisible character U+200B; type it again
    "#]].assert_eq(&lines.concat());
}

#[test]
fn images_that_can_never_be_pulled_are_told() {
    let mut lines = Vec::new();
    for text in [
        "pilot-image: ''",
        "global-cni-image: 'install-cni:'",
        "global-cni-image: 'registry.test/install-cni:'",
        "global-proxy-image: 'registry.test/proxyv2@sha256:0a0a'",
        "global-proxy-image: 'registry.test/proxyv2@'",
        "pilot-image: Pilot",
        "pilot-image: 'a b'",
        "pilot-image: 'pilot:1.31.1'",
        "pilot-image: 'registry.test/istio/pilot:1.28.0'",
        "grpc-bootstrap-init: 'busybox:'",
        "grpc-bootstrap-init: 'https://busybox'",
    ] {
        let (_, problems, _) = parsed(text);
        assert_eq!(problems.len(), 1, "{problems:?}");
        lines.push(format!("{}\n", problems[0].message));
    }
    expect![[r#"
        pilot-image: '' is empty; leave the key out for its default
        global-cni-image: 'install-cni:' has an empty tag; leave out the colon or write a tag behind it
        global-cni-image: 'registry.test/install-cni:' has an empty tag; leave out the colon or write a tag behind it
        global-proxy-image: 'registry.test/proxyv2@sha256:0a0a' has 'sha256:0a0a' behind the @, which is no digest (sha256: and 64 hexadecimal digits in lower case); credentials belong into an image pull secret
        global-proxy-image: 'registry.test/proxyv2@' has '' behind the @, which is no digest (sha256: and 64 hexadecimal digits in lower case); credentials belong into an image pull secret
        pilot-image: 'Pilot' has capital letters in 'Pilot', where only a registry may have them
        pilot-image: 'a b' holds a space; write it without
        pilot-image: 'pilot:1.31.1' names a tag or digest but no registry; set global-tag, or give a whole reference such as docker.io/istio/pilot:1.31.1
        pilot-image: 'registry.test/istio/pilot:1.28.0' is Istio 1.28; this charm installs 1.31.1: use an image of that minor version, or a tag that is no version number if it is one
        grpc-bootstrap-init: 'busybox:' has an empty tag; leave out the colon or write a tag behind it
        grpc-bootstrap-init: 'https://busybox' has a scheme; leave out what ends in ://
    "#]].assert_eq(&lines.concat());
}

#[test]
fn parts_that_are_too_long_together_are_told_for_each_image() {
    let hub = format!("registry.test/{}", "a".repeat(230));
    let text = json!({HUB: hub, PROXY: "proxyv2-debug"}).to_string();
    told(
        &text,
        &expect![[r#"
        image-configuration: global-proxy-image: 'registry.test/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…' is longer than 255 bytes before its tag
        image-configuration: global-cni-image: 'registry.test/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…' is longer than 255 bytes before its tag"#]],
    );
}

#[test]
fn another_minor_version_is_refused_wherever_it_is() {
    for tag in [
        "1.31.0",
        "v1.31.5",
        "1.31-alpha.0",
        "latest",
        "my-1.30",
        "31",
        "1.x",
    ] {
        good(&json!({ TAG: tag }).to_string());
        good(&json!({ PILOT: format!("registry.test/pilot:{tag}") }).to_string());
    }
    for tag in ["1.30.2", "v1.32", "2.31.1", "1.3"] {
        for (key, value) in [
            (TAG, tag.to_owned()),
            (PILOT, format!("registry.test/istio/pilot:{tag}")),
            (
                PROXY,
                format!("registry.test/istio/proxyv2:{tag}-distroless"),
            ),
            (PROXY_INIT, format!("registry.test:5000/proxyv2:{tag}")),
            (
                CNI,
                format!("registry.test/cni:{tag}@sha256:{}", "0a".repeat(32)),
            ),
        ] {
            let (_, problems, _) = parsed(&json!({ key: value }).to_string());
            let expected = format!("this charm installs {ISTIO_VERSION}");
            assert_eq!(problems.len(), 1, "{key}: {value}");
            assert!(problems[0].message.contains(&expected), "{problems:?}");
            assert!(problems[0].message.starts_with(key), "{problems:?}");
        }
    }
    // Not an image of Istio's.
    good("grpc-bootstrap-init: 'registry.test/busybox:1.28'");
}

#[test]
fn what_is_only_odd_is_a_warning() {
    let digest = format!("sha256:{}", "0a".repeat(32));
    let mut lines = Vec::new();
    for text in [
        "pilot-image: registry.test:5000/istio/pilot",
        "grpc-bootstrap-init: busybox",
        &format!("pilot-image: registry.test/pilot@{digest}"),
        "global-hub: gcr.io/istio-release",
        "global-hub: gcr.io/istio-release/",
        "pilot-image: registry.istio.io/release/pilot:1.31.1",
        "global-hub: gcr.io/istio-release-mirror",
        "{ghost: x, global-tag: , global_hub: y}",
    ] {
        let (_, problems, warnings) = parsed(text);
        assert_eq!(problems, []);
        lines.push(format!("{text}\n"));
        lines.extend(warnings.iter().map(|it| format!("  {it}\n")));
    }
    expect![[r#"
        pilot-image: registry.test:5000/istio/pilot
          image-configuration: pilot-image: 'registry.test:5000/istio/pilot' has neither a tag nor a digest, so every node pulls what is latest at that moment
        grpc-bootstrap-init: busybox
          image-configuration: grpc-bootstrap-init: 'busybox' has neither a tag nor a digest, so every node pulls what is latest at that moment
        pilot-image: registry.test/pilot@sha256:0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a
        global-hub: gcr.io/istio-release
          image-configuration: gcr.io/istio-release/pilot:1.31.1 is in gcr.io/istio-release, which serves no images any more from December 2026 on; the default of global-hub is docker.io/istio
        global-hub: gcr.io/istio-release/
          image-configuration: gcr.io/istio-release/pilot:1.31.1 is in gcr.io/istio-release, which serves no images any more from December 2026 on; the default of global-hub is docker.io/istio
        pilot-image: registry.istio.io/release/pilot:1.31.1
          image-configuration: registry.istio.io/release/pilot:1.31.1 is in registry.istio.io, which serves no images any more from December 2026 on; the default of global-hub is docker.io/istio
        global-hub: gcr.io/istio-release-mirror
        {ghost: x, global-tag: , global_hub: y}
          image-configuration: the key "ghost" is unknown and not used
          image-configuration: the key "global_hub" is unknown and not used
    "#]].assert_eq(&lines.concat());
}

#[test]
fn junk_is_a_problem() {
    for (text, expected) in [
        ("{a: [", "is not YAML"),
        ("- pilot", "must be a map"),
        ("42", "must be a map"),
        ("just text", "must be a map"),
        ("global-tag: 1.31", "put it in quotes"),
        ("pilot-image: [a]", "put it in quotes"),
        ("{1: a}\n---\n{}", "is not YAML"),
        ("pilot-image: a\npilot-image: b", "\"pilot-image\" twice"),
        (
            r#"{"global-tag": "1.31.0", "global-tag": "1.31.1"}"#,
            "\"global-tag\" twice",
        ),
    ] {
        let (_, problems, _) = parsed(text);
        assert_eq!(problems.len(), 1, "{text}: {problems:?}");
        assert!(
            problems[0].message.contains(expected),
            "{text}: {problems:?}"
        );
    }
    let options = json!({IMAGE_CONFIGURATION: ["a"]});
    let mut problems = Vec::new();
    assert_eq!(
        parse(options.as_object().unwrap(), &mut problems, &mut Vec::new()),
        None
    );
    assert!(problems[0].message.contains("must be text"), "{problems:?}");
}

#[test]
fn a_byte_order_mark_before_the_map_is_nothing() {
    assert_eq!(
        good("\u{feff}pilot-image: own").pilot,
        good("pilot-image: own").pilot
    );
}

#[test]
fn all_problems_come_together() {
    told(
        "{global-hub: https://docker.io, global-tag: ':1', pilot-image: '', global-cni-image: 7}",
        &expect![[r#"
            image-configuration: global-hub: 'https://docker.io' has a scheme; leave out what ends in ://
            image-configuration: global-tag: ':1' begins with a colon; write '1'
            image-configuration: pilot-image: '' is empty; leave the key out for its default
            image-configuration: global-cni-image: 7 is not text; put it in quotes"#]],
    );
}

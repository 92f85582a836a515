//! What the pods of network plugins show.

use super::*;

#[test]
fn a_network_plugin_shows_the_directories_of_an_unknown_distribution() {
    let nodes = [node(
        "a",
        &json!({"status>nodeInfo>kubeletVersion": "v1.34.1+k0s"}),
    )];
    let pods = [with_both(
        "calico-node",
        "a",
        "/opt/cni/bin",
        "/etc/cni/net.d",
    )];
    let detection = detect(&nodes, &pods);
    assert_eq!(short(&detection), format!("Certain {STANDARD}"));
    assert!(detection.distributions.is_empty());
}

#[test]
fn only_ready_pods_of_daemon_sets_other_than_istios_count() {
    let nodes = [node("a", &json!({}))];
    let certain = with_both("cni", "a", "/x/bin", "/x/net.d");
    assert_eq!(
        short(&detect(&nodes, std::slice::from_ref(&certain))),
        "Certain /x/bin /x/net.d"
    );
    let mut starting = certain.clone();
    starting.status = None;
    let mut leaving = certain.clone();
    leaving.metadata.deletion_timestamp =
        Some(serde_json::from_value(json!("2026-01-01T00:00:00Z")).unwrap());
    let mut bare = certain.clone();
    bare.metadata.owner_references = None;
    let istio = with_both("istio-cni-node", "a", "/x/bin", "/x/net.d");
    for pod in [starting, leaving, bare, istio] {
        let name = pod.metadata.name.clone();
        assert_eq!(short(&detect(&nodes, &[pod])), "Unsure", "{name:?}");
    }
}

#[test]
fn one_directory_alone_is_not_enough_for_an_unknown_distribution() {
    let nodes = [node("a", &json!({}))];
    let pods = [plugin(
        "kindnet",
        "a",
        &[("/etc/cni/net.d", "/etc/cni/net.d/")],
    )];
    assert_eq!(short(&detect(&nodes, &pods)), "Unsure");
}

#[test]
fn what_a_plugin_uses_is_believed_before_what_is_usual() {
    // Older versions of minikube kept kindnet's configuration apart.
    let nodes = [node(
        "minikube",
        &json!({"metadata>labels>minikube.k8s.io/name": "minikube"}),
    )];
    let pods = [plugin(
        "kindnet",
        "minikube",
        &[("/etc/cni/net.mk", "/etc/cni/net.d")],
    )];
    let detection = detect(&nodes, &pods);
    assert_eq!(short(&detection), "Likely /opt/cni/bin /etc/cni/net.mk");

    let pods = [with_both("odd", "minikube", "/srv/bin", "/srv/net.d")];
    let detection = detect(&nodes, &pods);
    assert_eq!(short(&detection), "Likely /srv/bin /srv/net.d");
    assert!(
        detection.notes[0].contains("other directories"),
        "{:?}",
        detection.notes
    );
}

#[test]
fn plugins_that_disagree_leave_what_is_usual_or_nothing() {
    let pods = [
        with_both("calico-node", "a", "/opt/cni/bin", "/etc/cni/net.d"),
        with_both("multus", "a", "/elsewhere/bin", "/elsewhere/net.d"),
    ];
    let unknown = node("a", &json!({}));
    let detection = detect(&[unknown], &pods);
    assert_eq!(short(&detection), "Unsure");
    assert_eq!(why(&detection), "a: its network plugins disagree");
    let talos = node("a", &json!({"status>nodeInfo>osImage": "Talos (v1.11.3)"}));
    assert_eq!(
        short(&detect(&[talos], &pods)),
        format!("Likely {STANDARD}")
    );
}

#[test]
fn a_volume_below_a_sub_path_is_another_directory() {
    let nodes = [node("a", &json!({}))];
    let mut pod = with_both("cni", "a", "/x", "/y");
    let spec = pod.spec.as_mut().unwrap();
    let mounts = spec.init_containers.as_mut().unwrap()[0]
        .volume_mounts
        .as_mut()
        .unwrap();
    mounts[0].sub_path = Some("bin".to_owned());
    assert_eq!(short(&detect(&nodes, &[pod])), "Unsure");
}

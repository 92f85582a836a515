//! What people are told beside the directories.

use super::*;

/// Whether a note about such a cluster contains a text.
#[track_caller]
fn noted(nodes: &[Node], pods: &[Pod], text: &str, expected: bool) {
    let detection = detect(nodes, pods);
    let found = detection.notes.iter().any(|it| it.contains(text));
    assert_eq!(found, expected, "{text}: {:?}", detection.notes);
}

fn os(image: &str) -> [Node; 1] {
    [node("a", &json!({"status>nodeInfo>osImage": image}))]
}

#[test]
fn talos_needs_its_kubelet_to_see_the_plugins() {
    noted(
        &os("Talos (v1.11.3)"),
        &[],
        "machine.kubelet.extraMounts",
        true,
    );
    noted(&os("Debian"), &[], "extraMounts", false);
}

#[test]
fn a_refresh_of_microk8s_moves_its_directories() {
    let microk8s = |label: &str| node("a", &json!({"metadata>labels>".to_owned() + label: "true"}));
    noted(
        &[microk8s("microk8s.io/cluster")],
        &[],
        "rollout restart daemonset istio-cni-node",
        true,
    );
    noted(&[microk8s("k8sd.io/role")], &[], "rollout restart", false);
}

#[test]
fn systems_that_enforce_selinux_are_named() {
    for image in [
        "Bottlerocket OS 1.45.0 (aws-k8s-1.34)",
        "Rocky Linux 9.6 (Blue Onyx)",
        "Red Hat Enterprise Linux 9.6 (Plow)",
        "Fedora CoreOS 42.20250803.3.0",
        "CentOS Stream 9",
    ] {
        noted(&os(image), &[], "of a enforces SELinux", true);
    }
    for image in [
        "Ubuntu 24.04.3 LTS",
        "Amazon Linux 2023.8.20250818",
        "Red Hat Enterprise Linux CoreOS 9.6.20251023-0",
        "Talos (v1.11.3)",
    ] {
        noted(&os(image), &[], "SELinux unless", false);
    }
}

#[test]
fn cilium_without_kube_proxy_may_hide_services_from_sidecars() {
    let nodes = [node("a", &json!({}))];
    let cilium = with_both("cilium", "a", "/opt/cni/bin", "/etc/cni/net.d");
    let setting = "socketLB.hostNamespaceOnly";
    noted(&nodes, std::slice::from_ref(&cilium), setting, true);
    let kube_proxy = plugin("kube-proxy", "a", &[]);
    let both = [cilium, kube_proxy.clone()];
    noted(&nodes, &both, setting, false);
    noted(&nodes, &both, "cni.exclusive", true);
    let calico = with_both("calico-node", "a", "/opt/cni/bin", "/etc/cni/net.d");
    noted(&nodes, &[calico], setting, false);
}

#[test]
fn multus_calls_the_istio_cni_only_where_its_configuration_has_it() {
    let nodes = [node("a", &json!({}))];
    for name in ["kube-multus-ds", "rke2-multus", "multus"] {
        let pods = [with_both(name, "a", "/opt/cni/bin", "/etc/cni/net.d")];
        noted(
            &nodes,
            &pods,
            "Multus calls the other network plugins",
            true,
        );
        let openshift = [node(
            "a",
            &json!({"metadata>labels>node.openshift.io/os_id": "rhel"}),
        )];
        noted(&openshift, &pods, "Multus calls the other", false);
    }
}

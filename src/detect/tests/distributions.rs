//! What single nodes say about themselves.

use super::*;

#[test]
fn each_mark_of_a_distribution_is_enough() {
    let label = |key: &str| format!("metadata>labels>{key}");
    let annotation = |key: &str| format!("metadata>annotations>{key}");
    let info = |key: &str| format!("status>nodeInfo>{key}");
    for (distribution, place, value) in [
        ("OpenShift", label("node.openshift.io/os_id"), "rhel"),
        (
            "OpenShift",
            annotation("machineconfiguration.openshift.io/state"),
            "Done",
        ),
        (
            "OpenShift",
            info("osImage"),
            "Red Hat Enterprise Linux CoreOS 9.6",
        ),
        ("MicroK8s", label("microk8s.io/cluster"), "true"),
        ("Canonical Kubernetes", label("k8sd.io/role"), "worker"),
        ("RKE2", info("kubeletVersion"), "v1.33.5+rke2r1"),
        ("RKE2", annotation("rke2.io/hostname"), "a"),
        ("RKE2", label("node.kubernetes.io/instance-type"), "rke2"),
        (
            "Rancher Desktop",
            info("osImage"),
            "Rancher Desktop WSL Distribution",
        ),
        ("k3d", info("osImage"), "K3s v1.33.4+k3s1"),
        ("k3s", info("kubeletVersion"), "v1.33.4+k3s1"),
        ("k3s", annotation("k3s.io/hostname"), "a"),
        ("k3s", "spec>providerID".to_owned(), "k3s://a"),
        ("k3s", label("node.kubernetes.io/instance-type"), "k3s"),
        ("Talos", info("osImage"), "Talos (v1.11.3)"),
        ("Talos", info("kernelVersion"), "6.12.52-talos"),
        ("GKE", label("cloud.google.com/gke-nodepool"), "default"),
        ("GKE", info("kubeletVersion"), "v1.33.5-gke.1080000"),
        ("EKS", label("eks.amazonaws.com/nodegroup"), "general"),
        ("EKS", info("kubeletVersion"), "v1.34.1-eks-113cf36"),
        ("AKS", label("kubernetes.azure.com/cluster"), "MC_a"),
        ("AKS", label("kubernetes.azure.com/agentpool"), "pool"),
        ("minikube", label("minikube.k8s.io/name"), "mesh"),
        (
            "kind",
            "spec>providerID".to_owned(),
            "kind://docker/mesh/mesh-worker",
        ),
        (
            "kubeadm",
            annotation("kubeadm.alpha.kubernetes.io/cri-socket"),
            "unix:///run/crio",
        ),
    ] {
        let detection = detect(&[node("a", &json!({&place: value}))], &[]);
        assert_eq!(detection.results("mesh")[0].1, distribution, "{place}");
    }
}

#[test]
fn names_and_clouds_alone_are_weak() {
    for (name, provider, suspected) in [
        ("gke-a", "", "GKE"),
        ("a", "aws:///eu-central-1a/i-0", "EKS"),
        ("aks-pool-0", "", "AKS"),
        ("mesh-control-plane", "", "kind"),
        ("k3d-mesh-server-0", "", "k3d"),
    ] {
        let changes = match provider {
            "" => json!({}),
            id => json!({"spec>providerID": id}),
        };
        let nodes = [node(name, &changes)];
        let detection = detect(&nodes, &[]);
        assert!(
            short(&detection).starts_with("Unsure /"),
            "{name}: {detection:?}"
        );
        let distribution = &detection.results("mesh")[0].1;
        assert_eq!(*distribution, format!("unknown, perhaps {suspected}"));
        // What a network plugin shows needs no name.
        let pods = [with_both(
            "calico-node",
            name,
            "/opt/cni/bin",
            "/etc/cni/net.d",
        )];
        assert_eq!(short(&detect(&nodes, &pods)), format!("Certain {STANDARD}"));
    }
}

#[test]
fn k3s_keeps_its_plugins_where_its_version_and_data_directory_say() {
    let bin_dir = |version: &str, os_image: &str, arguments: &[&str]| {
        let detection = detect(&[k3s("a", version, os_image, arguments)], &[]);
        let Answer::Paths { paths, .. } = detection.answer else {
            panic!("{detection:?}")
        };
        let data = paths.conf_dir.strip_suffix("/agent/etc/cni/net.d").unwrap();
        paths.bin_dir.replace(data, "DATA")
    };
    let machine = |version| bin_dir(version, "Debian", &["server"]);
    for old in [
        "v1.27.16+k3s1",
        "v1.28.14+k3s1",
        "v1.29.9+k3s1",
        "v1.30.5+k3s1",
        "v1.31.1+k3s1",
    ] {
        assert_eq!(machine(old), "DATA/data/current/bin", "{old}");
    }
    for new in [
        "v1.28.15+k3s1",
        "v1.29.10+k3s1",
        "v1.30.6+k3s1",
        "v1.31.2+k3s1",
        "v1.32.0+k3s1",
    ] {
        assert_eq!(machine(new), "DATA/data/cni", "{new}");
    }
    let container = |version| bin_dir(version, "K3s v1", &["server"]);
    for old in [
        "v1.29.14+k3s1",
        "v1.30.10+k3s1",
        "v1.31.6+k3s1",
        "v1.32.2+k3s1",
    ] {
        assert_eq!(container(old), "/bin", "{old}");
    }
    for new in [
        "v1.29.15+k3s1",
        "v1.30.11+k3s1",
        "v1.31.7+k3s1",
        "v1.32.3+k3s1",
        "v1.33.0+k3s1",
    ] {
        assert_eq!(container(new), "DATA/data/cni", "{new}");
    }
    for arguments in [
        ["--data-dir", "/srv/k3s/"],
        ["-d", "/srv/k3s"],
        ["x", "--data-dir=/srv/k3s"],
    ] {
        let detection = detect(&[k3s("a", "v1.34.1+k3s1", "Debian", &arguments)], &[]);
        assert_eq!(
            short(&detection),
            "Likely /srv/k3s/data/cni /srv/k3s/agent/etc/cni/net.d",
            "{arguments:?}"
        );
    }
}

#[test]
fn users_of_an_old_k3s_read_that_the_agent_needs_a_restart_after_an_upgrade() {
    let notes = |version| detect(&[k3s("a", version, "Debian", &[])], &[]).notes;
    assert!(notes("v1.31.1+k3s1")[0].contains("restart the DaemonSet istio-cni-node"));
    assert!(notes("v1.34.1+k3s1").is_empty());
}

#[test]
fn k3s_with_another_network_plugin_goes_by_that() {
    let mut node = k3s(
        "a",
        "v1.34.1+k3s1",
        "Debian",
        &["server", "--flannel-backend=none"],
    );
    let annotations = node.metadata.annotations.as_mut().unwrap();
    annotations.remove("flannel.alpha.coreos.com/backend-type");
    let detection = detect(std::slice::from_ref(&node), &[]);
    assert_eq!(short(&detection), format!("Unsure {STANDARD}"));
    let pods = [with_both(
        "calico-node",
        "a",
        "/opt/cni/bin",
        "/etc/cni/net.d",
    )];
    assert_eq!(
        short(&detect(&[node], &pods)),
        format!("Certain {STANDARD}")
    );
}

#[test]
fn k3s_with_a_container_runtime_of_its_own_is_uncertain() {
    let endpoint = "unix:///run/containerd/containerd.sock";
    let of = |arguments: &[&str], runtime: &str| {
        let mut node = k3s("a", "v1.34.1+k3s1", "Debian", arguments);
        let status = node.status.as_mut().unwrap();
        let info = status.node_info.as_mut().unwrap();
        info.container_runtime_version = runtime.to_owned();
        short(&detect(&[node], &[]))
    };
    let of_k3s = "Likely /var/lib/rancher/k3s/data/cni /var/lib/rancher/k3s/agent/etc/cni/net.d";
    let unsure = format!("Unsure {STANDARD}");
    for (arguments, runtime, expected) in [
        (&["server"][..], "containerd://2.1.5-k3s1", of_k3s),
        (
            &["server", "--container-runtime-endpoint", endpoint],
            "containerd://2.1.4",
            &unsure,
        ),
        (
            &["--container-runtime-endpoint=/run/crio/crio.sock"],
            "cri-o://1.34.0",
            &unsure,
        ),
        // The configuration file of an older k3s is not among its arguments.
        (&["agent"], "cri-o://1.34.0", &unsure),
        (&["agent"], "containerd://2.1.4", &unsure),
        // k3s starts cri-dockerd itself, with its own directories.
        (&["server", "--docker"], "docker://28.1.1", of_k3s),
        (
            &["--docker=true", "--node-name", "a"],
            "docker://28.1.1",
            of_k3s,
        ),
        (&["--docker=false"], "docker://28.1.1", &unsure),
    ] {
        assert_eq!(of(arguments, runtime), expected, "{arguments:?} {runtime}");
    }
    // What a network plugin shows is believed.
    let node = k3s(
        "a",
        "v1.34.1+k3s1",
        "Debian",
        &["--container-runtime-endpoint=/x"],
    );
    let pods = [with_both("calico-node", "a", "/x/bin", "/x/net.d")];
    assert_eq!(short(&detect(&[node], &pods)), "Certain /x/bin /x/net.d");
}

#[test]
fn rancher_desktop_has_the_directories_of_its_own_runtime() {
    let of = |arguments: &[&str], runtime: &str| {
        let mut node = k3s(
            "lima-rancher-desktop",
            "v1.34.1+k3s1",
            "Alpine Linux v3.22",
            arguments,
        );
        let status = node.status.as_mut().unwrap();
        let info = status.node_info.as_mut().unwrap();
        info.container_runtime_version = runtime.to_owned();
        short(&detect(&[node], &[]))
    };
    let own = [
        "server",
        "--container-runtime-endpoint",
        "/run/k3s/containerd/containerd.sock",
    ];
    let expected = "Likely /usr/libexec/cni /etc/cni/net.d";
    assert_eq!(of(&own, "containerd://2.0.0"), expected);
    let moby = [
        "server",
        "--container-runtime-endpoint",
        "/run/cri-dockerd.sock",
    ];
    assert_eq!(of(&moby, "docker://28.1.1"), expected);
    // Its older versions ran the containerd of k3s.
    let expected = "Likely /var/lib/rancher/k3s/data/cni /var/lib/rancher/k3s/agent/etc/cni/net.d";
    assert_eq!(of(&["server"], "containerd://1.6.8-k3s1"), expected);
}

#[test]
fn directories_are_not_enough_for_autopilot_and_uncertain_in_auto_mode() {
    let autopilot = node(
        "gk3-prod-pool-1-0a1b",
        &json!({"status>nodeInfo>kubeletVersion": "v1.33.5-gke.1080000"}),
    );
    let pods = [with_both(
        "anetd",
        "gk3-prod-pool-1-0a1b",
        "/home/kubernetes/bin",
        "/etc/cni/net.d",
    )];
    let detection = detect(&[autopilot], &pods);
    assert_eq!(short(&detection), "NotEnough");
    assert!(
        why(&detection).contains("allow-net-admin"),
        "{}",
        why(&detection)
    );
    let auto = node(
        "i-0",
        &json!({"metadata>labels>eks.amazonaws.com/compute-type": "auto"}),
    );
    let detection = detect(&[auto], &[]);
    assert_eq!(short(&detection), format!("Unsure {STANDARD}"));
}

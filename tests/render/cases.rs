//! The control planes that are compared.

use istio_pilot::control_plane::{CniPaths, ControlPlane, Images, Injection};
use istio_pilot::k8s::version::KubernetesVersion;

/// A control plane, and what `istioctl` has to be told beyond its defaults to make the same.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) control_plane: ControlPlane,
    /// `key=value` for `--set`, beside those that follow from the rest.
    pub(crate) settings: &'static [&'static str],
}

pub(crate) fn all() -> Vec<Case> {
    let usual = CniPaths {
        bin_dir: "/opt/cni/bin".to_owned(),
        conf_dir: "/etc/cni/net.d".to_owned(),
    };
    let microk8s = CniPaths {
        bin_dir: "/var/snap/microk8s/current/opt/cni/bin".to_owned(),
        conf_dir: "/var/snap/microk8s/current/args/cni-network".to_owned(),
    };
    vec![
        Case {
            name: "CNI off",
            control_plane: control_plane("kubeflow"),
            settings: &[],
        },
        Case {
            name: "CNI on",
            control_plane: with_node_agent("kubeflow", usual.clone(), Injection::IstioValidation),
            settings: &[],
        },
        Case {
            name: "CNI being switched on",
            control_plane: with_node_agent("kubeflow", usual.clone(), Injection::IstioInit),
            settings: &[],
        },
        Case {
            name: "MicroK8s",
            control_plane: with_node_agent("kubeflow", microk8s, Injection::IstioValidation),
            settings: &[],
        },
        Case {
            name: "own images",
            control_plane: ControlPlane {
                images: own_images(),
                ..with_node_agent("kubeflow", usual.clone(), Injection::IstioValidation)
            },
            settings: &[
                "hub=registry.example:5000/mesh",
                "tag=1.31.0-fips",
                "values.pilot.image=control.example/istiod:7",
                "values.global.proxy.image=sidecar",
                "values.global.proxy_init.image=tables",
                "values.cni.image=agent",
            ],
        },
        Case {
            name: "other model",
            control_plane: control_plane("team-7-mesh"),
            settings: &[],
        },
        Case {
            name: "istio-system",
            control_plane: with_node_agent("istio-system", usual, Injection::IstioValidation),
            settings: &[],
        },
    ]
}

/// A control plane without a node agent, with Istio's own images.
pub(crate) fn control_plane(namespace: &str) -> ControlPlane {
    ControlPlane {
        application: "istio-pilot".to_owned(),
        namespace: namespace.to_owned(),
        images: images(
            "docker.io/istio",
            "1.31.1",
            "pilot",
            "proxyv2",
            "proxyv2",
            "install-cni",
        ),
        node_agent: None,
        injection: Injection::IstioInit,
        kubernetes: KubernetesVersion {
            major: 1,
            minor: 34,
        },
    }
}

pub(crate) fn with_node_agent(
    namespace: &str,
    paths: CniPaths,
    injection: Injection,
) -> ControlPlane {
    ControlPlane {
        node_agent: Some(paths),
        injection,
        ..control_plane(namespace)
    }
}

fn own_images() -> Images {
    Images {
        pilot: "control.example/istiod:7".to_owned(),
        ..images(
            "registry.example:5000/mesh",
            "1.31.0-fips",
            "pilot",
            "sidecar",
            "tables",
            "agent",
        )
    }
}

fn images(hub: &str, tag: &str, pilot: &str, proxy: &str, proxy_init: &str, cni: &str) -> Images {
    let whole = |name: &str| format!("{hub}/{name}:{tag}");
    Images {
        hub: hub.to_owned(),
        tag: tag.to_owned(),
        pilot: whole(pilot),
        proxy: whole(proxy),
        proxy_init: whole(proxy_init),
        cni: whole(cni),
        grpc_bootstrap_init: "busybox:1.28".to_owned(),
    }
}

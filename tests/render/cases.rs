//! The control planes that are compared.

use istio_pilot::cni::Phase;
use istio_pilot::desired::Desired;
use istio_pilot::intent::cni_paths::{CniPaths, CniSetting};
use istio_pilot::intent::extensions::Extensions;
use istio_pilot::intent::identity::Identity;
use istio_pilot::intent::images::Images;
use istio_pilot::intent::{Gateway, Intent, Mesh, Target};
use istio_pilot::k8s::object::Object;
use istio_pilot::k8s::version::KubernetesVersion;

/// What decides a control plane.
pub(crate) struct ControlPlane {
    pub(crate) intent: Intent,
    pub(crate) phase: Phase,
}

impl ControlPlane {
    pub(crate) fn namespace(&self) -> &str {
        self.intent.identity.namespace()
    }

    pub(crate) fn mesh(&self) -> &Mesh {
        self.intent.mesh().unwrap()
    }

    pub(crate) fn objects(&self) -> Vec<Object> {
        let kubernetes = KubernetesVersion {
            major: 1,
            minor: 34,
        };
        let desired = Desired::new(&self.intent, Vec::new(), kubernetes).unwrap();
        desired.at(self.phase).unwrap().objects().to_vec()
    }
}

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
            control_plane: with_node_agent("kubeflow", usual.clone(), Phase::On),
            settings: &[],
        },
        Case {
            name: "CNI being switched on",
            control_plane: with_node_agent("kubeflow", usual.clone(), Phase::RollingOut),
            settings: &[],
        },
        Case {
            name: "MicroK8s",
            control_plane: with_node_agent("kubeflow", microk8s, Phase::On),
            settings: &[],
        },
        Case {
            name: "own images",
            control_plane: installed("kubeflow", Some(usual.clone()), own_images(), Phase::On),
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
            name: "authorities of keys",
            control_plane: with_key_authorities(control_plane("kubeflow")),
            settings: &[concat!(
                "values.pilot.jwksResolverExtraRootCA=",
                include_str!("authority.pem")
            )],
        },
        Case {
            name: "istio-system",
            control_plane: with_node_agent("istio-system", usual, Phase::On),
            settings: &[],
        },
    ]
}

/// A control plane without a node agent, with Istio's own images.
pub(crate) fn control_plane(namespace: &str) -> ControlPlane {
    installed(namespace, None, istio_images(), Phase::Off)
}

/// A control plane with a node agent, with Istio's own images.
pub(crate) fn with_node_agent(namespace: &str, paths: CniPaths, phase: Phase) -> ControlPlane {
    installed(namespace, Some(paths), istio_images(), phase)
}

/// One whose istiod trusts an authority that a relation has sent.
fn with_key_authorities(mut control_plane: ControlPlane) -> ControlPlane {
    control_plane.intent.extensions = Some(Extensions {
        // istioctl takes no line feed at the end.
        key_authorities: [include_str!("authority.pem").trim_end().to_owned()].into(),
        ..Extensions::default()
    });
    control_plane
}

fn installed(
    namespace: &str,
    paths: Option<CniPaths>,
    images: Images,
    phase: Phase,
) -> ControlPlane {
    let mesh = Mesh {
        cni: paths.map_or(CniSetting::Off { missing: None }, CniSetting::On),
        images,
        gateway: Gateway {
            name: "public".to_owned(),
            service: "gateway".to_owned(),
            csr_domain_names: Vec::new(),
            tls_secret_id: None,
            redirect_https: false,
        },
    };
    ControlPlane {
        intent: Intent {
            identity: Identity::new("istio-pilot", namespace),
            target: Target::Installed(mesh),
            ingress: None,
            extensions: None,
            problems: Vec::new(),
            warnings: Vec::new(),
            forces_upgrade: false,
            is_scraped: false,
        },
        phase,
    }
}

fn istio_images() -> Images {
    images(
        "docker.io/istio",
        "1.31.1",
        "pilot",
        "proxyv2",
        "proxyv2",
        "install-cni",
    )
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

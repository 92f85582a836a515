//! Installations, and the injection configuration that upstream and this charm give each.

use istio_pilot::cni::Phase;
use istio_pilot::desired::Inputs;
use istio_pilot::desired::injection::{injector_config, mesh_config};
use istio_pilot::intent::cni_paths::{CniPaths, CniSetting};
use istio_pilot::intent::extensions::Extensions;
use istio_pilot::intent::identity::Identity;
use istio_pilot::intent::images::Images;
use istio_pilot::intent::{Gateway, Mesh};
use istio_pilot::istio::Injection;
use istio_pilot::k8s::version::KubernetesVersion;
use serde_json::Value;
use test_cluster::Program;
use test_cluster::command::output_of;

/// One installation.
pub(crate) struct Setup {
    pub(crate) name: &'static str,
    pub(crate) identity: Identity,
    pub(crate) mesh: Mesh,
    injection: Injection,
    /// What istioctl has to be told besides namespace and CNI: helm values, as `key=value`.
    upstream_values: Vec<&'static str>,
}

/// What istiod reads: two keys of one ConfigMap and one of another.
#[derive(Clone, Debug)]
pub(crate) struct Configuration {
    pub(crate) config: String,
    pub(crate) values: String,
    pub(crate) mesh: String,
}

impl Setup {
    /// An installation with everything as it comes.
    pub(crate) fn plain(injection: Injection) -> Self {
        Self {
            name: match injection {
                Injection::IstioInit => "off",
                Injection::IstioValidation => "on",
            },
            identity: Identity::new("istio-pilot", "istio-system"),
            mesh: Mesh {
                cni: match injection {
                    Injection::IstioInit => CniSetting::Off { missing: None },
                    Injection::IstioValidation => CniSetting::On(CniPaths {
                        bin_dir: "/opt/cni/bin".to_owned(),
                        conf_dir: "/etc/cni/net.d".to_owned(),
                    }),
                },
                images: images("docker.io/istio", "1.31.1", "proxyv2", "proxyv2"),
                gateway: Gateway {
                    name: "public".to_owned(),
                    service: "gateway".to_owned(),
                    csr_domain_names: Vec::new(),
                    tls_secret_id: None,
                    redirect_https: false,
                },
            },
            injection,
            upstream_values: Vec::new(),
        }
    }

    /// Both states, and installations with their own namespace and images.
    pub(crate) fn all() -> Vec<Self> {
        vec![
            Self::plain(Injection::IstioInit),
            Self::plain(Injection::IstioValidation),
            Self::plain(Injection::IstioValidation)
                .named("on, in another namespace")
                .in_another_namespace(),
            Self::plain(Injection::IstioInit)
                .named("off, own hub, tag and names")
                .with_own_hub(),
            Self::plain(Injection::IstioValidation)
                .named("on, whole images")
                .with_whole_images(),
        ]
    }

    /// Both states with as much of their own as goes together: starting an istiod takes seconds.
    ///
    /// It may make Gateways of agentgateway. With upstream's own values it cannot: its templates
    /// look up an image that the values do not have, and fail.
    pub(crate) fn for_istiod() -> [Self; 2] {
        let mut setups = [
            Self::plain(Injection::IstioInit)
                .named("off, own hub, tag and names")
                .with_own_hub(),
            Self::plain(Injection::IstioValidation)
                .named("on, in another namespace, whole images")
                .in_another_namespace()
                .with_whole_images(),
        ];
        for setup in &mut setups {
            setup
                .upstream_values
                .push("global.agentgateway.image=agentgateway");
        }
        setups
    }

    fn named(mut self, name: &'static str) -> Self {
        self.name = name;
        self
    }

    fn in_another_namespace(mut self) -> Self {
        self.identity = Identity::new("istio-pilot", "mesh-1");
        self
    }

    fn with_own_hub(mut self) -> Self {
        self.mesh.images = images("registry:5000/i", "1.31.0-own", "p", "p-init");
        self.upstream_values.extend([
            "global.hub=registry:5000/i",
            "global.tag=1.31.0-own",
            "global.proxy.image=p",
            "global.proxy_init.image=p-init",
        ]);
        self
    }

    fn with_whole_images(mut self) -> Self {
        let images = &mut self.mesh.images;
        "registry:5000/a/proxy:7".clone_into(&mut images.proxy);
        "registry:5000/b/init@sha256:0".clone_into(&mut images.proxy_init);
        self.upstream_values.extend([
            "global.proxy.image=registry:5000/a/proxy:7",
            "global.proxy_init.image=registry:5000/b/init@sha256:0",
        ]);
        self
    }

    pub(crate) fn validates(&self) -> bool {
        self.injection == Injection::IstioValidation
    }

    pub(crate) fn ours(&self) -> Configuration {
        let inputs = Inputs {
            identity: &self.identity,
            mesh: &self.mesh,
            extensions: Extensions::NONE,
            kubernetes: KubernetesVersion {
                major: 1,
                minor: 37,
            },
            phase: match self.injection {
                Injection::IstioInit => Phase::Off,
                Injection::IstioValidation => Phase::On,
            },
        };
        let injector = injector_config(&inputs).unwrap();
        Configuration {
            config: injector.config,
            values: injector.values,
            mesh: mesh_config(&inputs).unwrap().mesh,
        }
    }

    pub(crate) fn upstream(&self) -> Configuration {
        let mut settings = vec![
            "profile=minimal".to_owned(),
            "components.base.enabled=false".to_owned(),
            "meshConfig.accessLogFile=/dev/stdout".to_owned(),
            format!("values.global.istioNamespace={}", self.identity.namespace()),
        ];
        if self.validates() {
            settings.push("components.cni.enabled=true".to_owned());
        }
        for value in &self.upstream_values {
            settings.push(format!("values.{value}"));
        }
        let mut istioctl = std::process::Command::new(Program::Istioctl.path().unwrap());
        istioctl.args(["manifest", "generate"]);
        for setting in &settings {
            istioctl.args(["--set", setting]);
        }
        let manifest = output_of(&mut istioctl).unwrap();
        Configuration {
            config: data(&manifest, "istio-sidecar-injector", "config"),
            values: data(&manifest, "istio-sidecar-injector", "values"),
            mesh: data(&manifest, "istio", "mesh"),
        }
    }
}

fn images(hub: &str, tag: &str, proxy: &str, proxy_init: &str) -> Images {
    let image = |name| format!("{hub}/{name}:{tag}");
    Images {
        hub: hub.to_owned(),
        tag: tag.to_owned(),
        pilot: image("pilot"),
        proxy: image(proxy),
        proxy_init: image(proxy_init),
        cni: image("install-cni"),
        grpc_bootstrap_init: "busybox:1.28".to_owned(),
    }
}

/// One key of a ConfigMap in a stream of manifests.
fn data(manifest: &str, name: &str, key: &str) -> String {
    manifest
        .split("\n---\n")
        .filter(|document| document.contains("\nkind: ConfigMap\n"))
        .map(|document| serde_yaml::from_str::<Value>(document).unwrap())
        .find(|object| object["metadata"]["name"] == name)
        .and_then(|object| Some(object["data"][key].as_str()?.to_owned()))
        .unwrap_or_else(|| panic!("istioctl gives no ConfigMap {name} with the key {key}"))
}

//! The values that go with the templates, and the values that show what is installed.

use serde::Serialize;
use serde_json::json;

use super::InjectionError;
use super::mesh::ACCESS_LOG;
use crate::desired::Inputs;
use crate::intent::images::Images;
use crate::istio::Injection;

/// A proxy's image, as istiod knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ProxyImage<'a> {
    /// A name below hub and tag: pods may ask for another type of it (such as `debug`).
    Named(&'a str),
    /// A whole reference.
    Whole(&'a str),
}

impl<'a> ProxyImage<'a> {
    /// Sorts a reference: a name below the hub with the tag of `images`, or a whole reference.
    pub(super) fn of(reference: &'a str, images: &Images) -> Self {
        let name = reference
            .strip_prefix(images.hub.as_str())
            .and_then(|rest| rest.strip_prefix('/'))
            .and_then(|rest| rest.strip_suffix(images.tag.as_str()))
            .and_then(|rest| rest.strip_suffix(':'));
        match name {
            Some(name) if !name.is_empty() && !name.contains(['/', ':', '@']) => Self::Named(name),
            _ => Self::Whole(reference),
        }
    }

    fn text(self) -> &'a str {
        match self {
            Self::Named(text) | Self::Whole(text) => text,
        }
    }
}

/// The key `values` of the ConfigMap `istio-sidecar-injector`: what istiod reads of Istio's Helm
/// values, and nothing else. Our templates read none of it: they are rendered with their values.
///
/// istiod reads four more (`pkg/kube/inject/inject.go` and `webhook.go`), which stay at its
/// defaults because the charm has no option for them: `global.variant`, `global.network`,
/// `global.multiCluster.clusterName` and `global.proxy.holdApplicationUntilProxyStarts`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct InjectorValues<'a> {
    global: Global<'a>,
    pilot: Pilot,
    sidecar_injector_webhook: Webhook,
}

#[derive(Serialize)]
struct Global<'a> {
    /// istiod composes the proxy's image from hub, name and tag, with the type that a pod asks for
    /// (`proxyImageURL` in `pkg/kube/inject/inject.go`), and the image of agentgateway.
    hub: &'a str,
    /// See `hub`.
    tag: &'a str,
    proxy: Image<'a>,
    proxy_init: Image<'a>,
}

#[derive(Serialize)]
struct Image<'a> {
    /// The name below the hub, see `hub`. The templates themselves contain a whole reference; it is
    /// here for `istioctl analyze`.
    image: &'a str,
}

/// Not for istiod: shows this charm, in its own installations and in those of istioctl, what the
/// templates beside it inject.
#[derive(Serialize)]
struct Pilot {
    cni: Cni,
}

#[derive(Serialize)]
struct Cni {
    enabled: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Webhook {
    /// Kubelet's HTTP, TCP and gRPC probes of the application go to the agent, which asks the
    /// application: kubelet itself could not, because of mutual TLS (`applyRewrite` in
    /// `pkg/kube/inject/webhook.go`; absent means no).
    #[serde(rename = "rewriteAppHTTPProbe")]
    rewrite_app_http_probe: bool,
}

impl<'a> InjectorValues<'a> {
    pub(super) fn of(inputs: &'a Inputs<'_>) -> Self {
        let images = &inputs.mesh.images;
        let image = |reference| Image {
            image: ProxyImage::of(reference, images).text(),
        };
        Self {
            global: Global {
                hub: &images.hub,
                tag: &images.tag,
                proxy: image(&images.proxy),
                proxy_init: image(&images.proxy_init),
            },
            pilot: Pilot {
                cni: Cni {
                    enabled: inputs.injection() == Injection::IstioValidation,
                },
            },
            sidecar_injector_webhook: Webhook {
                rewrite_app_http_probe: true,
            },
        }
    }
}

/// The data of the ConfigMap `values`, the same for its keys `original-values` and
/// `merged-values`: the installation's settings under the names of Istio's Helm charts, in JSON.
/// No part of Istio reads it.
///
/// # Errors
/// A defect of this program: a value that has no JSON form.
pub fn release_values(inputs: &Inputs<'_>) -> Result<String, InjectionError> {
    let images = &inputs.mesh.images;
    let image = |reference| ProxyImage::of(reference, images).text();
    let mut values = json!({
        "global": {
            "hub": images.hub,
            "tag": images.tag,
            "istioNamespace": inputs.identity.namespace(),
            "proxy": {"image": image(&images.proxy)},
            "proxy_init": {"image": image(&images.proxy_init)},
        },
        "meshConfig": {"accessLogFile": ACCESS_LOG},
        "pilot": {
            "image": image(&images.pilot),
            "cni": {"enabled": InjectorValues::of(inputs).pilot.cni.enabled},
        },
    });
    if let Some(paths) = inputs.node_agent() {
        values["cni"] = json!({
            "image": image(&images.cni),
            "cniBinDir": paths.bin_dir,
            "cniConfDir": paths.conf_dir,
        });
    }
    Ok(serde_json::to_string_pretty(&values)?)
}

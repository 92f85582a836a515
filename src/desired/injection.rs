//! What istiod injects into pods and creates for Gateways: its injection and mesh configuration.
//!
//! istiod gets Go templates, and runs one for every pod (or Gateway). They are made in two stages:
//! what this program knows (what redirects traffic, images, addresses) is decided when it renders
//! them, and istiod decides only what depends on the pod. Parts that several templates share are
//! written once, in `templates/injection/parts/`.
//!
//! The formats are istiod's own (Istio 1.31.1): the injection configuration is `Config` in
//! `pkg/kube/inject/inject.go`, the functions of its templates are those of
//! `pkg/kube/inject/template.go` and of sprig, and the data of the templates for Gateways is
//! `derivedInput` in `pilot/pkg/config/kube/gatewaycommon/deploymentcontroller.go`.

mod literal;
mod mesh;
mod providers;
mod values;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::desired::Inputs;
use crate::desired::template::{self, TemplateError};
use crate::desired::yaml;
use crate::istio::{DISCOVERY_PORT, Injection, names};
use crate::k8s::version::KubernetesVersion;

pub use mesh::{MeshConfig, mesh_config};
pub use values::release_values;

use literal::Literal;
use values::{InjectorValues, ProxyImage};

/// The templates, by the names under which istiod looks them up.
///
/// `sidecar` is for pods that name no template; pods choose `gateway`, `grpc-simple` and
/// `grpc-agent` with the annotation `inject.istio.io/templates`; the others belong to classes of
/// Gateways.
const TEMPLATES: &[&str] = &[
    "agentgateway",
    "agentgateway-waypoint",
    "gateway",
    "grpc-agent",
    "grpc-simple",
    "kube-gateway",
    "sidecar",
    "waypoint",
];

/// The Kubernetes version from which a ServiceAccount's owner may be set by server-side apply
/// without its tokens being lost (kubernetes/kubernetes 117412).
const SERVICE_ACCOUNT_OWNER: KubernetesVersion = KubernetesVersion {
    major: 1,
    minor: 28,
};

/// Why the configuration cannot be made: always a defect of this program.
#[derive(Debug, thiserror::Error)]
pub enum InjectionError {
    /// A template cannot be rendered.
    #[error("cannot render istiod's injection configuration")]
    Template(#[from] TemplateError),
    /// A configuration cannot be written as JSON.
    #[error("cannot write istiod's configuration as JSON")]
    Json(#[from] serde_json::Error),
}

/// The data of the ConfigMap `istio-sidecar-injector`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct InjectorConfig {
    /// Key `config`: the injection policy and the templates, in YAML.
    pub config: String,
    /// Key `values`: what istiod and its templates look up, in JSON.
    pub values: String,
}

/// istiod's injection configuration, with the fields that are used here.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Config<'a> {
    /// Inject into every pod that the webhook is called for, unless the pod refuses.
    policy: &'static str,
    /// For pods that name no template.
    default_templates: &'static [&'static str],
    templates: BTreeMap<&'a str, String>,
}

/// The names that the templates may use.
#[derive(Serialize)]
struct TemplateInput {
    /// Whether the init container checks the redirection; otherwise it redirects itself.
    validation: bool,
    /// istiod's namespace.
    namespace: String,
    /// Host and port of istiod for proxies.
    discovery_address: String,
    /// The whole reference of the proxy's image; `None` where istiod composes it.
    proxy_image: Option<Literal>,
    /// The same for istio-init and istio-validation.
    proxy_init_image: Option<Literal>,
    /// The image of the init container of grpc-simple.
    grpc_bootstrap_init: Literal,
    /// Whether a Gateway may own its ServiceAccount.
    service_account_owner: bool,
}

/// The data of the ConfigMap `istio-sidecar-injector` for a control plane.
///
/// # Errors
/// A defect of this program: a template that cannot be rendered.
pub fn injector_config(inputs: &Inputs<'_>) -> Result<InjectorConfig, InjectionError> {
    let images = &inputs.mesh.images;
    let whole = |reference: &str| match ProxyImage::of(reference, images) {
        ProxyImage::Named(_) => None,
        ProxyImage::Whole(reference) => Some(Literal::new(reference)),
    };
    let input = TemplateInput {
        validation: inputs.injection() == Injection::IstioValidation,
        namespace: inputs.identity.namespace().to_owned(),
        discovery_address: discovery_address(inputs),
        proxy_image: whole(&images.proxy),
        proxy_init_image: whole(&images.proxy_init),
        grpc_bootstrap_init: Literal::new(&images.grpc_bootstrap_init),
        service_account_owner: inputs.kubernetes >= SERVICE_ACCOUNT_OWNER,
    };
    let templates = TEMPLATES
        .iter()
        .map(|name| {
            let text = template::render(&format!("injection/{name}.yaml"), &input)?;
            Ok((*name, text))
        })
        .collect::<Result<_, TemplateError>>()?;
    let config = Config {
        policy: "enabled",
        default_templates: &["sidecar"],
        templates,
    };
    Ok(InjectorConfig {
        config: yaml::to_string(&serde_json::to_value(&config)?),
        values: serde_json::to_string_pretty(&InjectorValues::of(inputs))?,
    })
}

/// Host and port at which proxies reach istiod.
fn discovery_address(inputs: &Inputs<'_>) -> String {
    format!(
        "{}.{}.svc:{DISCOVERY_PORT}",
        names::ISTIOD,
        inputs.identity.namespace()
    )
}

#[cfg(test)]
mod tests;

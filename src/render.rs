//! From what a control plane shall be to its objects.
//!
//! Pure: the same [`ControlPlane`] always gives the same objects, byte for byte.
//!
//! Left out because others set them: `caBundle` of both webhook configurations (istiod) and
//! `spec.replicas` of istiod (its autoscaler). Values stand as the API server stores them, `2Gi`
//! and not `2048Mi`, so that a comparison with the live object finds no difference where there is
//! none.

mod configuration;
mod gateway;
mod stream;

use std::sync::OnceLock;

use serde::{Deserialize as _, Serialize};
use serde_json::Value;

use crate::control_plane::{CniPaths, ControlPlane, Images};
use crate::injection::InjectionError;
use crate::k8s::labels;
use crate::k8s::object::{Object, ObjectError};
use crate::names::Names;
use crate::template::{self, TemplateError};

pub use stream::{to_json, to_yaml_stream};

/// The revision of every control plane that this charm installs.
pub const REVISION: &str = "default";

/// The API groups whose resources istiod reads.
///
/// The older ones among them are no longer served by Istio 1.31, but may still be in a cluster.
const ISTIO_GROUPS: [&str; 7] = [
    "authentication.istio.io",
    "config.istio.io",
    "extensions.istio.io",
    "networking.istio.io",
    "rbac.istio.io",
    "security.istio.io",
    "telemetry.istio.io",
];

/// The node agent's templates. Within a wave, objects keep the order of the templates.
const NODE_AGENT: &[&str] = &[
    "node-agent/access.yaml",
    "node-agent/configuration.yaml",
    "node-agent/daemon-set.yaml",
];

/// The control plane's templates.
const CONTROL_PLANE: &[&str] = &[
    "reader/access.yaml",
    "istiod/access.yaml",
    "istiod/service.yaml",
    "istiod/deployment.yaml",
    "istiod/autoscaler.yaml",
    "webhooks/validator.yaml",
    "webhooks/injector.yaml",
];

/// Why objects could not be rendered: always a defect of this program.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// Istio's resource definitions could not be made.
    #[error(transparent)]
    Definitions(#[from] istio_api::Error),
    /// The configuration of injection could not be made.
    #[error(transparent)]
    Injection(#[from] InjectionError),
    /// A template is wrong.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// The rendered text is no YAML.
    #[error("the template {template} gives no YAML")]
    NoYaml {
        /// Path below `templates/`.
        template: &'static str,
        /// What the YAML parser says.
        source: serde_yaml::Error,
    },
    /// What was rendered is no Kubernetes object.
    #[error("{origin}: no Kubernetes object")]
    NoObject {
        /// Path of a template, or what else it comes from.
        origin: &'static str,
        /// What is missing.
        source: ObjectError,
    },
    /// An object, or a text inside one, could not be written.
    #[error("cannot write an object as JSON")]
    NoJsonForm(#[source] serde_json::Error),
}

/// What the templates can name.
#[derive(Serialize)]
struct Scope<'a> {
    names: Names,
    namespace: &'a str,
    revision: &'static str,
    istio_groups: [&'static str; 7],
    images: &'a Images,
    node_agent: Option<&'a CniPaths>,
}

/// Renders every object of a control plane, in the order of applying: that of
/// [`crate::k8s::kind::Wave`].
///
/// The node agent's objects are among them when [`ControlPlane::node_agent`] is set. Every object
/// carries the labels of [`crate::k8s::labels`].
///
/// # Errors
/// Never for what a user can configure: an error is a defect of this program.
pub fn render(control_plane: &ControlPlane) -> Result<Vec<Object>, RenderError> {
    let mut objects = definitions()?;
    for config_map in configuration::config_maps(control_plane)? {
        objects.push(object("the configuration", config_map)?);
    }
    let scope = Scope::new(control_plane);
    for template in templates(control_plane) {
        objects.extend(documents(template, &scope)?);
    }
    let instance = labels::instance(&control_plane.application, &control_plane.namespace);
    for object in &mut objects {
        labels::stamp(object, &instance);
    }
    objects.sort_by_key(|object| object.id().wave());
    Ok(objects)
}

impl<'a> Scope<'a> {
    fn new(control_plane: &'a ControlPlane) -> Self {
        let ControlPlane {
            application: _,
            namespace,
            images,
            node_agent,
            injection: _,
            kubernetes: _,
        } = control_plane;
        Self {
            names: Names::new(namespace),
            namespace,
            revision: REVISION,
            istio_groups: ISTIO_GROUPS,
            images,
            node_agent: node_agent.as_ref(),
        }
    }
}

/// The templates that make up a control plane.
fn templates(control_plane: &ControlPlane) -> impl Iterator<Item = &'static str> {
    let node_agent = control_plane
        .node_agent
        .as_ref()
        .map_or(&[][..], |_| NODE_AGENT);
    node_agent.iter().chain(CONTROL_PLANE).copied()
}

/// Renders what configuration alone implies beyond the control plane: the Gateway of that name.
///
/// # Errors
/// As [`render`].
pub fn render_gateway(control_plane: &ControlPlane, name: &str) -> Result<Object, RenderError> {
    let gateway = gateway::gateway(name, &control_plane.namespace);
    let gateway = serde_json::to_value(gateway).map_err(RenderError::NoJsonForm)?;
    let mut gateway = object("the Gateway", gateway)?;
    let instance = labels::instance(&control_plane.application, &control_plane.namespace);
    labels::stamp(&mut gateway, &instance);
    Ok(gateway)
}

/// The objects that one template gives.
fn documents(template: &'static str, scope: &impl Serialize) -> Result<Vec<Object>, RenderError> {
    let text = template::render(template, scope)?;
    serde_yaml::Deserializer::from_str(&text)
        .map(|document| {
            let value = Value::deserialize(document)
                .map_err(|source| RenderError::NoYaml { template, source })?;
            object(template, value)
        })
        .collect()
}

/// The definitions of Istio's resources.
///
/// They are the same for every control plane, and making them costs more than all the rest: they
/// are made once, with their labels, and shared.
fn definitions() -> Result<Vec<Object>, RenderError> {
    static MADE: OnceLock<Vec<Object>> = OnceLock::new();
    if let Some(made) = MADE.get() {
        return Ok(made.clone());
    }
    let definitions = istio_api::custom_resource_definitions()?
        .into_iter()
        .map(|definition| {
            let mut definition = object("the definitions", definition)?;
            labels::stamp_shared(&mut definition);
            Ok(definition)
        });
    let definitions: Vec<_> = definitions.collect::<Result<_, RenderError>>()?;
    Ok(MADE.get_or_init(|| definitions).clone())
}

/// Takes what comes from `origin` for an object.
fn object(origin: &'static str, value: Value) -> Result<Object, RenderError> {
    Object::from_value(value).map_err(|source| RenderError::NoObject { origin, source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control_plane::Injection;
    use crate::k8s::version::KubernetesVersion;

    /// A key that stands twice in a map would silently count once.
    #[test]
    fn no_template_says_anything_twice() {
        let control_plane = ControlPlane {
            application: "istio-pilot".to_owned(),
            namespace: "mesh".to_owned(),
            images: Images {
                hub: String::new(),
                tag: String::new(),
                pilot: String::new(),
                proxy: String::new(),
                proxy_init: String::new(),
                cni: String::new(),
                grpc_bootstrap_init: String::new(),
            },
            node_agent: Some(CniPaths {
                bin_dir: "/a".to_owned(),
                conf_dir: "/b".to_owned(),
            }),
            injection: Injection::IstioValidation,
            kubernetes: KubernetesVersion {
                major: 1,
                minor: 34,
            },
        };
        let scope = Scope::new(&control_plane);
        for template in templates(&control_plane) {
            let text = template::render(template, &scope).unwrap();
            for document in serde_yaml::Deserializer::from_str(&text) {
                // Unlike JSON values, YAML values refuse a second value for a key.
                let read = serde_yaml::Value::deserialize(document);
                assert!(read.is_ok(), "{template}: {read:?}");
            }
        }
    }
}

//! Templates and definitions, made into objects.

use std::sync::OnceLock;

use serde::{Deserialize as _, Serialize};
use serde_json::Value;

use super::{Inputs, RenderError, configuration, template};
use crate::intent::cni_paths::CniPaths;
use crate::intent::images::Images;
use crate::istio::REVISION;
use crate::istio::names::Names;
use crate::k8s::labels;
use crate::k8s::object::Object;
use crate::text::sha256;

/// The API groups whose resources istiod reads.
///
/// Istio 1.31 no longer serves the older ones, but a cluster may still have them.
const ISTIO_GROUPS: [&str; 7] = [
    "authentication.istio.io",
    "config.istio.io",
    "extensions.istio.io",
    "networking.istio.io",
    "rbac.istio.io",
    "security.istio.io",
    "telemetry.istio.io",
];

/// The node agent's templates. Within a wave, objects keep the templates' order.
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

/// The names that the templates can use.
#[derive(Serialize)]
struct Scope<'a> {
    names: Names,
    namespace: &'a str,
    revision: &'static str,
    istio_groups: [&'static str; 7],
    images: &'a Images,
    node_agent: Option<&'a CniPaths>,
    /// The SHA-256 of the authorities that relations add; `None` where they add none.
    key_authorities: Option<String>,
}

/// Renders every object of a control plane, including the node agent's in the phases that apply it.
///
/// # Errors
/// A defect of this program: nothing that a user can configure leads to one.
pub(super) fn render(inputs: &Inputs<'_>) -> Result<Vec<Object>, RenderError> {
    let mut objects = definitions()?;
    for config_map in configuration::config_maps(inputs)? {
        objects.push(object("the configuration", config_map)?);
    }
    let scope = Scope::new(inputs);
    for template in templates(inputs) {
        objects.extend(documents(template, &scope)?);
    }
    Ok(objects)
}

impl<'a> Scope<'a> {
    fn new(inputs: &Inputs<'a>) -> Self {
        let namespace = inputs.identity.namespace();
        Self {
            names: Names::new(namespace),
            namespace,
            revision: REVISION,
            istio_groups: ISTIO_GROUPS,
            images: &inputs.mesh.images,
            node_agent: inputs.node_agent(),
            key_authorities: Some(configuration::key_authorities(inputs.extensions))
                .filter(|it| !it.is_empty())
                .map(|it| sha256(&it)),
        }
    }
}

/// The templates that make up a control plane.
fn templates(inputs: &Inputs<'_>) -> impl Iterator<Item = &'static str> {
    let node_agent = inputs.node_agent().map_or(&[][..], |_| NODE_AGENT);
    node_agent.iter().chain(CONTROL_PLANE).copied()
}

/// A resource of Istio's, as an object.
pub(super) fn typed(resource: &impl Serialize) -> Result<Object, RenderError> {
    let value = serde_json::to_value(resource).map_err(RenderError::NoJsonForm)?;
    object("one of Istio's resources", value)
}

/// The objects that one template gives.
fn documents(template: &'static str, scope: &impl Serialize) -> Result<Vec<Object>, RenderError> {
    let text = template::render(template, scope)?;
    serde_yaml::Deserializer::from_str(&text)
        .map(|document| {
            let value = Value::deserialize(document)
                .map_err(|source| RenderError::NotYaml { template, source })?;
            object(template, value)
        })
        .collect()
}

/// The definitions of Istio's resources.
///
/// They are the same for every control plane, and making them costs more than everything else. So
/// they are made once, with their labels, and shared.
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

/// The value that comes from `origin`, as an object.
fn object(origin: &'static str, value: Value) -> Result<Object, RenderError> {
    Object::from_value(value).map_err(|source| RenderError::NotAnObject { origin, source })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cni::Phase;
    use crate::intent::extensions::Extensions;
    use crate::intent::identity::Identity;
    use crate::intent::options::check;
    use crate::k8s::version::KubernetesVersion;

    /// A key that stands twice in a map would silently count once.
    #[test]
    fn no_template_says_anything_twice() {
        let options = json!({"cni-bin-dir": "/a", "cni-conf-dir": "/b"});
        let mesh = check(options.as_object().unwrap()).mesh.unwrap();
        let inputs = Inputs {
            identity: &Identity::new("istio-pilot", "mesh"),
            mesh: &mesh,
            extensions: Extensions::NONE,
            kubernetes: KubernetesVersion {
                major: 1,
                minor: 34,
            },
            phase: Phase::On,
        };
        let scope = Scope::new(&inputs);
        for template in templates(&inputs) {
            let text = template::render(template, &scope).unwrap();
            for document in serde_yaml::Deserializer::from_str(&text) {
                // Unlike JSON values, YAML values refuse a second value for a key.
                let read = serde_yaml::Value::deserialize(document);
                assert!(read.is_ok(), "{template}: {read:?}");
            }
        }
    }
}

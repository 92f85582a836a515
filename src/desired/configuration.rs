//! istiod's configuration: `ConfigMap`s that hold long texts made elsewhere.
//!
//! They have no template: it would be empty, and the texts would be quoted only to be parsed again.

use serde_json::{Value, json};

use crate::desired::Inputs;
use crate::desired::injection::{self, InjectionError, InjectorConfig, MeshConfig};
use crate::intent::extensions::Extensions;
use crate::istio::REVISION;
use crate::istio::names;

/// What the ConfigMap `values` says about itself.
const DESCRIPTION: &str = "The installation's settings, by the names that Istio's own installer \
    gives them. For people and tools that look: nothing reads them back, a change here has no \
    effect.";

/// The authorities that istiod trusts when it asks for keys, beside those of its image; empty for none.
pub(super) fn key_authorities(extensions: &Extensions) -> String {
    let certificates = extensions.key_authorities.iter().map(String::as_str);
    certificates.collect()
}

/// The mesh configuration, what istiod injects, and the settings behind both; and the authorities that
/// relations add.
pub(super) fn config_maps(inputs: &Inputs<'_>) -> Result<Vec<Value>, InjectionError> {
    let MeshConfig {
        mesh,
        mesh_networks,
    } = injection::mesh_config(inputs)?;
    let InjectorConfig { config, values } = injection::injector_config(inputs)?;
    let settings = injection::release_values(inputs)?;
    let config_map = |name: &str, data: Value| {
        json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": name,
                "namespace": inputs.identity.namespace(),
                "labels": {"app.kubernetes.io/name": "istiod", "istio.io/rev": REVISION},
            },
            "data": data,
        })
    };
    let mut shown = config_map(
        names::VALUES,
        json!({"merged-values": settings, "original-values": settings}),
    );
    shown["metadata"]["annotations"] = json!({"kubernetes.io/description": DESCRIPTION});
    let mut config_maps = vec![
        config_map(
            names::MESH_CONFIG,
            json!({"mesh": mesh, "meshNetworks": mesh_networks}),
        ),
        config_map(
            names::INJECTOR_CONFIG,
            json!({"config": config, "values": values}),
        ),
        shown,
    ];
    let authorities = key_authorities(inputs.extensions);
    if !authorities.is_empty() {
        let data = json!({"extra.pem": authorities});
        config_maps.push(config_map(names::KEY_AUTHORITIES, data));
    }
    Ok(config_maps)
}

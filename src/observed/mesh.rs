//! What the mesh configuration says.

use serde_json::Value;

use super::Observed;
use crate::istio::names::MESH_CONFIG;
use crate::k8s::kind::CONFIG_MAP;
use crate::k8s::object::ObjectId;

impl Observed {
    /// Whether the mesh configuration has an extension provider of that name.
    pub fn has_provider(&self, name: &str) -> bool {
        let id = ObjectId::new(&CONFIG_MAP, &self.namespace, MESH_CONFIG);
        let config = self.live.get(&id).and_then(|it| it.at("/data/mesh"));
        let text = config.and_then(Value::as_str).unwrap_or_default();
        let mesh: Value = serde_yaml::from_str(text).unwrap_or_default();
        let providers = mesh["extensionProviders"].as_array();
        providers.is_some_and(|it| it.iter().any(|provider| provider["name"] == name))
    }
}

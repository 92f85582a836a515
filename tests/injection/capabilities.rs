//! What containers that injection adds may do when the node agent redirects traffic.

use serde_json::Value;

use crate::workloads::{annotations, pod};

/// What a pod asks for that needs root and one capability in its proxy.
struct Asked {
    /// Transparent interception.
    transparent: bool,
    /// Transparent interception by the proxy's configuration, whatever the annotation says: Istio's
    /// injector itself (`adjustInitContainerUser`) then makes root of a user that the pod chose.
    configured_transparent: bool,
    /// Ports below 1024.
    low_ports: bool,
}

/// Everything that a container which was injected into `ours` is not meant to have.
///
/// A capability has to be asked for by the pod and given by upstream too; only then may the proxy
/// run as root. A pod's own containers are its own.
pub(crate) fn excesses(input: &Value, upstream: &Value, ours: &Value) -> Vec<String> {
    let [Some(own), Some(upstream), Some(ours)] = [input, upstream, ours].map(pod) else {
        return Vec::new();
    };
    let asked = Asked::by(input);
    let mut found = Vec::new();
    for (list, container) in containers(ours) {
        let name = container["name"].as_str().unwrap();
        let is_own = containers(own).any(|(_, container)| container["name"] == name);
        if is_own && !name.starts_with("istio-") {
            continue;
        }
        let security = &container["securityContext"];
        let is_proxy = name == "istio-proxy";
        let may_be_root = asked.transparent || asked.configured_transparent || asked.low_ports;
        let mut excess = |what: String| found.push(format!("{list} {name} {what}"));
        if security["privileged"] == true || security["allowPrivilegeEscalation"] == true {
            excess("is privileged".to_owned());
        }
        if !(is_proxy && may_be_root)
            && (security["runAsUser"] == 0 || security["runAsNonRoot"] == false)
        {
            excess("runs as root".to_owned());
        }
        let given_by_upstream: Vec<&Value> = containers(upstream)
            .filter(|(_, container)| container["name"] == name)
            .flat_map(|(_, container)| added(container))
            .collect();
        for capability in added(container) {
            let allowed = match capability.as_str() {
                Some("NET_ADMIN") => is_proxy && asked.transparent,
                Some("NET_BIND_SERVICE") => is_proxy && asked.low_ports,
                _ => false,
            };
            if !allowed || !given_by_upstream.contains(&capability) {
                excess(format!("has the capability {capability}"));
            }
        }
    }
    found
}

impl Asked {
    fn by(input: &Value) -> Self {
        let annotation = |key: &str| annotations(input)?.get(key)?.as_str();
        let mode = annotation("sidecar.istio.io/interceptionMode");
        let configured_transparent =
            annotation("proxy.istio.io/config").is_some_and(|text| text.contains("TPROXY"));
        Self {
            transparent: mode.map_or(configured_transparent, |mode| mode == "TPROXY"),
            configured_transparent,
            low_ports: annotation("sidecar.istio.io/capNetBindService") == Some("true"),
        }
    }
}

fn containers(pod: &Value) -> impl Iterator<Item = (&'static str, &Value)> {
    ["initContainers", "containers"]
        .into_iter()
        .flat_map(|list| {
            let containers = pod["spec"][list].as_array();
            containers
                .into_iter()
                .flatten()
                .map(move |container| (list, container))
        })
}

fn added(container: &Value) -> impl Iterator<Item = &Value> {
    let list = container.pointer("/securityContext/capabilities/add");
    list.and_then(Value::as_array).into_iter().flatten()
}

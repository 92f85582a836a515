//! Whether requests can come in through the ingress gateway.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::Observed;
use crate::certificates::Certificate;
use crate::istio::names::gateway_secret;
use crate::k8s::kind::{GATEWAY, SECRET};
use crate::k8s::object::{Object, ObjectId};

impl Observed {
    /// Whether the Gateway of that name exists, and the Service of its pods can be reached.
    pub fn has_open_gateway(&self, name: &str) -> bool {
        let service = self.gateway_service.iter().flatten().next();
        self.gateway(name).is_some() && service.is_some_and(is_up)
    }

    /// Whether the Gateway of that name serves HTTPS; `None` where there is no such Gateway.
    pub fn serves_https(&self, name: &str) -> Option<bool> {
        let servers = self.gateway(name)?.at("/spec/servers");
        let mut servers = servers.and_then(Value::as_array).into_iter().flatten();
        // One that only redirects to HTTPS has no mode.
        Some(servers.any(|it| it["tls"]["mode"].is_string()))
    }

    fn gateway(&self, name: &str) -> Option<&Object> {
        let id = ObjectId::new(&GATEWAY, &self.namespace, name);
        self.live.get(&id).filter(|it| !it.is_being_deleted())
    }

    /// The name or IP address of the Service of the gateway; `None` while it has none, and while
    /// nobody has asked.
    pub fn gateway_address(&self) -> Option<&str> {
        address(self.gateway_service.as_ref()?.as_ref()?)
    }

    /// The certificate that the Gateway of that name serves.
    pub fn served_certificate(&self, gateway: &str) -> Option<Certificate> {
        let id = ObjectId::new(&SECRET, &self.namespace, &gateway_secret(gateway));
        let text = self.live.get(&id)?.at("/data/tls.crt")?.as_str()?;
        let text = String::from_utf8(STANDARD.decode(text).ok()?).ok()?;
        Certificate::from_pem(&text).ok()
    }
}

/// Whether a Service can be reached: one with a port on the nodes always, others once they have an
/// address. A load balancer may take minutes to get one.
fn is_up(service: &Object) -> bool {
    kind(service) == Some("NodePort") || address(service).is_some()
}

fn kind(service: &Object) -> Option<&str> {
    service.at("/spec/type")?.as_str()
}

/// The address at which a Service is reached from outside: a load balancer's name or IP address,
/// else the one that the Service has in the cluster.
fn address(service: &Object) -> Option<&str> {
    let address = match kind(service)? {
        "LoadBalancer" => {
            let first = service.at("/status/loadBalancer/ingress/0")?;
            [&first["hostname"], &first["ip"]]
                .into_iter()
                .find_map(Value::as_str)
        }
        "ClusterIP" | "NodePort" => service.at("/spec/clusterIP").and_then(Value::as_str),
        _ => None,
    };
    address.filter(|it| !it.is_empty() && *it != "None")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_service_is_up_once_it_can_be_reached() {
        let up = |spec: Value, status: Value| {
            let service = json!({
                "apiVersion": "v1", "kind": "Service", "metadata": {"name": "gateway"},
                "spec": spec, "status": status,
            });
            is_up(&Object::from_value(service).unwrap())
        };
        let balancer = |ingress: Value| {
            let status = json!({"loadBalancer": {"ingress": ingress}});
            up(
                json!({"type": "LoadBalancer", "clusterIP": "10.1.1.1"}),
                status,
            )
        };
        assert!(balancer(json!([{"ip": "192.0.2.1"}])));
        assert!(balancer(json!([{"hostname": "lb.example.test"}])));
        assert!(balancer(json!([{"ip": "192.0.2.1"}, {"ip": "192.0.2.2"}])));
        assert!(!balancer(json!([])), "pending");
        assert!(!balancer(Value::Null), "pending");
        assert!(!balancer(json!([{"ip": ""}])));
        let inside = json!({"type": "ClusterIP", "clusterIP": "10.1.1.1"});
        assert!(up(inside, Value::Null));
        let headless = json!({"type": "ClusterIP", "clusterIP": "None"});
        assert!(!up(headless, Value::Null));
        assert!(up(json!({"type": "NodePort"}), Value::Null));
        let name = json!({"type": "ExternalName", "externalName": "example.test"});
        assert!(!up(name, Value::Null));
    }
}

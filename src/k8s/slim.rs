//! Objects without what takes most of their memory and is never read.
//!
//! On a large cluster there are hundreds of nodes with their images, and as many pods of the node
//! agent. Whoever comes to read what is left out here has to let it stay.

use k8s_openapi::api::core::v1::{Container, Event, Node, Pod};

/// A node without its images, its volumes and the history of its fields.
pub fn node(mut node: Node) -> Node {
    node.metadata.managed_fields = None;
    if let Some(status) = &mut node.status {
        status.images = None;
        status.volumes_attached = None;
        status.volumes_in_use = None;
    }
    node
}

/// A pod without the history of its fields; of its containers only name, image and mounts remain.
pub fn pod(mut pod: Pod) -> Pod {
    pod.metadata.managed_fields = None;
    if let Some(spec) = &mut pod.spec {
        spec.tolerations = None;
        let init = spec.init_containers.iter_mut().flatten();
        init.chain(&mut spec.containers).for_each(slim_container);
    }
    pod
}

fn slim_container(container: &mut Container) {
    let whole = std::mem::take(container);
    *container = Container {
        name: whole.name,
        image: whole.image,
        volume_mounts: whole.volume_mounts,
        ..Container::default()
    };
}

/// An event without the history of its fields.
pub fn event(mut event: Event) -> Event {
    event.metadata.managed_fields = None;
    event
}

#[cfg(test)]
mod tests {
    use serde::Serialize;
    use serde::de::DeserializeOwned;
    use serde_json::{Value, json};

    use super::*;

    #[track_caller]
    fn check<T: Serialize + DeserializeOwned>(slim: fn(T) -> T, whole: Value, remains: &Value) {
        let slim = slim(serde_json::from_value(whole).unwrap());
        assert_eq!(serde_json::to_value(slim).unwrap(), *remains);
    }

    #[test]
    fn what_is_read_of_a_node_remains() {
        let remains = json!({
            "apiVersion": "v1", "kind": "Node",
            "metadata": {"name": "n1", "labels": {"a": "b"}, "annotations": {"c": "d"}},
            "spec": {"providerID": "kind://n1"},
            "status": {"conditions": [{"type": "Ready", "status": "True"}]},
        });
        let mut whole = remains.clone();
        whole["metadata"]["managedFields"] = json!([{"manager": "kubelet"}]);
        whole["status"]["images"] = json!([{"names": ["example.test/app:1"], "sizeBytes": 7}]);
        whole["status"]["volumesInUse"] = json!(["volume"]);
        whole["status"]["volumesAttached"] = json!([{"name": "volume", "devicePath": "/dev/a"}]);
        check(node, whole, &remains);
    }

    #[test]
    fn what_is_read_of_a_pod_remains() {
        let remains = json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": "agent-1", "uid": "u", "annotations": {"a": "b"}},
            "spec": {
                "nodeName": "n1",
                "initContainers": [{"name": "first", "image": "i"}],
                "containers": [{
                    "name": "install-cni", "image": "example.test/cni:1",
                    "volumeMounts": [{"name": "bin", "mountPath": "/host/opt/cni/bin"}],
                }],
                "volumes": [{"name": "bin", "hostPath": {"path": "/opt/cni/bin"}}],
            },
            "status": {"phase": "Running"},
        });
        let mut whole = remains.clone();
        whole["metadata"]["managedFields"] = json!([{"manager": "kubelet"}]);
        whole["spec"]["tolerations"] = json!([{"operator": "Exists"}]);
        for list in ["initContainers", "containers"] {
            let container = &mut whole["spec"][list][0];
            container["env"] = json!([{"name": "LOG", "value": "debug"}]);
            container["args"] = json!(["--log"]);
            container["readinessProbe"] = json!({"httpGet": {"port": 8000}});
        }
        check(pod, whole, &remains);
    }

    #[test]
    fn what_is_read_of_an_event_remains() {
        let remains = json!({
            "apiVersion": "v1", "kind": "Event", "metadata": {"name": "e"},
            "involvedObject": {"uid": "u"}, "reason": "FailedMount", "message": "no such directory",
        });
        let mut whole = remains.clone();
        whole["metadata"]["managedFields"] = json!([{"manager": "kubelet"}]);
        check(event, whole, &remains);
    }
}

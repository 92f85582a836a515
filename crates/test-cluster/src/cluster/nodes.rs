//! Nodes that are only simulated.

use serde_json::{Value, json};

use super::TestCluster;
use crate::Options;

/// The annotation that makes kwok run a node, as `key=value`.
pub(super) const MANAGED: &str = "kwok.x-k8s.io/node=fake";

impl TestCluster {
    /// The nodes that a cluster starts with.
    pub(super) fn simulated_nodes(&self, options: &Options) -> Value {
        let nodes: Vec<Value> = (0..options.nodes)
            .map(|index| {
                let name = format!("node{}", index + 1);
                self.simulated_node(index, &name, &options.kubelet_version)
            })
            .collect();
        json!({"apiVersion": "v1", "kind": "List", "items": nodes})
    }

    fn simulated_node(&self, index: u16, name: &str, kubelet_version: &str) -> Value {
        let (key, value) = MANAGED.split_once('=').unwrap_or((MANAGED, ""));
        let size = json!({"cpu": "32", "memory": "256Gi", "pods": "110"});
        json!({
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {
                "name": name,
                "annotations": {key: value},
                "labels": {
                    "kubernetes.io/arch": "amd64",
                    "kubernetes.io/hostname": name,
                    "kubernetes.io/os": "linux",
                },
            },
            "status": {
                "addresses": [
                    {"type": "InternalIP", "address": self.network.node(index).to_string()},
                    {"type": "Hostname", "address": name},
                ],
                "allocatable": size,
                "capacity": size,
                "nodeInfo": {
                    "architecture": "amd64",
                    "bootID": "",
                    "containerRuntimeVersion": "containerd://2.2.1",
                    "kernelVersion": "6.8.0",
                    "kubeProxyVersion": "",
                    "kubeletVersion": kubelet_version,
                    "machineID": "",
                    "operatingSystem": "linux",
                    "osImage": "simulated",
                    "systemUUID": "",
                },
            },
        })
    }
}

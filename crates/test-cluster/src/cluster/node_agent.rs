//! A real node agent next to a cluster.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::background::Background;
use super::{TestCluster, http_client, wait_until};
use crate::Program;

/// The folder in which Kubernetes puts a pod's token.
const ACCOUNT: &str = "var/run/secrets/kubernetes.io/serviceaccount";
/// A node's CNI configuration before the node agent adds itself.
const CONFIGURATION: &str =
    r#"{"cniVersion": "1.0.0", "name": "network", "plugins": [{"type": "bridge"}]}"#;
/// What the node agent adds to it.
const PLUGIN: &str = r#"{"cniVersion": "0.3.1", "name": "istio-cni", "type": "istio-cni"}"#;
/// Runs the node agent with a folder as its root, so that it installs its plugin only there. It
/// needs `/proc` for the metrics of its process.
const IN_FOLDER: &str = r#"mount --rbind /proc "$0/proc" && exec chroot "$0" /install-cni "$@""#;

/// A real node agent, which installs its plugin in a folder of its own; it ends when this value is
/// dropped.
#[derive(Debug)]
pub struct NodeAgent<'a> {
    process: Background<'a>,
    metrics: SocketAddr,
}

impl TestCluster {
    /// Starts Istio's CNI node agent, and waits until its plugin is in place.
    ///
    /// Its root is a folder of the cluster with what it finds on a node: a CNI configuration and a
    /// directory for plugins. It repairs no pods.
    ///
    /// # Errors
    /// When it ends or does not get its plugin in place, also where the system allows no user
    /// namespaces.
    pub fn start_node_agent(&self) -> Result<NodeAgent<'_>> {
        let name = "install-cni";
        let root = self.folder().join(name);
        lay_out(&root)?;
        let [metrics] = self.network.free_ports()?;
        let mut command = Command::new("unshare");
        command
            .args([
                "--user",
                "--map-root-user",
                "--mount",
                "--fork",
                "--kill-child",
            ])
            .args(["sh", "-c", IN_FOLDER])
            .arg(&root)
            .arg(format!("--monitoring-port={metrics}"))
            .arg("--ctrlz_port=0")
            .arg("--repair-enabled=false")
            .arg(format!("--cni-network-config={PLUGIN}"))
            .env("KUBERNETES_SERVICE_HOST", "127.0.0.1")
            .env("KUBERNETES_SERVICE_PORT", "443");
        let agent = NodeAgent {
            process: self.spawn_background(name, &mut command)?,
            metrics: (Ipv4Addr::LOCALHOST, metrics).into(),
        };
        wait_until("the node agent's plugin is in place", || {
            agent.process.must_run()?;
            let ready = agent.metrics();
            let is_ready = |it: String| it.contains("istio_cni_install_ready 1");
            Ok(ready.is_ok_and(is_ready).then_some(()))
        })?;
        Ok(agent)
    }
}

impl NodeAgent<'_> {
    /// Its metrics, in Prometheus's text format.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn metrics(&self) -> Result<String> {
        let url = format!("http://{}/metrics", self.metrics);
        let mut answer = http_client().get(url).call()?;
        Ok(answer.body_mut().read_to_string()?)
    }
}

/// Makes the root folder as the node agent finds it in its container.
fn lay_out(root: &Path) -> Result<()> {
    for folder in [
        "proc",
        "tmp",
        "opt/cni/bin",
        "host/opt/cni/bin",
        "host/etc/cni/net.d",
        "var/run/istio-cni",
        ACCOUNT,
    ] {
        fs::create_dir_all(root.join(folder))?;
    }
    fs::copy(Program::InstallCni.path()?, root.join("install-cni"))?;
    fs::copy(
        Program::IstioCni.path()?,
        root.join("opt/cni/bin/istio-cni"),
    )?;
    fs::write(
        root.join("host/etc/cni/net.d/10-network.conflist"),
        CONFIGURATION,
    )?;
    for file in ["token", "ca.crt"] {
        fs::write(root.join(ACCOUNT).join(file), file)?;
    }
    Ok(())
}

//! This machine as a real node of a cluster: containerd, kubelet, kube-proxy and a DNS server.

mod archive;
pub(crate) mod enclosure;
pub(crate) mod images;

use std::env;
use std::fs;
use std::net::Ipv4Addr;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::cluster::{wait_until, write};
use crate::command::output_of;
use crate::{Background, Program, TestCluster};

/// The name of the node.
const NODE: &str = "node1";
/// What containerd calls what Kubernetes owns.
const NAMESPACE: &str = "k8s.io";
/// Where containerd has a folder for each container that runs, below its `state` (see [`containerd`]).
const TASKS: &str = "/run/containerd/io.containerd.runtime.v2.task/k8s.io";

/// Programs of the machine, and the Debian packages that have them.
const REQUIREMENTS: [(&str, &str); 10] = [
    ("curl", "curl"),
    ("runc", "runc"),
    ("iptables-nft", "iptables"),
    ("iptables-save", "iptables"),
    ("conntrack", "conntrack"),
    ("busybox", "busybox-static"),
    ("ip", "iproute2"),
    ("unshare", "util-linux"),
    ("nsenter", "util-linux"),
    ("python3", "python3-pip"),
];
/// Where Debian puts the plugins that give pods their network.
const PLUGINS: &str = "/usr/lib/cni";

/// A real node. It ends when this value is dropped, or the cluster ends; its pods end with the
/// [`crate::Enclosure`] around both.
#[derive(Debug)]
pub struct RealNode<'a> {
    cluster: &'a TestCluster,
    folder: PathBuf,
    containerd: Background<'a>,
    others: Vec<Background<'a>>,
}

/// Fails unless this process may make a node of this machine.
///
/// # Errors
/// Names everything that is missing, with the packages to install.
pub fn check_requirements() -> Result<()> {
    let mut missing = Vec::new();
    if !cfg!(target_os = "linux") {
        missing.push("Linux".to_owned());
    }
    if !is_root() {
        missing.push("root".to_owned());
    }
    for (program, package) in REQUIREMENTS {
        if find_program(program).is_none() {
            missing.push(format!("{program} (Debian package {package})"));
        }
    }
    if !Path::new(PLUGINS).join("bridge").is_file() {
        missing.push(format!(
            "{PLUGINS}/bridge (Debian package containernetworking-plugins)"
        ));
    }
    if !missing.is_empty() {
        bail!("a real node needs: {}", missing.join(", "));
    }
    Ok(())
}

/// Whether this process is root's.
pub fn is_root() -> bool {
    // Its owner is the effective user.
    fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0)
}

/// A program on `PATH`, or where only root has it.
fn find_program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(["/usr/sbin", "/sbin"].map(PathBuf::from))
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

/// Gives an enclosure's loopback interface an address that its pods can reach, and a way to
/// Services: their addresses are translated after a way was found.
pub(crate) fn add_address(address: Ipv4Addr, services: &str) -> Result<()> {
    let address = format!("{address}/32");
    output_of(Command::new("ip").args(["address", "add", &address, "dev", "lo"]))?;
    output_of(Command::new("ip").args(["route", "add", services, "dev", "lo"])).map(drop)
}

impl<'a> RealNode<'a> {
    /// Makes this machine the node `node1` of a cluster that was started with
    /// [`crate::Options::real_node`], and waits until it is Ready. `images` is a file that
    /// [`crate::NodeImages::write`] wrote.
    ///
    /// # Errors
    /// When a program ends or the node does not become Ready.
    pub fn start(cluster: &'a TestCluster, images: &Path) -> Result<Self> {
        let folder = cluster.folder().join("node");
        for name in ["cni/bin", "cni/other-bin", "cni/conf", "logs"] {
            fs::create_dir_all(folder.join(name))?;
        }
        for entry in fs::read_dir(PLUGINS)? {
            let entry = entry?;
            fs::copy(entry.path(), folder.join("cni/bin").join(entry.file_name()))?;
        }
        let node = Self::start_containerd(cluster, folder)?;
        node.import(images)?;
        node.start_others()
    }

    fn start_containerd(cluster: &'a TestCluster, folder: PathBuf) -> Result<Self> {
        write(
            &folder,
            "cni/conf/10-pods.conflist",
            &pod_network(cluster, &folder).to_string(),
        )?;
        let configuration = write(&folder, "containerd.toml", &containerd(&folder))?;
        let shim = Program::ContainerdShim.path()?;
        let mut command = cluster.command(Program::Containerd)?;
        command
            .args(["--log-level=warn", "--config", &configuration])
            .env("PATH", path_with(&shim)?);
        let containerd = cluster.spawn_background("containerd", &mut command)?;
        let node = Self {
            cluster,
            folder,
            containerd,
            others: Vec::new(),
        };
        wait_until("containerd answers", || {
            node.containerd.must_run()?;
            Ok(node.ctr(&["version"]).ok())
        })?;
        Ok(node)
    }

    fn import(&self, images: &Path) -> Result<()> {
        let images = images.display().to_string();
        self.ctr(&["images", "import", &images]).map(drop)
    }

    fn start_others(mut self) -> Result<Self> {
        let address = self.cluster.address();
        let kubelet = write(
            &self.folder,
            "kubelet.yaml",
            &kubelet(&self.folder, address).to_string(),
        )?;
        let root = self.folder.join("kubelet");
        let mut command = self.cluster.command(Program::Kubelet)?;
        command
            .arg(format!("--config={kubelet}"))
            .arg(format!(
                "--kubeconfig={}",
                self.cluster.kubeconfig().display()
            ))
            .arg(format!("--root-dir={}", root.display()))
            .arg(format!("--hostname-override={NODE}"))
            .arg(format!("--node-ip={address}"));
        self.spawn("kubelet", &mut command)?;
        let proxy = write(
            &self.folder,
            "kube-proxy.yaml",
            &kube_proxy(self.cluster).to_string(),
        )?;
        let mut command = self.cluster.command(Program::KubeProxy)?;
        self.spawn("kube-proxy", command.arg(format!("--config={proxy}")))?;
        let names = write(&self.folder, "Corefile", &core_dns(self.cluster))?;
        let mut command = self.cluster.command(Program::CoreDns)?;
        self.spawn("coredns", command.args(["-conf", &names]))?;
        wait_until("the node is Ready", || {
            self.containerd.must_run()?;
            for process in &self.others {
                process.must_run()?;
            }
            let Ok(node) = self.cluster.get(&format!("node {NODE}")) else {
                return Ok(None);
            };
            let conditions = node["status"]["conditions"].as_array();
            let ready = conditions
                .into_iter()
                .flatten()
                .any(|condition| condition["type"] == "Ready" && condition["status"] == "True");
            Ok(ready.then_some(()))
        })?;
        Ok(self)
    }

    fn spawn(&mut self, name: &str, command: &mut Command) -> Result<()> {
        self.others
            .push(self.cluster.spawn_background(name, command)?);
        Ok(())
    }

    /// The folder in which the container runtime looks for plugins first.
    pub fn plugins(&self) -> PathBuf {
        self.folder.join("cni/bin")
    }

    /// Another folder in which the container runtime looks for plugins; empty at first.
    pub fn other_plugins(&self) -> PathBuf {
        self.folder.join("cni/other-bin")
    }

    /// The folder in which the container runtime looks for the configuration of the pods' network.
    pub fn plugin_configuration(&self) -> PathBuf {
        self.folder.join("cni/conf")
    }

    /// The address translation rules in a pod's network namespace, as `iptables-save` prints them.
    ///
    /// # Errors
    /// When the pod has no running container.
    pub fn translation_rules(&self, namespace: &str, pod: &str) -> Result<String> {
        let process = process_of(namespace, pod)?;
        output_of(Command::new("nsenter").args([
            "--net",
            "--target",
            &process,
            "iptables-save",
            "--table=nat",
        ]))
    }

    fn ctr(&self, arguments: &[&str]) -> Result<String> {
        let socket = self.folder.join("containerd.sock");
        let mut command = self.cluster.command(Program::Ctr)?;
        output_of(
            command
                .arg("--address")
                .arg(socket)
                .args(["--namespace", NAMESPACE])
                .args(arguments),
        )
    }
}

/// A process of a running container of a pod.
fn process_of(namespace: &str, pod: &str) -> Result<String> {
    // Read where containerd has it: asking takes two programs, and there are many pods to ask for.
    for task in fs::read_dir(TASKS)? {
        let task = task?.path();
        // A task that is just ending has lost them.
        let read = |name: &str| fs::read_to_string(task.join(name)).unwrap_or_default();
        let specification = read("config.json");
        if !specification.contains(pod) {
            continue;
        }
        let Ok(specification) = serde_json::from_str::<Value>(&specification) else {
            continue;
        };
        let annotations = &specification["annotations"];
        let process = read("init.pid");
        if annotations["io.kubernetes.cri.sandbox-name"] == pod
            && annotations["io.kubernetes.cri.sandbox-namespace"] == namespace
            && Path::new("/proc").join(&process).join("ns/net").exists()
        {
            return Ok(process);
        }
    }
    bail!("pod {namespace}/{pod} has no running container")
}

/// `PATH`, with the folder of a program in front.
fn path_with(program: &Path) -> Result<std::ffi::OsString> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folder = program.parent().context("a program lies in a folder")?;
    Ok(env::join_paths(
        [folder.to_path_buf()]
            .into_iter()
            .chain(env::split_paths(&path))
            .chain(["/usr/sbin", "/sbin"].map(PathBuf::from)),
    )?)
}

fn pod_network(cluster: &TestCluster, folder: &Path) -> Value {
    json!({
        "cniVersion": "1.0.0",
        "name": "pods",
        "plugins": [
            {
                "type": "bridge",
                "bridge": "pods",
                "isGateway": true,
                "hairpinMode": true,
                "ipam": {
                    "type": "host-local",
                    "dataDir": folder.join("addresses"),
                    "ranges": [[{"subnet": cluster.pods_range()}]],
                    "routes": [{"dst": "0.0.0.0/0"}],
                },
            },
            {"type": "portmap", "capabilities": {"portMappings": true}},
        ],
    })
}

fn containerd(folder: &Path) -> String {
    let folder = folder.display();
    let sandbox = images::SANDBOX;
    // The machine's own OOM protection cannot be given to pods from inside of a container, where
    // this may run; nor can AppArmor profiles be loaded there.
    format!(
        r#"version = 3
root = "{folder}/containerd"
state = "/run/containerd"
[grpc]
  address = "{folder}/containerd.sock"
[plugins."io.containerd.cri.v1.images".pinned_images]
  sandbox = "{sandbox}"
[plugins."io.containerd.cri.v1.runtime"]
  restrict_oom_score_adj = true
  disable_apparmor = true
[plugins."io.containerd.cri.v1.runtime".cni]
  bin_dirs = ["{folder}/cni/bin", "{folder}/cni/other-bin"]
  conf_dir = "{folder}/cni/conf"
[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
"#
    )
}

fn kubelet(folder: &Path, address: Ipv4Addr) -> Value {
    json!({
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "cgroupDriver": "cgroupfs",
        "cgroupsPerQOS": false,
        "enforceNodeAllocatable": [],
        "failCgroupV1": false,
        "failSwapOn": false,
        "containerRuntimeEndpoint": format!("unix://{}/containerd.sock", folder.display()),
        "podLogsDir": folder.join("logs"),
        "clusterDNS": [address],
        "clusterDomain": "cluster.local",
        "resolvConf": "",
        // Nobody but this cluster reaches it.
        "authentication": {"anonymous": {"enabled": true}, "webhook": {"enabled": false}},
        "authorization": {"mode": "AlwaysAllow"},
        // A full disk of the machine is not what is tested.
        "evictionHard": {"memory.available": "50Mi", "nodefs.available": "0%", "imagefs.available": "0%"},
        "imageGCHighThresholdPercent": 100,
        "syncFrequency": "10s",
    })
}

fn kube_proxy(cluster: &TestCluster) -> Value {
    json!({
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "clientConnection": {"kubeconfig": cluster.kubeconfig()},
        "clusterCIDR": cluster.pods_range(),
        "hostnameOverride": NODE,
        "mode": "iptables",
        // Otherwise answers between two pods of one bridge would bypass the address translation,
        // unless the machine sends bridged packets through it.
        "iptables": {"masqueradeAll": true, "localhostNodePorts": false},
        // Settings of the whole machine.
        "conntrack": {"maxPerCore": 0, "min": 0},
    })
}

fn core_dns(cluster: &TestCluster) -> String {
    format!(
        ".:53 {{\n bind {}\n kubernetes cluster.local in-addr.arpa {{\n  kubeconfig {}\n }}\n}}\n",
        cluster.address(),
        cluster.kubeconfig().display()
    )
}

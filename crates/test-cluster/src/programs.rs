//! The Go programs that tests run: Kubernetes, kwok, etcd, Istio, and what a real node needs.
//!
//! Each is built from a Go module of the folder `programs/`, once, into
//! `$XDG_CACHE_HOME/istio-pilot/programs/<hash>/bin` (`$HOME/.cache` without `XDG_CACHE_HOME`),
//! where the hash is that of go.mod, go.sum and the build flags.
//!
//! With `TEST_CLUSTER_PROGRAMS` set to a list of folders, as `PATH` has it, programs are taken from
//! there and never built: a missing one is an error.

mod build;
mod module;
mod source;

use std::env;
use std::ffi::{OsStr, OsString};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use build::Builder;
pub use module::Module;

/// The variable that lists the folders to take programs from.
pub const PROGRAMS_VARIABLE: &str = "TEST_CLUSTER_PROGRAMS";

/// The file next to kwok that holds kwok's own stages.
const KWOK_STAGES: &str = "kwok-stages.yaml";

/// A program that tests can run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Program {
    /// The database of the API server.
    Etcd,
    /// The Kubernetes API server.
    KubeApiserver,
    /// The controllers of Kubernetes.
    KubeControllerManager,
    /// The scheduler of Kubernetes.
    KubeScheduler,
    /// The command-line client of Kubernetes.
    Kubectl,
    /// The simulator of nodes and their pods.
    Kwok,
    /// The node agent of Kubernetes.
    Kubelet,
    /// What makes Services work on a node.
    KubeProxy,
    /// Istio's command-line tool.
    Istioctl,
    /// istiod.
    PilotDiscovery,
    /// The agent in a sidecar.
    PilotAgent,
    /// Istio's CNI node agent.
    InstallCni,
    /// Istio's CNI plugin.
    IstioCni,
    /// The container runtime.
    Containerd,
    /// What containerd starts for each pod.
    ContainerdShim,
    /// The command-line client of containerd.
    Ctr,
    /// The DNS server of a cluster.
    CoreDns,
    /// Prometheus's command-line tool.
    Promtool,
    /// Ours: fails for files that are no dashboards in the judgement of Grafana's own types.
    CheckDashboard,
}

impl Program {
    /// Every program, in the order in which they are worth building.
    pub const ALL: [Self; 19] = [
        Self::Etcd,
        Self::KubeApiserver,
        Self::KubeControllerManager,
        Self::KubeScheduler,
        Self::Kubectl,
        Self::Kwok,
        Self::Istioctl,
        Self::PilotDiscovery,
        Self::PilotAgent,
        Self::InstallCni,
        Self::IstioCni,
        Self::Kubelet,
        Self::KubeProxy,
        Self::Containerd,
        Self::ContainerdShim,
        Self::Ctr,
        Self::CoreDns,
        Self::Promtool,
        Self::CheckDashboard,
    ];

    /// The file name of the program, as its project ships it.
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Etcd => "etcd",
            Self::KubeApiserver => "kube-apiserver",
            Self::KubeControllerManager => "kube-controller-manager",
            Self::KubeScheduler => "kube-scheduler",
            Self::Kubectl => "kubectl",
            Self::Kwok => "kwok",
            Self::Kubelet => "kubelet",
            Self::KubeProxy => "kube-proxy",
            Self::Istioctl => "istioctl",
            Self::PilotDiscovery => "pilot-discovery",
            Self::PilotAgent => "pilot-agent",
            Self::InstallCni => "install-cni",
            Self::IstioCni => "istio-cni",
            Self::Containerd => "containerd",
            Self::ContainerdShim => "containerd-shim-runc-v2",
            Self::Ctr => "ctr",
            Self::CoreDns => "coredns",
            Self::Promtool => "promtool",
            Self::CheckDashboard => "check-dashboard",
        }
    }

    /// The Go package that the program is built from.
    fn package(self) -> &'static str {
        match self {
            Self::Etcd => "go.etcd.io/etcd/server/v3",
            Self::KubeApiserver => "k8s.io/kubernetes/cmd/kube-apiserver",
            Self::KubeControllerManager => "k8s.io/kubernetes/cmd/kube-controller-manager",
            Self::KubeScheduler => "k8s.io/kubernetes/cmd/kube-scheduler",
            Self::Kubectl => "k8s.io/kubernetes/cmd/kubectl",
            Self::Kwok => "sigs.k8s.io/kwok/cmd/kwok",
            Self::Kubelet => "k8s.io/kubernetes/cmd/kubelet",
            Self::KubeProxy => "k8s.io/kubernetes/cmd/kube-proxy",
            Self::Istioctl => "istio.io/istio/istioctl/cmd/istioctl",
            Self::PilotDiscovery => "istio.io/istio/pilot/cmd/pilot-discovery",
            Self::PilotAgent => "istio.io/istio/pilot/cmd/pilot-agent",
            Self::InstallCni => "istio.io/istio/cni/cmd/install-cni",
            Self::IstioCni => "istio.io/istio/cni/cmd/istio-cni",
            Self::Containerd => "github.com/containerd/containerd/v2/cmd/containerd",
            Self::ContainerdShim => {
                "github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2"
            }
            Self::Ctr => "github.com/containerd/containerd/v2/cmd/ctr",
            Self::CoreDns => "github.com/coredns/coredns",
            Self::Promtool => "github.com/prometheus/prometheus/cmd/promtool",
            Self::CheckDashboard => "istio-pilot.test/programs/observability/check-dashboard",
        }
    }

    /// The module whose go.mod names the program's version.
    pub fn module(self) -> Module {
        match self {
            Self::Etcd
            | Self::KubeApiserver
            | Self::KubeControllerManager
            | Self::KubeScheduler
            | Self::Kubectl
            | Self::Kwok
            | Self::Kubelet
            | Self::KubeProxy => Module::Kubernetes,
            Self::Istioctl
            | Self::PilotDiscovery
            | Self::PilotAgent
            | Self::InstallCni
            | Self::IstioCni => Module::Istio,
            Self::Containerd | Self::ContainerdShim | Self::Ctr | Self::CoreDns => Module::Node,
            Self::Promtool | Self::CheckDashboard => Module::Observability,
        }
    }

    /// How long the build takes on two cores when nothing is cached, for those who wait for it.
    ///
    /// Measured in the order of [`Program::ALL`]: a program that comes later finds most of its
    /// packages compiled.
    fn expected_build_time(self) -> &'static str {
        match self {
            Self::KubeApiserver => "about 5 minutes",
            Self::Istioctl => "about 4 minutes",
            Self::CoreDns | Self::Promtool => "about 2 minutes",
            Self::Etcd
            | Self::Kwok
            | Self::Containerd
            | Self::KubeControllerManager
            | Self::Kubelet
            | Self::PilotDiscovery => "about 1 minute",
            _ => "less than a minute",
        }
    }

    /// The program's file, built first if it does not exist yet.
    ///
    /// Building prints its progress on standard error; two processes that need the same program
    /// at the same time build it once.
    ///
    /// # Errors
    /// When Go is not installed, the build fails, or `TEST_CLUSTER_PROGRAMS` is set and no folder
    /// in it has the program.
    pub fn path(self) -> Result<PathBuf> {
        match env::var_os(PROGRAMS_VARIABLE) {
            Some(folders) => find(&folders, self.file_name()),
            None => Builder::from_environment()?.program(self),
        }
    }
}

/// Builds all of `programs` that do not exist yet, and returns the value for
/// `TEST_CLUSTER_PROGRAMS` that makes other processes use them.
///
/// # Errors
/// As [`Program::path`].
pub fn build(programs: &[Program]) -> Result<OsString> {
    let mut folders: Vec<PathBuf> = Vec::new();
    for program in programs {
        let path = program.path()?;
        if let Some(folder) = path.parent().map(Path::to_path_buf)
            && !folders.contains(&folder)
        {
            folders.push(folder);
        }
    }
    Ok(env::join_paths(folders)?)
}

/// Fails with a clear line unless Go is installed.
///
/// # Errors
/// When it is not, or cannot be run.
pub fn check_go() -> Result<()> {
    Builder::from_environment()?.check()
}

/// kwok's own stages that make nodes and pods ready immediately: the file for its `--config`.
///
/// # Errors
/// As [`Program::path`].
pub fn kwok_stages() -> Result<PathBuf> {
    let stages = Program::Kwok.path()?.with_file_name(KWOK_STAGES);
    if !stages.is_file() {
        bail!("{} is missing: it belongs next to kwok", stages.display());
    }
    Ok(stages)
}

/// The folder with the source of a Go module that `module` names, such as `istio.io/api`,
/// downloaded first if needed. The folder is read-only.
///
/// # Errors
/// When Go is not installed, the module is not among those of go.mod, or cannot be downloaded.
pub fn source_folder(module: Module, path: &str) -> Result<PathBuf> {
    Builder::from_environment()?.source_folder(&module.definition(), path)
}

/// The folder with the source of a release of any Go module, such as `istio.io/api` and `v1.30.8`,
/// downloaded first if needed. The folder is read-only.
///
/// # Errors
/// When Go is not installed, there is no such release, or it cannot be downloaded.
pub fn release_folder(path: &str, version: &str) -> Result<PathBuf> {
    Builder::from_environment()?.release_folder(path, version)
}

/// This project's part of the user's cache: `$XDG_CACHE_HOME/istio-pilot`, or
/// `$HOME/.cache/istio-pilot`. It may not exist yet.
///
/// # Errors
/// When neither variable is set.
pub fn cache_folder() -> Result<PathBuf> {
    let cache = env::var_os("XDG_CACHE_HOME")
        .filter(|folder| !folder.is_empty())
        .map(PathBuf::from)
        .or_else(|| env::home_dir().map(|home| home.join(".cache")))
        .context("neither XDG_CACHE_HOME nor HOME is set: there is no place for programs")?;
    Ok(cache.join("istio-pilot"))
}

/// Shows a person that something slow is in progress.
pub(crate) fn progress(line: &str) {
    // Written directly, so that a test runner that captures output still shows it.
    let _ = writeln!(io::stderr(), "test-cluster: {line}");
}

fn find(folders: &OsStr, file_name: &str) -> Result<PathBuf> {
    for folder in env::split_paths(folders) {
        let path = folder.join(file_name);
        if path.is_file() {
            return Ok(path);
        }
    }
    bail!(
        "{PROGRAMS_VARIABLE} is set to {}, and no folder there has {file_name}: \
         unset it to have programs built, or run `cargo xtask programs`",
        folders.display()
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_program_is_a_tool_of_its_module() {
        for program in Program::ALL {
            let go_mod = program.module().definition().go_mod;
            assert!(
                go_mod.contains(&format!("\t{}\n", program.package())),
                "{program:?} is not a tool in the go.mod of {:?}",
                program.module()
            );
        }
    }

    #[test]
    fn each_tool_of_a_module_is_a_program() {
        let modules = [
            Module::Kubernetes,
            Module::Istio,
            Module::Node,
            Module::Observability,
        ];
        for module in modules {
            let definition = module.definition();
            let tools = definition.go_mod.split_once("tool (\n").unwrap().1;
            let tools = tools.split_once(")\n").unwrap().0;
            for tool in tools.lines().map(str::trim) {
                assert!(
                    Program::ALL.iter().any(|program| program.package() == tool),
                    "{tool} is built by nobody"
                );
            }
        }
    }

    #[test]
    fn the_first_folder_that_has_a_program_wins() {
        let [empty, first, second] = [(); 3].map(|()| tempfile::tempdir().unwrap());
        for folder in [&first, &second] {
            std::fs::write(folder.path().join("kubectl"), "").unwrap();
        }
        let folders = env::join_paths([empty.path(), first.path(), second.path()]).unwrap();
        assert_eq!(
            find(&folders, "kubectl").unwrap(),
            first.path().join("kubectl")
        );
    }

    #[test]
    fn a_listed_folder_without_the_program_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let error = find(folder.path().as_os_str(), "kubectl").unwrap_err();
        assert!(
            error.to_string().contains("no folder there has kubectl"),
            "{error}"
        );
    }
}

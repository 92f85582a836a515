//! `istioctl kube-inject`: Istio's injector without a cluster.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;
use test_cluster::Program;
use test_cluster::command::output_with_input;

use crate::setup::Configuration;

/// The injector with one configuration.
pub(crate) struct KubeInject {
    folder: tempfile::TempDir,
    istioctl: PathBuf,
    /// What a real istiod finds out by its nodes, or is told by its environment.
    environment: Vec<(&'static str, &'static str)>,
}

impl KubeInject {
    /// `native`: whether the nodes can run native sidecars, as all can from Kubernetes 1.33 on.
    pub(crate) fn new(configuration: &Configuration, native: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [
            ("config", &configuration.config),
            ("values", &configuration.values),
            ("mesh", &configuration.mesh),
        ] {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        Self {
            folder,
            istioctl: Program::Istioctl.path().unwrap(),
            environment: vec![(
                "ENABLE_NATIVE_SIDECARS",
                if native { "true" } else { "false" },
            )],
        }
    }

    /// The same with a further environment variable.
    pub(crate) fn with(mut self, name: &'static str, value: &'static str) -> Self {
        self.environment.push((name, value));
        self
    }

    /// Injects a stream of documents and gives those that come out, as text.
    pub(crate) fn inject(&self, workloads: &str) -> Result<Vec<String>> {
        let file = |name: &str| self.folder.path().join(name).display().to_string();
        let output = output_with_input(
            Command::new(&self.istioctl)
                .arg("kube-inject")
                // Named, so that it does not look for it in a cluster.
                .arg("--revision=default")
                .arg(format!("--injectConfigFile={}", file("config")))
                .arg(format!("--valuesFile={}", file("values")))
                .arg(format!("--meshConfigFile={}", file("mesh")))
                .arg("--filename=-")
                .env_remove("KUBECONFIG")
                .envs(self.environment.iter().copied()),
            workloads,
        )?;
        Ok(output
            .split_terminator("\n---\n")
            .map(str::to_owned)
            .collect())
    }
}

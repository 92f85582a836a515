//! A real istiod next to a cluster.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::Result;

use super::background::Background;
use super::{TestCluster, http_client, wait_until};
use crate::Program;

/// A real istiod that watches the cluster, outside of it; it ends when this value is dropped.
#[derive(Debug)]
pub struct Istiod<'a> {
    process: Background<'a>,
    address: Ipv4Addr,
    http: u16,
    https: u16,
    monitoring: u16,
}

impl TestCluster {
    /// Starts istiod for the control plane in `namespace`, and waits until it is ready.
    ///
    /// It reads what is in the cluster: the `ConfigMap`s `istio` and `istio-sidecar-injector` of
    /// that namespace, Services, pods and Istio's own resources, whose CRDs must exist. It is not
    /// reachable through the Service `istiod`: nothing is behind the Services of this cluster.
    /// `environment` is added to its environment variables.
    ///
    /// # Errors
    /// When istiod ends or does not become ready.
    pub fn start_istiod(
        &self,
        namespace: &str,
        environment: &[(&str, &str)],
    ) -> Result<Istiod<'_>> {
        let name = format!("istiod-{namespace}");
        let folder = self.folder().join(&name);
        std::fs::create_dir_all(&folder)?;
        let address = self.network.server();
        let [http, https, grpc, secure_grpc, monitoring, control] = self.network.free_ports()?;
        let mut command = self.command(Program::PilotDiscovery)?;
        command
            .arg("discovery")
            .arg(format!("--kubeconfig={}", self.kubeconfig().display()))
            .arg(format!("--namespace={namespace}"))
            .arg(format!("--httpAddr={address}:{http}"))
            .arg(format!("--httpsAddr={address}:{https}"))
            .arg(format!("--grpcAddr={address}:{grpc}"))
            .arg(format!("--secureGRPCAddr={address}:{secure_grpc}"))
            .arg(format!("--monitoringAddr={address}:{monitoring}"))
            .arg(format!("--ctrlz_address={address}"))
            .arg(format!("--ctrlz_port={control}"))
            .env("POD_NAME", &name)
            .env("POD_NAMESPACE", namespace)
            .env("REVISION", "default")
            .env("CLUSTER_ID", "Kubernetes")
            // The API server can call its webhooks at its address then.
            .env("ISTIOD_CUSTOM_HOST", address.to_string())
            .envs(environment.iter().copied());
        let istiod = Istiod {
            process: self.spawn_background(&name, &mut command)?,
            address,
            http,
            https,
            monitoring,
        };
        wait_until("istiod is ready", || {
            istiod.process.must_run()?;
            Ok(istiod.answers_ready().then_some(()))
        })?;
        Ok(istiod)
    }
}

impl Istiod<'_> {
    /// What it answers to plain HTTP: `/ready`, `/debug/...`.
    ///
    /// # Errors
    /// When it does not answer, or with an error.
    pub fn get(&self, path: &str) -> Result<String> {
        self.get_from(self.http, path)
    }

    /// Its metrics, in Prometheus's text format.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn metrics(&self) -> Result<String> {
        self.get_from(self.monitoring, "/metrics")
    }

    fn get_from(&self, port: u16, path: &str) -> Result<String> {
        let address = SocketAddr::from((self.address, port));
        let mut answer = http_client()
            .get(format!("http://{address}{path}"))
            .call()?;
        Ok(answer.body_mut().read_to_string()?)
    }

    /// Where it answers webhook requests over TLS: `/inject`, `/validate`. Its certificate is for
    /// this address, of the authority that it writes into webhook configurations of its revision.
    pub fn webhook_address(&self) -> SocketAddr {
        (self.address, self.https).into()
    }

    /// What it wrote so far.
    pub fn log(&self) -> String {
        self.process.log()
    }

    fn answers_ready(&self) -> bool {
        self.get("/ready").is_ok()
    }
}

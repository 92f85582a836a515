//! Starting a cluster: the arguments of each program.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, TcpStream};
use std::sync::atomic::{AtomicU32, AtomicU64};

use anyhow::{Context, Result};

use super::credentials::{self, Authority, Kubeconfig};
use super::network::Network;
use super::supervisor::{Process, Supervisor};
use super::{AUDIT_LOG, TestCluster, audit, wait_until, write};
use crate::Options;
use crate::programs::{self, Program};

/// The user of the kubeconfig that tests use.
const ADMIN: &str = "admin";

/// What acts on the objects that the API server stores.
const CONTROLLERS: [Program; 2] = [Program::KubeControllerManager, Program::KubeScheduler];

/// How many requests a second a controller may send. By default it is 20, which would make a test
/// with hundreds of pods wait.
const UNLIMITED: &str = "--kube-api-qps=1000";

impl TestCluster {
    /// Starts a cluster and returns when its API server is ready and, with controllers, all its
    /// nodes are. That takes about 5 s, once the programs are built.
    ///
    /// # Errors
    /// When a program is not available or does not start; the error holds its last lines.
    pub fn start(options: &Options) -> Result<Self> {
        // All programs first: their errors and builds come before anything runs.
        let kubectl = Program::Kubectl.path()?;
        let controllers: &[Program] = if options.controllers {
            &CONTROLLERS
        } else {
            &[]
        };
        for program in [Program::Etcd, Program::KubeApiserver]
            .iter()
            .chain(controllers)
            .chain(options.simulator().iter())
        {
            program.path()?;
        }
        let (network, claim) = Network::claim(&programs::cache_folder()?.join("clusters"))?;
        let network = if options.real_node {
            let network = network.routed();
            crate::node::add_address(network.server(), &network.services())?;
            network
        } else {
            network
        };
        let folder = tempfile::Builder::new()
            .prefix("test-cluster-")
            .tempdir()
            .context("cannot create a temporary folder")?;
        let [etcd_client, etcd_peer, port] = network.free_ports()?;
        let etcd_url = format!("http://{}:{etcd_client}", network.server());
        let peer_url = format!("http://{}:{etcd_peer}", network.server());
        let mut cluster = Self {
            supervisor: Supervisor::start(folder, claim)?,
            network,
            port,
            etcd: etcd_url,
            token: credentials::token()?,
            kubectl,
            audited: options.audit,
            programs: 0,
            markers: AtomicU32::new(0),
            audit_begins: AtomicU64::new(0),
        };
        let etcd = cluster.spawn(Program::Etcd, &cluster.etcd_flags(&peer_url))?;
        let flags = cluster.api_server_flags(options)?;
        let api_server = cluster.spawn(Program::KubeApiserver, &flags)?;
        cluster.wait_for_api_server(etcd, api_server)?;
        if options.controllers {
            cluster.start_controllers(options)?;
        }
        cluster.programs = cluster.supervisor.running()?;
        Ok(cluster)
    }

    fn path(&self, name: &str) -> String {
        self.folder().join(name).display().to_string()
    }

    fn etcd_flags(&self, peer_url: &str) -> Vec<String> {
        let client_url = &self.etcd;
        vec![
            format!("--data-dir={}", self.path("etcd")),
            format!("--listen-client-urls={client_url}"),
            format!("--advertise-client-urls={client_url}"),
            format!("--listen-peer-urls={peer_url}"),
            format!("--initial-advertise-peer-urls={peer_url}"),
            format!("--initial-cluster=default={peer_url}"),
            "--log-level=warn".to_owned(),
            // A test cluster never has to survive a power failure.
            "--unsafe-no-fsync".to_owned(),
        ]
    }

    fn api_server_flags(&self, options: &Options) -> Result<Vec<String>> {
        let folder = self.folder();
        let authority = Authority::new()?;
        let authority_file = write(folder, "ca.crt", authority.certificate())?;
        let serving = authority.server(
            &[
                "localhost",
                "kubernetes",
                "kubernetes.default",
                "kubernetes.default.svc",
                "kubernetes.default.svc.cluster.local",
            ],
            &[
                self.network.server(),
                self.network.kubernetes_service(),
                Ipv4Addr::LOCALHOST,
            ]
            .map(IpAddr::from),
        )?;
        let (private_key, public_key) = credentials::key_pair()?;
        let private_key = write(folder, "service-accounts.key", &private_key)?;
        let public_key = write(folder, "service-accounts.pub", &public_key)?;
        let address = self.network.server();
        let mut flags = if self.network.is_loopback() {
            // A loopback address is not allowed as an endpoint of the Service `kubernetes`.
            vec!["--endpoint-reconciler-type=none".to_owned()]
        } else {
            // Nobody resolves the name of a node.
            vec!["--kubelet-preferred-address-types=InternalIP".to_owned()]
        };
        flags.extend([
            format!("--etcd-servers={}", self.etcd),
            format!("--bind-address={address}"),
            format!("--advertise-address={address}"),
            format!("--secure-port={}", self.port),
            format!("--cert-dir={}", self.path("certificates")),
            format!(
                "--tls-cert-file={}",
                write(folder, "server.crt", &serving.certificate)?
            ),
            format!(
                "--tls-private-key-file={}",
                write(folder, "server.key", &serving.key)?
            ),
            format!("--client-ca-file={authority_file}"),
            format!("--token-auth-file={}", self.write_tokens()?),
            "--authorization-mode=Node,RBAC".to_owned(),
            format!("--service-account-key-file={public_key}"),
            format!("--service-account-signing-key-file={private_key}"),
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local".to_owned(),
            // istiod asks for tokens of the second audience.
            "--api-audiences=https://kubernetes.default.svc.cluster.local,istio-ca".to_owned(),
            format!("--service-cluster-ip-range={}", self.network.services()),
            "--allow-privileged=true".to_owned(),
        ]);
        if options.audit {
            let policy = write(folder, "audit-policy.yaml", audit::POLICY)?;
            flags.push(format!("--audit-policy-file={policy}"));
            flags.push(format!("--audit-log-path={}", self.path(AUDIT_LOG)));
        }
        flags.extend(options.api_server_flags.iter().cloned());
        Ok(flags)
    }

    /// Writes the users that the API server knows and a kubeconfig for each; returns the file for
    /// `--token-auth-file`.
    fn write_tokens(&self) -> Result<String> {
        let mut lines = String::new();
        // The controllers have their own users, so that an audit distinguishes them from a test.
        for (user, file, token) in [
            (ADMIN, "kubeconfig".to_owned(), self.token.clone()),
            Self::controller_user(Program::KubeControllerManager)?,
            Self::controller_user(Program::KubeScheduler)?,
            Self::controller_user(Program::Kwok)?,
        ] {
            // Writing to a String cannot fail.
            let _ = writeln!(lines, "{token},{user},{user},system:masters");
            Kubeconfig {
                server: &self.server(),
                authority: &self.certificate_authority(),
                user,
                token: &token,
                namespace: "default",
            }
            .write(&self.folder().join(file))?;
        }
        write(self.folder(), "tokens.csv", &lines)
    }

    fn controller_user(program: Program) -> Result<(&'static str, String, String)> {
        let name = program.file_name();
        Ok((name, controller_kubeconfig(program), credentials::token()?))
    }

    fn wait_for_api_server(&self, etcd: Process, api_server: Process) -> Result<()> {
        wait_until("the API server listens", || {
            self.must_run(etcd, Program::Etcd.file_name())?;
            self.must_run(api_server, Program::KubeApiserver.file_name())?;
            let address = (self.network.server(), self.port);
            Ok(TcpStream::connect(address).ok())
        })?;
        wait_until("the API server is ready", || {
            self.must_run(api_server, Program::KubeApiserver.file_name())?;
            let answer = self.kubectl("get --raw /readyz");
            Ok(answer.is_ok_and(|text| text == "ok").then_some(()))
        })
    }

    fn start_controllers(&self, options: &Options) -> Result<()> {
        let manager = self.spawn(
            Program::KubeControllerManager,
            &[
                self.kubeconfig_flag(Program::KubeControllerManager),
                format!(
                    "--service-account-private-key-file={}",
                    self.path("service-accounts.key")
                ),
                format!("--root-ca-file={}", self.path("ca.crt")),
                "--leader-elect=false".to_owned(),
                "--secure-port=0".to_owned(),
                "--authentication-skip-lookup=true".to_owned(),
                UNLIMITED.to_owned(),
            ],
        )?;
        let scheduler = self.spawn(
            Program::KubeScheduler,
            &[
                self.kubeconfig_flag(Program::KubeScheduler),
                "--leader-elect=false".to_owned(),
                "--secure-port=0".to_owned(),
                "--authentication-skip-lookup=true".to_owned(),
                UNLIMITED.to_owned(),
            ],
        )?;
        let simulator = if options.simulator().is_some() {
            Some(self.start_simulator(options)?)
        } else {
            None
        };
        wait_until("nodes and controllers are ready", || {
            self.must_run(manager, Program::KubeControllerManager.file_name())?;
            self.must_run(scheduler, Program::KubeScheduler.file_name())?;
            if let Some(simulator) = simulator {
                self.must_run(simulator, Program::Kwok.file_name())?;
            }
            Ok(self.is_settled()?.then_some(()))
        })
    }

    fn start_simulator(&self, options: &Options) -> Result<Process> {
        let kwok = self.spawn(
            Program::Kwok,
            &[
                self.kubeconfig_flag(Program::Kwok),
                format!("--config={}", programs::kwok_stages()?.display()),
                format!("--cidr={}", self.network.pods()),
                "--manage-all-nodes=false".to_owned(),
                format!(
                    "--manage-nodes-with-annotation-selector={}",
                    super::nodes::MANAGED
                ),
                "--node-lease-duration-seconds=40".to_owned(),
            ],
        )?;
        if options.nodes > 0 {
            self.apply(&self.simulated_nodes(options))?;
        }
        Ok(kwok)
    }

    /// Whether all nodes are Ready and pods can be created.
    pub(super) fn is_settled(&self) -> Result<bool> {
        let nodes = self.get("nodes")?;
        let ready = nodes["items"].as_array().is_some_and(|nodes| {
            nodes.iter().all(|node| {
                let conditions = node["status"]["conditions"].as_array();
                conditions.is_some_and(|conditions| {
                    conditions.iter().any(|condition| {
                        condition["type"] == "Ready" && condition["status"] == "True"
                    })
                })
            })
        });
        // A pod is refused until its namespace has its default service account.
        let account = self.kubectl("get serviceaccount default");
        Ok(ready && account.is_ok())
    }

    fn kubeconfig_flag(&self, program: Program) -> String {
        format!(
            "--kubeconfig={}",
            self.path(&controller_kubeconfig(program))
        )
    }
}

fn controller_kubeconfig(program: Program) -> String {
    format!("{}.kubeconfig", program.file_name())
}

//! A Kubernetes control plane on loopback.

pub(crate) mod audit;
pub(crate) mod background;
mod credentials;
pub(crate) mod istiod;
mod network;
pub(crate) mod node_agent;
mod nodes;
pub(crate) mod options;
mod reuse;
mod start;
mod store;
mod supervisor;

use std::fmt::Display;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::Program;
use crate::command::{output_of, output_with_input, words};
use audit::AuditRequest;
use credentials::Kubeconfig;
use network::Network;
use supervisor::{Process, Supervisor};

/// How long anything that this crate waits for may take. Far more than is ever needed: it only
/// decides how late a failure is told.
const PATIENCE: Duration = Duration::from_secs(120);

/// The name of the API server's audit log in the cluster's folder.
const AUDIT_LOG: &str = "audit.log";

/// A running cluster; dropping it ends it.
///
/// Every method may be called from several threads at once.
#[derive(Debug)]
pub struct TestCluster {
    supervisor: Supervisor,
    network: Network,
    port: u16,
    /// The address of etcd: `http://` with host and port.
    etcd: String,
    token: String,
    kubectl: PathBuf,
    audited: bool,
    /// How many programs it has when it has started.
    programs: usize,
    markers: AtomicU32,
    /// Where in the audit log the requests of this test begin.
    audit_begins: AtomicU64,
}

/// A cluster that outlives the process that started it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftRunning {
    /// The kubeconfig of its administrator.
    pub kubeconfig: PathBuf,
    /// The process to send `SIGTERM` to: it ends the cluster and removes its folder.
    pub watchdog: u32,
}

impl TestCluster {
    /// The kubeconfig file of the cluster's administrator, user `admin` of group
    /// `system:masters`; its namespace is `default`.
    pub fn kubeconfig(&self) -> PathBuf {
        self.folder().join("kubeconfig")
    }

    /// The address of the API server, such as `https://127.0.2.1:40123`.
    pub fn server(&self) -> String {
        format!("https://{}:{}", self.network.server(), self.port)
    }

    /// The address that the API server listens on.
    pub(crate) fn address(&self) -> std::net::Ipv4Addr {
        self.network.server()
    }

    /// The range of pod addresses, with its prefix length.
    pub(crate) fn pods_range(&self) -> String {
        self.network.pods_range()
    }

    /// The certificate authority of the API server: a file in PEM.
    pub fn certificate_authority(&self) -> PathBuf {
        self.folder().join("ca.crt")
    }

    /// The bearer token of the cluster's administrator.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// A folder that is removed with the cluster. Files put there must not clash with the
    /// cluster's own: make a folder in it.
    pub fn folder(&self) -> &Path {
        self.supervisor.folder()
    }

    /// A command of one of the programs, with the administrator's kubeconfig in `KUBECONFIG`.
    ///
    /// # Errors
    /// As [`Program::path`].
    pub fn command(&self, program: Program) -> Result<Command> {
        let mut command = Command::new(program.path()?);
        self.set_environment(&mut command);
        Ok(command)
    }

    fn set_environment(&self, command: &mut Command) {
        command
            .env("KUBECONFIG", self.kubeconfig())
            // kubectl caches what a server can do by its address, and addresses come back.
            .env("KUBECACHEDIR", self.folder().join("kubectl"))
            .env("KUBERC", "off");
    }

    /// Runs kubectl and returns what it printed: `kubectl("delete pod app --now")`. The line is
    /// split as a shell would, see [`words`].
    ///
    /// # Errors
    /// When it fails; the error holds what it said.
    pub fn kubectl(&self, line: &str) -> Result<String> {
        output_of(self.kubectl_command().args(words(line)?))
    }

    /// Runs kubectl with `input` on its standard input:
    /// `kubectl_with_input("create --filename=-", manifest)`.
    ///
    /// # Errors
    /// When it fails; the error holds what it said.
    pub fn kubectl_with_input(&self, line: &str, input: &str) -> Result<String> {
        output_with_input(self.kubectl_command().args(words(line)?), input)
    }

    fn kubectl_command(&self) -> Command {
        let mut command = Command::new(&self.kubectl);
        self.set_environment(&mut command);
        command
    }

    /// Reads objects: `get("deployments -n istio-system")` is `kubectl get --output=json` with the
    /// rest of the line.
    ///
    /// # Errors
    /// When kubectl fails, also because a single object does not exist.
    pub fn get(&self, line: &str) -> Result<Value> {
        let text = self.kubectl(&format!("get --output=json {line}"))?;
        Ok(serde_json::from_str(&text)?)
    }

    /// Applies objects with `kubectl apply --server-side`: a JSON value, or a text with YAML
    /// documents.
    ///
    /// # Errors
    /// When the API server refuses one of them.
    pub fn apply(&self, objects: &(impl Display + ?Sized)) -> Result<String> {
        self.kubectl_with_input("apply --server-side --filename=-", &objects.to_string())
    }

    /// Runs istioctl against the cluster and returns what it printed.
    ///
    /// # Errors
    /// When it fails; the error holds what it said.
    pub fn istioctl(&self, arguments: &[&str]) -> Result<String> {
        output_of(self.command(Program::Istioctl)?.args(arguments))
    }

    /// Writes a kubeconfig file for a service account, which is created if it does not exist. Its
    /// rights are what the test binds to it: none at first.
    ///
    /// # Errors
    /// When the namespace does not exist.
    pub fn service_account_kubeconfig(&self, namespace: &str, name: &str) -> Result<PathBuf> {
        self.apply(&serde_json::json!({
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": name, "namespace": namespace},
        }))?;
        let token = self.kubectl(&format!("create token {name} --namespace={namespace}"))?;
        let folder = self.folder().join("service-accounts");
        fs::create_dir_all(&folder)?;
        let path = folder.join(format!("{namespace}.{name}"));
        Kubeconfig {
            server: &self.server(),
            authority: &self.certificate_authority(),
            user: name,
            token: token.trim(),
            namespace,
        }
        .write(&path)?;
        Ok(path)
    }

    /// All requests that the API server has answered so far, of everyone, controllers included,
    /// in the order of the answers. Needs [`crate::Options::audit`].
    ///
    /// # Errors
    /// When the cluster records no requests.
    pub fn audit_requests(&self) -> Result<Vec<AuditRequest>> {
        if !self.audited {
            bail!("this cluster records no requests: start it with Options {{ audit: true, .. }}");
        }
        // A request of ours marks the end: what was answered before it is in the log before it.
        let marker = format!(
            "/version?marker={}",
            self.markers.fetch_add(1, Ordering::Relaxed)
        );
        self.kubectl(&format!("get --raw {marker}"))?;
        wait_until("the audit log is written", || {
            let begins = self.audit_begins.load(Ordering::Relaxed);
            let mut requests = audit::read(&self.folder().join(AUDIT_LOG), begins)?;
            let Some(end) = requests.iter().position(|request| request.uri == marker) else {
                return Ok(None);
            };
            requests.truncate(end);
            requests.retain(|request| !request.uri.starts_with("/version?marker="));
            Ok(Some(requests))
        })
    }

    /// From now on, tells of no request that came before.
    fn forget_requests(&self) -> Result<()> {
        if self.audited {
            // All of them are written then.
            self.audit_requests()?;
            let length = fs::metadata(self.folder().join(AUDIT_LOG))?.len();
            self.audit_begins.store(length, Ordering::Relaxed);
        }
        Ok(())
    }

    /// What a program of the cluster wrote so far; empty for one that does not run.
    pub fn log(&self, program: Program) -> String {
        fs::read_to_string(self.supervisor.log(program.file_name())).unwrap_or_default()
    }

    /// Lets the cluster run on when this process ends.
    ///
    /// # Errors
    /// When the process that watches over the cluster is gone.
    pub fn leave_running(self) -> Result<LeftRunning> {
        let kubeconfig = self.kubeconfig();
        let watchdog = self.supervisor.leave()?;
        Ok(LeftRunning {
            kubeconfig,
            watchdog,
        })
    }

    /// Starts a program of the cluster's own, which then must not end before the cluster does.
    fn spawn(&self, program: Program, arguments: &[String]) -> Result<Process> {
        let mut command = self.command(program)?;
        self.supervisor
            .spawn(program.file_name(), command.args(arguments))
    }

    /// Fails when a program of the cluster ended, or when one runs that a test has added.
    fn must_be_alone(&self) -> Result<()> {
        let running = self.supervisor.running()?;
        if running == self.programs {
            return Ok(());
        }
        bail!("{running} programs run, and there were {}", self.programs);
    }

    /// Fails when a process ended, with the last lines that it wrote.
    fn must_run(&self, process: Process, name: &str) -> Result<()> {
        let Some(status) = self.supervisor.ended(process)? else {
            return Ok(());
        };
        let log = fs::read_to_string(self.supervisor.log(name)).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let tail = lines[lines.len().saturating_sub(15)..].join("\n");
        bail!("{name} ended ({status}); its last lines:\n{tail}");
    }
}

/// Waits until `condition` gives a value.
pub(crate) fn wait_until<T>(
    what: &str,
    mut condition: impl FnMut() -> Result<Option<T>>,
) -> Result<T> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(value) = condition()? {
            return Ok(value);
        }
        if Instant::now() > deadline {
            bail!("waited {} s in vain until {what}", PATIENCE.as_secs());
        }
        thread::sleep(Duration::from_millis(50));
    }
}

/// A client for the programs of a cluster, which no proxy of the user's can reach.
pub(crate) fn http_client() -> ureq::Agent {
    ureq::Agent::config_builder()
        .proxy(None)
        .timeout_global(Some(PATIENCE))
        .build()
        .into()
}

/// Writes a file of the cluster's folder and returns its path as text for a flag.
pub(crate) fn write(folder: &Path, name: &str, content: &str) -> Result<String> {
    let path = folder.join(name);
    fs::write(&path, content).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path.display().to_string())
}

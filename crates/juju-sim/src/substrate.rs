//! The Kubernetes cluster behind a model: its namespace, and for every application a service
//! account with the roles that Juju gives it, so that trust is real RBAC.
//!
//! Names, labels and rules are those of Juju's `internal/provider/kubernetes/application`.

use std::collections::BTreeMap;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Instant;

use k8s_openapi::api::core::v1::{Namespace, ServiceAccount};
use k8s_openapi::api::rbac::v1::{
    ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, RoleRef, Subject,
};
use kube::api::{Api, DeleteParams, ObjectMeta, Patch, PatchParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config, Resource, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::runtime::{Builder, Runtime};

use crate::Error;

mod access;

pub(crate) use access::Access;

const FIELD_MANAGER: &str = "juju";

pub(crate) struct Substrate {
    runtime: Runtime,
    client: Client,
    source: PathBuf,
    kubeconfig: Kubeconfig,
    namespace: String,
    version: String,
    server: String,
    tokens: Mutex<BTreeMap<String, (Instant, Access)>>,
}

impl Substrate {
    /// Connects to the cluster of an administrator's kubeconfig.
    pub(crate) fn connect(path: &Path, namespace: &str) -> Result<Self, Error> {
        let action = format!("read kubeconfig {}", path.display());
        let path = std::path::absolute(path).map_err(Error::file("find", path))?;
        let kubeconfig = Kubeconfig::read_from(&path).map_err(Error::kubernetes(&action))?;
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(Error::io("start tokio"))?;
        let (client, server, version) = block_on(&runtime, async {
            let config =
                Config::from_custom_kubeconfig(kubeconfig.clone(), &KubeConfigOptions::default())
                    .await
                    .map_err(Error::kubernetes(&action))?;
            let server = host_and_port(&config);
            let client =
                Client::try_from(config).map_err(Error::kubernetes("make a Kubernetes client"))?;
            let version = client
                .apiserver_version()
                .await
                .map_err(Error::kubernetes(format!(
                    "ask the API server {server} its version"
                )))?;
            Ok::<_, Error>((client, server, version.git_version))
        })?;
        Ok(Self {
            runtime,
            client,
            source: path,
            kubeconfig,
            namespace: namespace.to_owned(),
            version: version.trim_start_matches('v').to_owned(),
            server,
            tokens: Mutex::new(BTreeMap::new()),
        })
    }

    /// The administrator's kubeconfig.
    pub(crate) fn source(&self) -> &Path {
        &self.source
    }

    /// Kubernetes' version, without a leading `v`.
    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    /// `host:port` of the API server.
    pub(crate) fn server(&self) -> &str {
        &self.server
    }

    pub(crate) fn create_namespace(&self) -> Result<(), Error> {
        let labels = labels(&[
            ("app.kubernetes.io/managed-by", "juju"),
            ("model.juju.is/name", &self.namespace),
        ]);
        let metadata = ObjectMeta {
            name: Some(self.namespace.clone()),
            labels: Some(labels),
            ..ObjectMeta::default()
        };
        let namespace = Namespace {
            metadata,
            ..Namespace::default()
        };
        block_on(
            &self.runtime,
            self.apply(&Api::all(self.client.clone()), namespace),
        )
    }

    /// The service account of an application, and its roles.
    pub(crate) fn create_application(&self, name: &str, trusted: bool) -> Result<(), Error> {
        let account = ServiceAccount {
            metadata: self.metadata(name, name),
            automount_service_account_token: Some(false),
            ..ServiceAccount::default()
        };
        block_on(&self.runtime, self.apply(&self.namespaced(), account))?;
        self.write_roles(name, trusted)
    }

    /// Small rules without trust, everything with it.
    pub(crate) fn write_roles(&self, name: &str, trusted: bool) -> Result<(), Error> {
        let global = self.cluster_name(name);
        let everything = || vec![rule(&["*"], &["*"], &["*"])];
        let role = Role {
            metadata: self.metadata(name, name),
            rules: Some(if trusted {
                everything()
            } else {
                self.own_rules()
            }),
        };
        let cluster_role = ClusterRole {
            metadata: self.metadata(&global, name),
            rules: Some(if trusted {
                everything()
            } else {
                vec![rule(&[""], &["namespaces"], &["get", "list"])]
            }),
            aggregation_rule: None,
        };
        let subjects = || {
            Some(vec![Subject {
                kind: "ServiceAccount".into(),
                name: name.to_owned(),
                namespace: Some(self.namespace.clone()),
                ..Subject::default()
            }])
        };
        let binding = RoleBinding {
            metadata: self.metadata(name, name),
            role_ref: role_ref("Role", name),
            subjects: subjects(),
        };
        let cluster_binding = ClusterRoleBinding {
            metadata: self.metadata(&global, name),
            role_ref: role_ref("ClusterRole", &global),
            subjects: subjects(),
        };
        block_on(&self.runtime, async {
            self.apply(&self.namespaced(), role).await?;
            self.apply(&self.namespaced(), binding).await?;
            self.apply(&Api::all(self.client.clone()), cluster_role)
                .await?;
            self.apply(&Api::all(self.client.clone()), cluster_binding)
                .await
        })
    }

    /// What an untrusted application may do in the model's namespace.
    fn own_rules(&self) -> Vec<PolicyRule> {
        let namespace = PolicyRule {
            resource_names: Some(vec![self.namespace.clone()]),
            ..rule(&[""], &["namespaces"], &["get", "list"])
        };
        vec![
            namespace,
            rule(&[""], &["pods", "services"], &["get", "list", "patch"]),
            rule(&[""], &["pods/exec"], &["create"]),
        ]
    }

    /// Takes an application's account and roles away, after its last hook.
    pub(crate) fn remove_application(&self, name: &str) -> Result<(), Error> {
        if let Ok(mut tokens) = self.tokens.lock() {
            tokens.remove(name);
        }
        let global = self.cluster_name(name);
        let cluster = || self.client.clone();
        block_on(&self.runtime, async {
            delete(&Api::<ClusterRoleBinding>::all(cluster()), &global).await?;
            delete(&Api::<ClusterRole>::all(cluster()), &global).await?;
            delete(&self.namespaced::<RoleBinding>(), name).await?;
            delete(&self.namespaced::<Role>(), name).await?;
            delete(&self.namespaced::<ServiceAccount>(), name).await
        })
    }

    fn cluster_name(&self, application: &str) -> String {
        format!("{}-{application}", self.namespace)
    }

    fn metadata(&self, name: &str, application: &str) -> ObjectMeta {
        ObjectMeta {
            name: Some(name.to_owned()),
            labels: Some(labels(&[
                ("app.kubernetes.io/managed-by", "juju"),
                ("app.kubernetes.io/name", application),
                ("model.juju.is/name", &self.namespace),
            ])),
            ..ObjectMeta::default()
        }
    }

    fn namespaced<K>(&self) -> Api<K>
    where
        K: Resource<Scope = k8s_openapi::NamespaceResourceScope>,
        K::DynamicType: Default,
    {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    async fn apply<K>(&self, api: &Api<K>, object: K) -> Result<(), Error>
    where
        K: Resource + Clone + Serialize + DeserializeOwned + std::fmt::Debug,
        K::DynamicType: Default,
    {
        let name = object.name_any();
        let kind = K::kind(&K::DynamicType::default()).into_owned();
        api.patch(
            &name,
            &PatchParams::apply(FIELD_MANAGER).force(),
            &Patch::Apply(&object),
        )
        .await
        .map(drop)
        .map_err(Error::kubernetes(format!("apply {kind} {name}")))
    }
}

async fn delete<K>(api: &Api<K>, name: &str) -> Result<(), Error>
where
    K: Resource + Clone + DeserializeOwned + std::fmt::Debug,
    K::DynamicType: Default,
{
    match api.delete(name, &DeleteParams::default()).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
        Err(error) => {
            let kind = K::kind(&K::DynamicType::default()).into_owned();
            Err(Error::kubernetes(format!("delete {kind} {name}"))(error))
        }
    }
}

/// Waits for a future. On a separate thread, because the caller may be inside another runtime,
/// where blocking on a second one is not allowed.
fn block_on<F>(runtime: &Runtime, future: F) -> F::Output
where
    F: Future + Send,
    F::Output: Send,
{
    std::thread::scope(
        |scope| match scope.spawn(|| runtime.block_on(future)).join() {
            Ok(output) => output,
            Err(panic) => std::panic::resume_unwind(panic),
        },
    )
}

fn host_and_port(config: &Config) -> String {
    let host = config.cluster_url.host().unwrap_or("localhost");
    let secure = config.cluster_url.scheme_str() == Some("https");
    let port = config
        .cluster_url
        .port_u16()
        .unwrap_or(if secure { 443 } else { 80 });
    format!("{host}:{port}")
}

fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

fn rule(groups: &[&str], resources: &[&str], verbs: &[&str]) -> PolicyRule {
    let owned = |list: &[&str]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
    PolicyRule {
        api_groups: Some(owned(groups)),
        resources: Some(owned(resources)),
        verbs: owned(verbs),
        ..PolicyRule::default()
    }
}

fn role_ref(kind: &str, name: &str) -> RoleRef {
    RoleRef {
        api_group: "rbac.authorization.k8s.io".into(),
        kind: kind.into(),
        name: name.to_owned(),
    }
}

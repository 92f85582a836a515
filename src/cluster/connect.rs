//! Finding the cluster: `$KUBECONFIG` if set, else the pod's service account.

use std::path::PathBuf;

use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use kube::client::{Body, ConfigExt};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use tower::ServiceBuilder;

use super::Cluster;
use super::request::LONGEST_REQUEST;

/// Where to find the cluster and the model's namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// A kubeconfig file, and the namespace, which it does not name.
    Kubeconfig {
        /// The file's path.
        path: PathBuf,
        /// The model's name.
        namespace: String,
    },
    /// The service account that Kubernetes mounts into a pod; its namespace is the model's.
    ServiceAccount,
}

impl Access {
    /// The kubeconfig of `$KUBECONFIG`, if that is set and not empty, for a model of that name;
    /// else the service account.
    pub fn find(kubeconfig: Option<&str>, model: &str) -> Self {
        match kubeconfig.filter(|path| !path.is_empty()) {
            Some(path) => Self::Kubeconfig {
                path: PathBuf::from(path),
                namespace: model.to_owned(),
            },
            None => Self::ServiceAccount,
        }
    }
}

/// Why no cluster could be found.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The kubeconfig is missing or wrong.
    #[error("the kubeconfig {} cannot be used: {reason}", path.display())]
    Kubeconfig {
        /// The file's path.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// There is no service account.
    #[error("no cluster: set KUBECONFIG, or run where there is a service account ({0})")]
    ServiceAccount(String),
    /// The credentials or certificates cannot be used.
    #[error("the cluster's credentials cannot be used: {0}")]
    Credentials(#[source] Box<kube::Error>),
}

impl Cluster {
    /// Reads the credentials. Nothing is sent yet.
    ///
    /// # Errors
    /// When the credentials are missing or cannot be used.
    pub async fn connect(access: &Access) -> Result<Self, ConnectError> {
        let config = match access {
            Access::Kubeconfig { path, namespace } => {
                let unusable = |reason: String| ConnectError::Kubeconfig {
                    path: path.clone(),
                    reason,
                };
                let file = Kubeconfig::read_from(path).map_err(|it| unusable(it.to_string()))?;
                if let Some(proxy) = proxy(&file) {
                    let reason = "is set, and this program uses no proxy";
                    return Err(unusable(format!("proxy-url {proxy} {reason}")));
                }
                let options = KubeConfigOptions::default();
                let config = Config::from_custom_kubeconfig(file, &options).await;
                let mut config = config.map_err(|it| unusable(it.to_string()))?;
                config.default_namespace.clone_from(namespace);
                config
            }
            Access::ServiceAccount => {
                Config::incluster().map_err(|it| ConnectError::ServiceAccount(it.to_string()))?
            }
        };
        let namespace = config.default_namespace.clone();
        let client = client(&config).map_err(|it| ConnectError::Credentials(Box::new(it)))?;
        Ok(Self {
            client,
            namespace,
            longest_request: LONGEST_REQUEST,
        })
    }
}

/// The proxy of the kubeconfig's current cluster, if it has one.
fn proxy(file: &Kubeconfig) -> Option<&str> {
    let current = file.current_context.as_deref()?;
    let context = file.contexts.iter().find(|it| it.name == current)?;
    let name = &context.context.as_ref()?.cluster;
    let cluster = file.clusters.iter().find(|it| it.name == *name)?;
    let proxy = cluster.cluster.as_ref()?.proxy_url.as_deref();
    proxy.filter(|it| !it.is_empty())
}

/// How much of an answer is read at once, in bytes. Its parts come in records of 16 KiB (TLS). hyper
/// would read up to 400 KiB at once, and keep what it read into: with the allocator's pages for large
/// pieces that is several megabytes.
const LONGEST_READ: usize = 32 * 1024;

/// A client with TCP_NODELAY: the stock one of kube 5.0 leaves it unset, which costs its first
/// request 40 ms (delayed acknowledgement against Nagle's algorithm).
///
/// Of the stock one it leaves out: proxies, those of the environment too, as the API server is the
/// pod's own cluster; tries of its own, which would take longer than a hook may; bounds for reading
/// and writing, as there is one for the whole request; and a log of requests.
fn client(config: &Config) -> Result<Client, kube::Error> {
    let mut connector = HttpConnector::new();
    connector.enforce_http(false);
    connector.set_nodelay(true);
    connector.set_connect_timeout(config.connect_timeout);
    let connector = config.rustls_https_connector_with_connector(connector)?;
    let mut pool = hyper_util::client::legacy::Builder::new(TokioExecutor::new());
    pool.http1_max_buf_size(LONGEST_READ);
    let service = ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .option_layer(config.auth_layer()?)
        .layer(config.extra_headers_layer()?)
        .map_err(tower::BoxError::from)
        .service(pool.build::<_, Body>(connector));
    Ok(Client::new(service, config.default_namespace.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kubeconfig_comes_before_the_service_account_unless_it_is_empty() {
        let named = Access::Kubeconfig {
            path: PathBuf::from("/kube/config"),
            namespace: "mesh".to_owned(),
        };
        assert_eq!(Access::find(Some("/kube/config"), "mesh"), named);
        assert_eq!(Access::find(Some(""), "mesh"), Access::ServiceAccount);
        assert_eq!(Access::find(None, "mesh"), Access::ServiceAccount);
    }
}

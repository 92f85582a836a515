//! How the units of an application reach the cluster: a token of its service account, in a
//! kubeconfig of its own.

use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::api::PostParams;

use super::{Substrate, block_on};
use crate::Error;

/// A token is requested with this lifetime and replaced when half of it is over.
const TOKEN_LIFE: Duration = Duration::from_secs(24 * 3600);

/// What a unit gets to reach the cluster.
#[derive(Debug, Clone)]
pub(crate) struct Access {
    pub(crate) kubeconfig: PathBuf,
    pub(crate) token: String,
    pub(crate) certificates: Vec<String>,
}

impl Substrate {
    /// A token of the application's service account, and a kubeconfig with it in `directory`.
    pub(crate) fn access(&self, name: &str, directory: &Path) -> Result<Access, Error> {
        let Ok(mut tokens) = self.tokens.lock() else {
            return Err(Error::io("keep a token")(std::io::Error::other("poisoned")));
        };
        if let Some((issued, access)) = tokens.get(name)
            && issued.elapsed() < TOKEN_LIFE / 2
            && access.kubeconfig.exists()
        {
            return Ok(access.clone());
        }
        let request = TokenRequest {
            spec: TokenRequestSpec {
                expiration_seconds: i64::try_from(TOKEN_LIFE.as_secs()).ok(),
                ..TokenRequestSpec::default()
            },
            ..TokenRequest::default()
        };
        let accounts = self.namespaced::<ServiceAccount>();
        let action = format!(
            "ask for a token of ServiceAccount {}/{name}",
            self.namespace
        );
        let answer = block_on(
            &self.runtime,
            accounts.create_token_request(name, &PostParams::default(), &request),
        )
        .map_err(Error::kubernetes(action))?;
        let token = answer.status.map(|status| status.token).unwrap_or_default();
        let kubeconfig = self.write_kubeconfig(name, &token, directory)?;
        let certificates = self.certificates();
        let access = Access {
            kubeconfig,
            token,
            certificates,
        };
        tokens.insert(name.to_owned(), (Instant::now(), access.clone()));
        Ok(access)
    }

    fn write_kubeconfig(
        &self,
        name: &str,
        token: &str,
        directory: &Path,
    ) -> Result<PathBuf, Error> {
        // Put together as plain data: the client's own types print a token masked.
        let value = serde_json::json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": self.kubeconfig.clusters,
            "users": [{"name": name, "user": {"token": token}}],
            "contexts": [{"name": name, "context": {
                "cluster": self.cluster(), "user": name, "namespace": self.namespace,
            }}],
            "current-context": name,
        });
        let text =
            serde_yaml::to_string(&value).map_err(Error::kubernetes("write a kubeconfig"))?;
        let folder = directory.join("kubeconfigs");
        std::fs::create_dir_all(&folder).map_err(Error::file("create folder", &folder))?;
        let path = folder.join(name);
        let mut file = std::fs::File::options()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&path)
            .map_err(Error::file("write", &path))?;
        std::io::Write::write_all(&mut file, text.as_bytes())
            .map_err(Error::file("write", &path))?;
        Ok(path)
    }

    /// The name of the cluster that the administrator's current context uses.
    fn cluster(&self) -> Option<String> {
        let current = self.kubeconfig.current_context.as_ref()?;
        let contexts = self.kubeconfig.contexts.iter();
        let context = contexts
            .filter(|named| named.name == *current)
            .find_map(|n| n.context.as_ref());
        context.map(|context| context.cluster.clone())
    }

    /// The cluster's certificate authority in PEM, as `credential-get` shows it.
    fn certificates(&self) -> Vec<String> {
        let name = self.cluster();
        let clusters = self.kubeconfig.clusters.iter();
        let cluster = clusters
            .filter(|named| Some(&named.name) == name.as_ref())
            .find_map(|n| n.cluster.as_ref());
        let Some(cluster) = cluster else {
            return Vec::new();
        };
        let inline = cluster
            .certificate_authority_data
            .as_ref()
            .and_then(|data| {
                serde_json::from_value::<k8s_openapi::ByteString>(data.clone().into()).ok()
            });
        let file = cluster
            .certificate_authority
            .as_ref()
            .and_then(|path| std::fs::read(path).ok());
        let pem = inline.map(|bytes| bytes.0).or(file);
        pem.map(|pem| String::from_utf8_lossy(&pem).into_owned())
            .into_iter()
            .collect()
    }
}

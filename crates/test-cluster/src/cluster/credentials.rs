//! Who may speak to the API server, and how the API server proves who it is.

use std::fs;
use std::io::Read;
use std::net::IpAddr;
use std::path::Path;

use anyhow::{Context, Result};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use serde_json::{Value, json};

/// A certificate authority made for one cluster.
pub(super) struct Authority {
    certificate: String,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate and its key, in PEM.
pub(super) struct Identity {
    pub(super) certificate: String,
    pub(super) key: String,
}

impl Authority {
    pub(super) fn new() -> Result<Self> {
        let mut params = CertificateParams::default();
        params
            .distinguished_name
            .push(DnType::CommonName, "test-cluster");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![
            KeyUsagePurpose::KeyCertSign,
            KeyUsagePurpose::DigitalSignature,
        ];
        let key = KeyPair::generate()?;
        let certificate = params.self_signed(&key)?.pem();
        Ok(Self {
            certificate,
            issuer: Issuer::new(params, key),
        })
    }

    /// The authority's own certificate, in PEM.
    pub(super) fn certificate(&self) -> &str {
        &self.certificate
    }

    /// An identity for a server with these host names and addresses.
    pub(super) fn server(&self, names: &[&str], addresses: &[IpAddr]) -> Result<Identity> {
        let names: Vec<String> = names
            .iter()
            .map(ToString::to_string)
            .chain(addresses.iter().map(ToString::to_string))
            .collect();
        let mut params = CertificateParams::new(names)?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.sign(&params)
    }

    fn sign(&self, params: &CertificateParams) -> Result<Identity> {
        let key = KeyPair::generate()?;
        Ok(Identity {
            certificate: params.signed_by(&key, &self.issuer)?.pem(),
            key: key.serialize_pem(),
        })
    }
}

/// A new private key and its public key, both in PEM.
pub(super) fn key_pair() -> Result<(String, String)> {
    let key = KeyPair::generate()?;
    Ok((key.serialize_pem(), key.public_key_pem()))
}

/// A bearer token that cannot be guessed, because other users of the machine can reach the API
/// server.
pub(super) fn token() -> Result<String> {
    let mut bytes = [0; 16];
    fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(format!("{:032x}", u128::from_ne_bytes(bytes)))
}

/// What a kubeconfig file says.
pub(super) struct Kubeconfig<'a> {
    pub(super) server: &'a str,
    /// The certificate authority of the server: a file.
    pub(super) authority: &'a Path,
    pub(super) user: &'a str,
    pub(super) token: &'a str,
    pub(super) namespace: &'a str,
}

impl Kubeconfig<'_> {
    pub(super) fn write(&self, path: &Path) -> Result<()> {
        let content: Value = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{
                "name": "test-cluster",
                "cluster": {"server": self.server, "certificate-authority": self.authority},
            }],
            "users": [{"name": self.user, "user": {"token": self.token}}],
            "contexts": [{
                "name": "test-cluster",
                "context": {
                    "cluster": "test-cluster",
                    "user": self.user,
                    "namespace": self.namespace,
                },
            }],
            "current-context": "test-cluster",
        });
        fs::write(path, serde_yaml::to_string(&content)?)
            .with_context(|| format!("cannot write {}", path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_differ() {
        let (one, two) = (token().unwrap(), token().unwrap());
        assert_eq!(one.len(), 32);
        assert_ne!(one, two);
    }

    #[test]
    fn a_kubeconfig_names_the_authority_and_never_skips_the_check() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kubeconfig");
        Kubeconfig {
            server: "https://127.0.2.1:6443",
            authority: Path::new("/some/ca.crt"),
            user: "admin",
            token: "secret",
            namespace: "default",
        }
        .write(&path)
        .unwrap();
        let text = fs::read_to_string(path).unwrap();
        assert!(!text.contains("insecure"), "{text}");
        let value: Value = serde_yaml::from_str(&text).unwrap();
        let cluster = &value["clusters"][0]["cluster"];
        assert_eq!(cluster["certificate-authority"], "/some/ca.crt");
        assert_eq!(cluster["server"], "https://127.0.2.1:6443");
    }
}

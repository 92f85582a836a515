//! The private keys of this unit, which Juju keeps as a secret of the unit.

use juju::names::SecretId;
use juju::secret::{
    Revision, SecretAnswer, SecretContent, SecretOptions, SecretOwner, SecretReference,
};

use k8s_openapi::jiff::Timestamp;

use super::Charm;
use crate::certificates::{Algorithm, PrivateKey};
use crate::endpoints::{self, Known, Relations, UnitKeys};

/// The secret's label: the one that the Python charm gave it (`cert_handler` v1 of
/// `observability_libs`), so that its key, and with it the certificate, stays.
const LABEL: &str = "cert-handler-private-vault";
/// Where the secret has the key.
const CURRENT: &str = "private-key";
/// Where it has the key before that.
const PREVIOUS: &str = "previous-private-key";

/// Whether a unit takes a new key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyChange {
    /// In no case: nothing may be changed.
    Never,
    /// When it needs one.
    AsNeeded,
    /// Now, of this kind; where there is none, of the same kind as the one that it has.
    Now(Option<Algorithm>),
}

impl Charm {
    /// Reads the keys of this unit, and makes and keeps the one that it lacks. Without a relation
    /// that needs them nothing is read.
    ///
    /// # Errors
    /// A hook tool that fails.
    pub(super) fn keys(
        &self,
        relations: &Relations,
        now: Timestamp,
        change: KeyChange,
    ) -> anyhow::Result<UnitKeys> {
        if !endpoints::need_keys(relations) {
            return Ok(UnitKeys::default());
        }
        let kept = self.kept_keys()?;
        let known = Known { keys: &kept, now };
        let same = kept
            .current
            .as_ref()
            .map_or(Algorithm::Rsa, PrivateKey::algorithm);
        let keys = match change {
            KeyChange::Never => kept.clone(),
            KeyChange::AsNeeded => {
                endpoints::keys(relations, &known, || PrivateKey::generate(same))?
            }
            KeyChange::Now(algorithm) => {
                let key = PrivateKey::generate(algorithm.unwrap_or(same))?;
                endpoints::replace_key(relations, &known, key)
            }
        };
        if keys != kept {
            self.keep_keys(&keys)?;
        }
        Ok(keys)
    }

    fn kept_keys(&self) -> anyhow::Result<UnitKeys> {
        let secret = SecretReference::Label(LABEL.to_owned());
        let SecretAnswer::Content(content) = self.tools.secret(&secret, Revision::Peek)? else {
            return Ok(UnitKeys::default());
        };
        let key = |name| {
            let read = PrivateKey::from_pem(content.get(name)?);
            read.inspect_err(|why| tracing::warn!("{name} of the secret {LABEL} {why}"))
                .ok()
        };
        Ok(UnitKeys {
            current: key(CURRENT),
            previous: key(PREVIOUS),
        })
    }

    fn keep_keys(&self, keys: &UnitKeys) -> anyhow::Result<()> {
        let values = [(CURRENT, &keys.current), (PREVIOUS, &keys.previous)];
        let values = values.into_iter().filter_map(|(name, key)| {
            let text = key.as_ref()?.pem().to_owned();
            Some((name.to_owned(), text))
        });
        let content = SecretContent::new(values)?;
        let label = SecretReference::Label(LABEL.to_owned());
        let known: Option<SecretId> = self.tools.secret_info(&label)?.map(|(id, _)| id);
        let options = SecretOptions::default();
        if let Some(id) = known {
            self.tools.set_secret(&id, Some(&content), &options)?;
        } else {
            let options = SecretOptions {
                label: Some(LABEL.to_owned()),
                description: Some("Private keys of the ingress gateway's certificate".to_owned()),
                ..options
            };
            let _ = self
                .tools
                .add_secret(&content, SecretOwner::Unit, &options)?;
        }
        Ok(())
    }
}

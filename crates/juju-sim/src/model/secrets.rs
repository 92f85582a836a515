//! Secrets of the person at the command line.

use std::collections::BTreeMap;

use super::Model;
use crate::state::secret::{Grant, Owner, Secret, parse_uri, valid_key};
use crate::{Error, clock};

impl Model {
    /// Adds a secret and returns `secret:ID`, the value for an option of type secret
    /// (`juju add-secret NAME key=value...`).
    ///
    /// # Errors
    /// [`Error::Refused`] for a taken name, no content, or a key that Juju does not accept.
    pub fn add_secret(&mut self, name: &str, content: &[(&str, &str)]) -> Result<String, Error> {
        if self.user_secret(name).is_some() {
            return Err(Error::refused(format!(
                "secret with name \"{name}\" already exists"
            )));
        }
        let content = check_content(content)?;
        let id = clock::secret_id();
        let secret = Secret {
            id: id.clone(),
            owner: Owner::User,
            label: Some(name.to_owned()),
            description: None,
            rotate: None,
            expire: None,
            revisions: BTreeMap::from([(1, content)]),
            grants: BTreeMap::new(),
        };
        self.state.secrets.insert(id.clone(), secret);
        Ok(format!("secret:{id}"))
    }

    /// Adds a revision; units that have read the secret run `secret-changed`.
    ///
    /// # Errors
    /// [`Error::Refused`] if there is no such secret, or for content as in [`Model::add_secret`].
    pub fn update_secret(&mut self, name: &str, content: &[(&str, &str)]) -> Result<(), Error> {
        let content = check_content(content)?;
        let secret = self.user_secret_mut(name)?;
        let latest = secret.latest();
        if secret.revisions.get(&latest) != Some(&content) {
            secret.revisions.insert(latest + 1, content);
        }
        Ok(())
    }

    /// Lets an application read a secret.
    ///
    /// # Errors
    /// [`Error::Refused`] if there is no such secret or application.
    pub fn grant_secret(&mut self, name: &str, application: &str) -> Result<(), Error> {
        self.application(application)?;
        let secret = self.user_secret_mut(name)?;
        secret
            .grants
            .insert(application.to_owned(), Grant { relation: None });
        Ok(())
    }

    /// Takes the right to read a secret away.
    ///
    /// # Errors
    /// [`Error::Refused`] if there is no such secret or application.
    pub fn revoke_secret(&mut self, name: &str, application: &str) -> Result<(), Error> {
        self.application(application)?;
        self.user_secret_mut(name)?.grants.remove(application);
        Ok(())
    }

    /// Removes a secret with all its revisions.
    ///
    /// # Errors
    /// [`Error::Refused`] if there is no such secret.
    pub fn remove_secret(&mut self, name: &str) -> Result<(), Error> {
        let id = self.user_secret_mut(name)?.id.clone();
        self.state.secrets.remove(&id);
        Ok(())
    }

    /// By name or URI.
    fn user_secret(&self, name: &str) -> Option<&Secret> {
        let id = parse_uri(name);
        self.state.secrets.values().find(|secret| {
            secret.owner == Owner::User
                && (secret.label.as_deref() == Some(name) || Some(&secret.id) == id.as_ref())
        })
    }

    fn user_secret_mut(&mut self, name: &str) -> Result<&mut Secret, Error> {
        let id = self.user_secret(name).map(|secret| secret.id.clone());
        id.and_then(|id| self.state.secrets.get_mut(&id))
            .ok_or_else(|| Error::refused(format!("secret \"{name}\" not found")))
    }
}

fn check_content(content: &[(&str, &str)]) -> Result<BTreeMap<String, String>, Error> {
    if content.is_empty() {
        return Err(Error::refused("missing secret value or filename"));
    }
    if let Some((key, _)) = content.iter().find(|(key, _)| !valid_key(key)) {
        return Err(Error::refused(format!("key \"{key}\" not valid")));
    }
    Ok(content
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect())
}

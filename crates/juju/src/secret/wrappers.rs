//! The hook tools for secrets.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::de::Error as _;
use serde_json::Value;
use tempfile::NamedTempFile;

use super::{
    Revision, RotatePolicy, SecretAnswer, SecretContent, SecretGrantee, SecretInfo, SecretOptions,
    SecretOwner, SecretReference,
};
use crate::names::{ApplicationName, SecretId};
use crate::tools::{HookTools, ToolCommand, ToolError, WriteOutcome};

impl HookTools {
    /// Reads a secret (`secret-get`).
    ///
    /// # Errors
    /// When the tool fails for any reason other than a secret that does not exist or is not
    /// granted.
    pub fn secret(
        &self,
        secret: &SecretReference,
        revision: Revision,
    ) -> Result<SecretAnswer, ToolError> {
        let command = reference(ToolCommand::new("secret-get"), secret).json();
        let command = match revision {
            Revision::Tracked => command,
            Revision::Peek => command.arg("--peek"),
            Revision::Refresh => command.arg("--refresh"),
        };
        let answer = match self.run_json::<Value>(&command) {
            Ok(answer) => answer,
            Err(error) if error.is_permission_denied() => return Ok(SecretAnswer::NotGranted),
            Err(error) if error.is_not_found() => return Ok(SecretAnswer::NotFound),
            Err(error) => return Err(error),
        };
        let content = texts(answer).ok_or_else(|| ToolError::Answer {
            command: command.to_string(),
            // Not serde's own error, which would quote the value.
            source: serde_json::Error::custom("a secret is a map of texts"),
        })?;
        for value in content.values() {
            self.hide(value);
        }
        Ok(SecretAnswer::Content(SecretContent(content)))
    }

    /// Adds a secret (`secret-add`) when the hook succeeds; its id can be used immediately.
    ///
    /// # Errors
    /// When the tool fails, with [`ToolError::is_not_leader`] when the application is to own it
    /// and this unit is not the leader.
    pub fn add_secret(
        &self,
        content: &SecretContent,
        owner: SecretOwner,
        options: &SecretOptions,
    ) -> Result<SecretId, ToolError> {
        let owner = match owner {
            SecretOwner::Application => "application",
            SecretOwner::Unit => "unit",
        };
        let command = describe(ToolCommand::new("secret-add"), options)
            .arg("--owner")
            .arg(owner);
        let (command, files) = self.with_content(command, content)?;
        let printed = self.run(&command);
        drop(files);
        let printed = printed?;
        printed.trim().parse().map_err(|error| ToolError::Answer {
            command: command.to_string(),
            source: serde_json::Error::custom(error),
        })
    }

    /// Changes a secret (`secret-set`) when the hook succeeds: a new revision, or only its
    /// description when there is no content.
    ///
    /// # Errors
    /// When the tool fails. Juju may refuse an unknown secret only when the hook ends.
    pub fn set_secret(
        &self,
        secret: &SecretId,
        content: Option<&SecretContent>,
        options: &SecretOptions,
    ) -> Result<(), ToolError> {
        let command = describe(ToolCommand::new("secret-set").arg(secret), options);
        let (command, files) = match content {
            Some(content) => self.with_content(command, content)?,
            None => (command, Vec::new()),
        };
        let result = self.run(&command);
        drop(files);
        result.map(drop)
    }

    /// The id of a secret, and what Juju shows its owner about it (`secret-info-get`).
    ///
    /// # Errors
    /// When the tool fails; `None` when there is no such secret, or this charm does not own it.
    pub fn secret_info(
        &self,
        secret: &SecretReference,
    ) -> Result<Option<(SecretId, SecretInfo)>, ToolError> {
        let command = reference(ToolCommand::new("secret-info-get"), secret).json();
        match self.run_json::<BTreeMap<SecretId, SecretInfo>>(&command) {
            Ok(secrets) => Ok(secrets.into_iter().next()),
            Err(error) if error.is_not_found() || error.is_permission_denied() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The secrets that this unit, and as leader the application, owns (`secret-ids`).
    ///
    /// # Errors
    /// When the tool fails.
    pub fn secret_ids(&self) -> Result<Vec<SecretId>, ToolError> {
        let ids: Option<Vec<SecretId>> = self.run_json(&ToolCommand::new("secret-ids").json())?;
        Ok(ids.unwrap_or_default())
    }

    /// Lets others read a secret (`secret-grant`) when the hook succeeds.
    ///
    /// # Errors
    /// When the tool fails; a relation that is gone is not a failure.
    pub fn grant_secret(
        &self,
        secret: &SecretId,
        grantee: &SecretGrantee,
    ) -> Result<WriteOutcome, ToolError> {
        self.share(ToolCommand::new("secret-grant").arg(secret), grantee)
    }

    /// Takes a grant back (`secret-revoke`) when the hook succeeds.
    ///
    /// # Errors
    /// When the tool fails; a relation that is gone is not a failure.
    pub fn revoke_secret(
        &self,
        secret: &SecretId,
        grantee: &SecretGrantee,
    ) -> Result<WriteOutcome, ToolError> {
        self.share(ToolCommand::new("secret-revoke").arg(secret), grantee)
    }

    /// Takes back every grant of a secret to one application (`secret-revoke --app`).
    ///
    /// # Errors
    /// When the tool fails.
    pub fn revoke_secret_from_application(
        &self,
        secret: &SecretId,
        application: &ApplicationName,
    ) -> Result<(), ToolError> {
        let command = ToolCommand::new("secret-revoke").arg(secret);
        self.run(&command.arg("--app").arg(application)).map(drop)
    }

    fn share(
        &self,
        command: ToolCommand,
        grantee: &SecretGrantee,
    ) -> Result<WriteOutcome, ToolError> {
        let command = match grantee {
            SecretGrantee::Relation(relation) => command.arg("-r").arg(relation),
            SecretGrantee::Unit(relation, unit) => {
                command.arg("-r").arg(relation).arg("--unit").arg(unit)
            }
        };
        match self.run(&command) {
            Ok(_) => Ok(WriteOutcome::Written),
            Err(error) if error.says_relation_not_found() => Ok(WriteOutcome::RelationGone),
            Err(error) => Err(error),
        }
    }

    /// Removes a secret, or one revision of it (`secret-remove`), when the hook succeeds.
    ///
    /// # Errors
    /// When the tool fails; a secret that is not there is not a failure.
    pub fn remove_secret(
        &self,
        secret: &SecretId,
        revision: Option<u32>,
    ) -> Result<WriteOutcome, ToolError> {
        let mut command = ToolCommand::new("secret-remove").arg(secret);
        if let Some(revision) = revision {
            command = command.arg("--revision").arg(&revision);
        }
        match self.run(&command) {
            Ok(_) => Ok(WriteOutcome::Written),
            Err(error) if error.is_not_found() => Ok(WriteOutcome::Unchanged),
            Err(error) => Err(error),
        }
    }

    /// Adds one `key#file=path` argument per value. The files are deleted when they are dropped.
    fn with_content(
        &self,
        mut command: ToolCommand,
        content: &SecretContent,
    ) -> Result<(ToolCommand, Vec<NamedTempFile>), ToolError> {
        let mut files = Vec::new();
        for (key, value) in &content.0 {
            self.hide(value);
            let file = self
                .private_file(value)
                .map_err(|source| ToolError::Start {
                    command: format!("{}, whose temporary file for {key}", command.tool()),
                    source,
                })?;
            command = command.arg(&format!("{key}#file={}", file.path().display()));
            files.push(file);
        }
        Ok((command, files))
    }

    /// A file of mode 0600, which is what `tempfile` makes on Unix.
    fn private_file(&self, content: &str) -> io::Result<NamedTempFile> {
        let mut file = tempfile::Builder::new()
            .prefix("juju-value-")
            .tempfile_in(self.temporary_directory())?;
        file.write_all(content.as_bytes())?;
        Ok(file)
    }
}

fn reference(command: ToolCommand, secret: &SecretReference) -> ToolCommand {
    match secret {
        SecretReference::Id(id) => command.arg(id),
        SecretReference::Label(label) => command.arg("--label").arg(label),
    }
}

fn describe(command: ToolCommand, options: &SecretOptions) -> ToolCommand {
    let SecretOptions {
        label,
        description,
        rotate,
        expire,
    } = options;
    let flags = [
        ("--label", label.as_deref()),
        ("--description", description.as_deref()),
        ("--rotate", rotate.map(RotatePolicy::name)),
        ("--expire", expire.as_deref()),
    ];
    flags
        .into_iter()
        .fold(command, |command, (flag, value)| match value {
            Some(value) => command.arg(flag).arg(value),
            None => command,
        })
}

fn texts(answer: Value) -> Option<BTreeMap<String, String>> {
    let Value::Object(map) = answer else {
        return None;
    };
    let text = |(key, value)| match value {
        Value::String(text) => Some((key, text)),
        _ => None,
    };
    map.into_iter().map(text).collect()
}

//! Secrets that Juju keeps: of this charm, of others, of users.
//!
//! Values go to the tools through files that only this user can read, never through arguments, and
//! every value that passes here is masked in later log lines, statuses and errors.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write};

use serde::Deserialize;
use serde_json::Value;
use tempfile::NamedTempFile;

use crate::names::{ApplicationName, RelationId, SecretId, UnitName};
use crate::tools::{HookTools, ToolCommand, ToolError, WriteOutcome};

/// The keys and values of one revision of a secret. Printing it shows the keys only.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct SecretContent(BTreeMap<String, String>);

impl SecretContent {
    /// Content for a new secret or revision.
    ///
    /// # Errors
    /// Names the first key that Juju would refuse: keys have at least 3 characters, lower-case
    /// letters, digits and hyphens, a letter first, a letter or digit last.
    pub fn new(
        values: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, InvalidSecretKey> {
        let values: BTreeMap<_, _> = values.into_iter().collect();
        match values.keys().find(|key| !is_secret_key(key)) {
            Some(key) => Err(InvalidSecretKey(key.clone())),
            None => Ok(Self(values)),
        }
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// The keys.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

impl fmt::Debug for SecretContent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}

/// A key that Juju would refuse.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no key for a secret: at least 3 of lower-case letters, digits and hyphens, a letter \
     first, a letter or digit last"
)]
pub struct InvalidSecretKey(pub String);

fn is_secret_key(key: &str) -> bool {
    let bytes = key.as_bytes();
    bytes.len() >= 3
        && bytes[0].is_ascii_lowercase()
        && bytes[bytes.len() - 1] != b'-'
        && bytes
            .iter()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

/// Names a secret: by id, or by the label that this unit or application gave to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretReference {
    /// By its id.
    Id(SecretId),
    /// By its label.
    Label(String),
}

/// Which revision of a secret to read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Revision {
    /// The one that this unit follows; the newest when it reads the secret for the first time.
    #[default]
    Tracked,
    /// The newest, without following it.
    Peek,
    /// The newest, which is followed from now on.
    Refresh,
}

/// The answer to reading a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretAnswer {
    /// Its content.
    Content(SecretContent),
    /// There is no such secret.
    NotFound,
    /// It is not granted to this application: `juju grant-secret` is missing.
    NotGranted,
}

/// Who owns a new secret.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SecretOwner {
    /// The application; only the leader may add and change it.
    #[default]
    Application,
    /// This unit.
    Unit,
}

/// How often Juju asks the owner for a new revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RotatePolicy {
    /// Never.
    Never,
    /// Every hour.
    Hourly,
    /// Every day.
    Daily,
    /// Every week.
    Weekly,
    /// Every month.
    Monthly,
    /// Every three months.
    Quarterly,
    /// Every year.
    Yearly,
}

impl RotatePolicy {
    fn name(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::Hourly => "hourly",
            Self::Daily => "daily",
            Self::Weekly => "weekly",
            Self::Monthly => "monthly",
            Self::Quarterly => "quarterly",
            Self::Yearly => "yearly",
        }
    }
}

/// What describes a secret; `None` leaves it as it is, or at Juju's default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecretOptions {
    /// The owner's own name for it.
    pub label: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// How often to renew it.
    pub rotate: Option<RotatePolicy>,
    /// When it expires: a time as in RFC 3339, or a Go duration such as `24h`.
    pub expire: Option<String>,
}

/// What Juju tells an owner about a secret.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct SecretInfo {
    /// The newest revision.
    pub revision: u32,
    /// The owner's label; may be empty.
    #[serde(default)]
    pub label: String,
    /// `application` or `unit`.
    pub owner: String,
    /// What it is for; may be empty.
    #[serde(default)]
    pub description: String,
    /// How often it is renewed; empty for never.
    #[serde(default)]
    pub rotation: String,
}

/// Who is given a secret, or loses it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretGrantee {
    /// The remote application of a relation, as long as the relation lasts.
    Relation(RelationId),
    /// One unit of it.
    Unit(RelationId, UnitName),
}

impl HookTools {
    /// Reads a secret (`secret-get`).
    ///
    /// # Errors
    /// When the tool fails for another reason than that the secret is not there or not granted.
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
            // Not serde's own error: that would quote the value.
            source: serde::de::Error::custom("a secret is a map of texts"),
        })?;
        for value in content.values() {
            self.hide(value);
        }
        Ok(SecretAnswer::Content(SecretContent(content)))
    }

    /// Adds a secret (`secret-add`) when the hook succeeds; its id is good at once.
    ///
    /// # Errors
    /// When the tool fails, with [`ToolError::is_not_leader`] when the application shall own it and
    /// this unit is not the leader.
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
            source: serde::de::Error::custom(error),
        })
    }

    /// Changes a secret (`secret-set`) when the hook succeeds: a new revision, or only what describes
    /// it when there is no content.
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

    /// What Juju tells the owner about a secret (`secret-info-get`).
    ///
    /// # Errors
    /// When the tool fails; `None` when there is no such secret, or this charm does not own it.
    pub fn secret_info(&self, secret: &SecretReference) -> Result<Option<SecretInfo>, ToolError> {
        let command = reference(ToolCommand::new("secret-info-get"), secret).json();
        match self.run_json::<BTreeMap<String, SecretInfo>>(&command) {
            Ok(secrets) => Ok(secrets.into_values().next()),
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
    /// When the tool fails; a relation that is gone is no failure.
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
    /// When the tool fails; a relation that is gone is no failure.
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
    /// When the tool fails; a secret that is not there is no failure.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn content(key: &str) -> Result<SecretContent, InvalidSecretKey> {
        SecretContent::new([(key.to_owned(), "hunter2".to_owned())])
    }

    #[test]
    fn keys_are_those_that_juju_takes() {
        for good in ["key-one", "abc", "a12"] {
            assert!(content(good).is_ok(), "{good}");
        }
        for bad in ["", "ab", "UPPER", "1ab", "-ab", "ab-", "a_b", "a.b", "a=b"] {
            assert_eq!(content(bad), Err(InvalidSecretKey(bad.to_owned())));
        }
    }

    #[test]
    fn printing_shows_keys_only() {
        assert_eq!(
            format!("{:?}", content("key-one").unwrap()),
            "{\"key-one\"}"
        );
    }

    #[test]
    fn what_the_owner_is_told_is_read() {
        // Juju 4.0.15
        let printed = r#"{"jtev7r62i7q37irehseg":{"revision":1,"label":"mine","owner":"unit"}}"#;
        let secrets: BTreeMap<String, SecretInfo> = serde_json::from_str(printed).unwrap();
        let info = &secrets["jtev7r62i7q37irehseg"];
        assert_eq!((info.revision, info.label.as_str()), (1, "mine"));
    }
}

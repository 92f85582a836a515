//! Actions: what a user runs with `juju run`.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::tools::{HookTools, MAX_ARGUMENT_LENGTH, ToolCommand, ToolError};

/// The results of an action, checked as Juju checks them.
///
/// Keys are in kebab-case; dots make a tree (`workload.name`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ActionResults(BTreeMap<String, String>);

/// A result that Juju would refuse.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ActionResultError {
    /// The key does not have the form that Juju accepts.
    #[error(
        "{0:?} is not a key for an action result: use lower-case letters, digits and inner hyphens"
    )]
    Key(String),
    /// Juju itself uses this key.
    #[error("{0:?} is not a key for an action result: Juju uses it for the charm's own output")]
    Reserved(String),
    /// One key would be both a value and a branch of the tree.
    #[error("the action results {0:?} and {1:?} exclude each other")]
    Clash(String, String),
    /// The value cannot be handed to the tool.
    #[error("the action result {key:?} cannot be given to Juju: {problem}")]
    Value {
        /// The key.
        key: String,
        /// Why not.
        problem: &'static str,
    },
}

impl ActionResults {
    /// No results yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a result; one of the same key is replaced.
    ///
    /// # Errors
    /// When Juju would refuse the key, or the value is longer than an argument can be (128 KiB).
    pub fn insert(&mut self, key: &str, value: impl Into<String>) -> Result<(), ActionResultError> {
        check_key(key)?;
        let value = value.into();
        let problem = if key.len() + 1 + value.len() > MAX_ARGUMENT_LENGTH {
            Some("it is longer than 128 KiB")
        } else if value.contains('\0') {
            Some("it has a zero byte")
        } else {
            None
        };
        if let Some(problem) = problem {
            return Err(ActionResultError::Value {
                key: key.to_owned(),
                problem,
            });
        }
        let is_branch = |outer: &str, inner: &str| {
            inner
                .strip_prefix(outer)
                .is_some_and(|rest| rest.starts_with('.'))
        };
        if let Some(other) = self
            .0
            .keys()
            .find(|other| is_branch(other, key) || is_branch(key, other))
        {
            return Err(ActionResultError::Clash(key.to_owned(), other.clone()));
        }
        self.0.insert(key.to_owned(), value);
        Ok(())
    }

    /// All results by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn check_key(key: &str) -> Result<(), ActionResultError> {
    let is_inner = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    for segment in key.split('.') {
        let bytes = segment.as_bytes();
        let is_framed = bytes.first().is_some_and(is_inner) && bytes.last().is_some_and(is_inner);
        if !is_framed || !bytes.iter().all(|byte| is_inner(byte) || *byte == b'-') {
            return Err(ActionResultError::Key(key.to_owned()));
        }
    }
    if matches!(
        key,
        "stdout" | "stderr" | "stdout-encoding" | "stderr-encoding"
    ) {
        return Err(ActionResultError::Reserved(key.to_owned()));
    }
    Ok(())
}

impl HookTools {
    /// The parameters of the running action (`action-get`), with defaults filled in, as the charm's
    /// own type.
    ///
    /// # Errors
    /// When the tool fails, with [`ToolError::is_not_an_action`] in a hook, or when the parameters
    /// do not fit the type.
    pub fn action_parameters<T: DeserializeOwned>(&self) -> Result<T, ToolError> {
        let command = ToolCommand::new("action-get").json();
        let parameters = match self.run_json::<Value>(&command)? {
            Value::Null => Value::Object(serde_json::Map::new()),
            parameters => parameters,
        };
        T::deserialize(parameters).map_err(|source| ToolError::Answer {
            command: command.to_string(),
            source,
        })
    }

    /// Reports results (`action-set`), in addition to those reported before.
    ///
    /// # Errors
    /// When the tool fails.
    pub fn set_action_results(&self, results: &ActionResults) -> Result<(), ToolError> {
        // A process takes about 2 MiB of arguments in all; one batch stays far below that.
        const BATCH: usize = 8 * MAX_ARGUMENT_LENGTH;
        let mut batch = Vec::new();
        let mut length = 0;
        for (key, value) in results.iter() {
            let argument = format!("{key}={value}");
            if length + argument.len() > BATCH {
                self.run(&ToolCommand::new("action-set").args(std::mem::take(&mut batch)))?;
                length = 0;
            }
            length += argument.len();
            batch.push(argument);
        }
        if batch.is_empty() {
            return Ok(());
        }
        self.run(&ToolCommand::new("action-set").args(batch))
            .map(drop)
    }

    /// Marks the action as failed (`action-fail`). It does not end the process, and what the action
    /// wrote is kept if the exit code is 0.
    ///
    /// # Errors
    /// When the tool fails.
    pub fn fail_action(&self, message: &str) -> Result<(), ToolError> {
        self.run(&ToolCommand::new("action-fail").text(&self.one_argument(message)))
            .map(drop)
    }

    /// Shows the user what the action is doing (`action-log`), immediately.
    ///
    /// # Errors
    /// When the tool fails.
    pub fn log_action_progress(&self, message: &str) -> Result<(), ToolError> {
        self.run(&ToolCommand::new("action-log").text(&self.one_argument(message)))
            .map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_those_that_juju_takes() {
        let mut results = ActionResults::new();
        for good in ["a.b", "result-x", "0", "bin-dir.path2"] {
            results.insert(good, "x").unwrap();
        }
        for bad in ["", "BAD", "a_b", "-a", "a-", "a.", ".a", "a..b", "a b", "ä"] {
            let error = results.insert(bad, "x").unwrap_err();
            assert_eq!(error, ActionResultError::Key(bad.to_owned()));
        }
        for reserved in ["stdout", "stderr", "stdout-encoding", "stderr-encoding"] {
            let error = results.insert(reserved, "x").unwrap_err();
            assert_eq!(error, ActionResultError::Reserved(reserved.to_owned()));
        }
        assert_eq!(results.iter().count(), 4);
    }

    #[test]
    fn a_key_is_a_value_or_a_branch() {
        let mut results = ActionResults::new();
        results.insert("a.b", "x").unwrap();
        results.insert("a-b", "x").unwrap();
        assert!(matches!(
            results.insert("a", "x"),
            Err(ActionResultError::Clash(..))
        ));
        assert!(matches!(
            results.insert("a.b.c", "x"),
            Err(ActionResultError::Clash(..))
        ));
        results.insert("a.b", "replaced").unwrap();
        results.insert("a.bc", "x").unwrap();
    }

    #[test]
    fn values_must_fit_an_argument() {
        let mut results = ActionResults::new();
        results
            .insert("k", "x".repeat(MAX_ARGUMENT_LENGTH - 2))
            .unwrap();
        assert!(
            results
                .insert("k", "x".repeat(MAX_ARGUMENT_LENGTH - 1))
                .is_err()
        );
        assert!(results.insert("k", "a\0b").is_err());
    }
}

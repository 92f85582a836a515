//! The application's configuration.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::names::{InvalidName, SecretId};
use crate::tools::{HookTools, ToolCommand, ToolError};

/// The options of config.yaml with their values; those with neither value nor default are absent.
///
/// Juju checks the types: an option of a type other than the one requested here is a mistake of
/// the charm against its own config.yaml, and reads as absent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config(Map<String, Value>);

impl Config {
    /// The values as `config-get --format=json` prints them.
    pub fn new(values: Map<String, Value>) -> Self {
        Self(
            values
                .into_iter()
                .filter(|(_, value)| !value.is_null())
                .collect(),
        )
    }

    /// The value of an option of any type.
    pub fn get(&self, option: &str) -> Option<&Value> {
        self.0.get(option)
    }

    /// An option of type `string`; it may be empty.
    pub fn text(&self, option: &str) -> Option<&str> {
        self.get(option)?.as_str()
    }

    /// An option of type `boolean`.
    pub fn boolean(&self, option: &str) -> Option<bool> {
        self.get(option)?.as_bool()
    }

    /// An option of type `int`.
    pub fn integer(&self, option: &str) -> Option<i64> {
        self.get(option)?.as_i64()
    }

    /// An option of type `float`; a whole number counts too.
    pub fn float(&self, option: &str) -> Option<f64> {
        self.get(option)?.as_f64()
    }

    /// An option of type `secret`; empty counts as unset.
    ///
    /// # Errors
    /// When the value is not a secret id.
    pub fn secret(&self, option: &str) -> Result<Option<SecretId>, InvalidName> {
        match self.text(option) {
            None | Some("") => Ok(None),
            Some(text) => text.parse().map(Some),
        }
    }

    /// All options as the charm's own type.
    ///
    /// # Errors
    /// When the values do not fit the type; the error names the option.
    pub fn deserialize<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        T::deserialize(Value::Object(self.0.clone()))
    }

    /// All options by name.
    pub fn values(&self) -> &Map<String, Value> {
        &self.0
    }
}

impl HookTools {
    /// The configuration, read once per hook (`config-get`): Juju shows one hook one configuration.
    ///
    /// # Errors
    /// When the tool fails.
    pub fn config(&self) -> Result<Arc<Config>, ToolError> {
        if let Some(config) = &self.cache().config {
            return Ok(Arc::clone(config));
        }
        let values = self.run_json::<Option<_>>(&ToolCommand::new("config-get").json())?;
        let config = Arc::new(Config::new(values.unwrap_or_default()));
        self.cache().config = Some(Arc::clone(&config));
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> Config {
        // config-get --format=json --all of a Juju 4.0.15 unit
        let printed = r#"{"cni-bin-dir":"","cni-conf-dir":"/etc/cni/net.d","count":7,"flag":false,"ratio":0.5,"tls-secret-id":"secret:k5fo8pve76pgaih5eua0","unset-string":null}"#;
        Config::new(serde_json::from_str(printed).unwrap())
    }

    #[test]
    fn options_are_read_by_type() {
        let config = config();
        assert_eq!(config.text("cni-bin-dir"), Some(""));
        assert_eq!(config.text("cni-conf-dir"), Some("/etc/cni/net.d"));
        assert_eq!(config.integer("count"), Some(7));
        assert_eq!(config.boolean("flag"), Some(false));
        assert_eq!(config.float("ratio"), Some(0.5));
        let secret = config.secret("tls-secret-id").unwrap().unwrap();
        assert_eq!(secret.to_string(), "secret:k5fo8pve76pgaih5eua0");
    }

    #[test]
    fn null_and_unknown_options_are_absent() {
        let config = config();
        assert_eq!(config.get("unset-string"), None);
        assert_eq!(config.get("nosuch"), None);
        assert_eq!(config.secret("cni-bin-dir").unwrap(), None);
        assert!(config.secret("cni-conf-dir").is_err());
    }

    #[test]
    fn a_charm_can_have_its_own_type() {
        #[derive(serde::Deserialize)]
        #[serde(rename_all = "kebab-case")]
        struct Options {
            count: u32,
            unset_string: Option<String>,
        }
        let options: Options = config().deserialize().unwrap();
        assert_eq!((options.count, options.unset_string), (7, None));
    }
}

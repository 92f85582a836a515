//! What Juju passes to a charm when it runs it: the event, the unit, the model.
//!
//! Nothing here reads the process environment. The caller hands the variables over, which keeps
//! this pure and lets a test play any hook.

mod event;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

pub use event::{
    ActionEvent, Event, PebbleEvent, PebbleNotice, RelationChange, RelationEvent, SecretChange,
    SecretEvent, StorageChange, StorageEvent,
};

use crate::names::{ApplicationName, InvalidName, ModelName, ModelUuid, RelationId, UnitName};
use crate::version::JujuVersion;

/// The environment of one hook or action, read and checked.
#[derive(Clone, Debug)]
pub struct HookContext {
    /// Why the charm runs.
    pub event: Event,
    /// The unit that the charm runs for.
    pub unit: UnitName,
    /// The model of the unit.
    pub model: Model,
    /// The version of the agent; `None` when its form is not known here.
    pub juju_version: Option<JujuVersion>,
    /// Where the charm is unpacked; also the working directory of a hook.
    pub charm_directory: PathBuf,
    /// The version of the Kubernetes API server, as the controller saw it; may be out of date.
    pub cloud_api_version: Option<String>,
    /// The proxies that the model's configuration asks charms to use.
    pub proxies: Proxies,
    pub(crate) variables: Variables,
}

/// A model as its units see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    /// Its name; on Kubernetes normally also its namespace.
    pub name: ModelName,
    /// Its identity for its whole life.
    pub uuid: ModelUuid,
}

/// The model options `juju-http-proxy` and so on, for requests that leave the cluster.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Proxies {
    /// For http URLs.
    pub http: Option<String>,
    /// For https URLs.
    pub https: Option<String>,
    /// For ftp URLs.
    pub ftp: Option<String>,
    /// Hosts to reach directly, separated by commas.
    pub no_proxy: Option<String>,
}

impl fmt::Debug for Proxies {
    /// A proxy URL may hold a password, so only which ones are set is shown.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_set = |proxy: &Option<String>| if proxy.is_some() { "set" } else { "unset" };
        formatter
            .debug_struct("Proxies")
            .field("http", &is_set(&self.http))
            .field("https", &is_set(&self.https))
            .field("ftp", &is_set(&self.ftp))
            .field("no_proxy", &self.no_proxy)
            .finish()
    }
}

/// The environment is not one that Juju makes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ContextError {
    /// A variable that the event needs is absent or empty.
    #[error("environment variable {variable} is not set, which {needed_by} needs")]
    Missing {
        /// The variable's name.
        variable: &'static str,
        /// The hook, or `every hook`.
        needed_by: String,
    },
    /// A variable has a value that cannot be read.
    #[error("environment variable {variable} is wrong")]
    Invalid {
        /// The variable's name.
        variable: &'static str,
        /// What is wrong with it.
        source: InvalidName,
    },
}

impl HookContext {
    /// Reads the variables of a hook or action.
    ///
    /// The event comes from `JUJU_DISPATCH_PATH`; where that is not set, as when the charm was
    /// started through a link `hooks/<name>`, from `program_name`, the first argument of the
    /// process. Empty variables count as absent: Juju exports many of them empty.
    ///
    /// # Errors
    /// Names the variable that is missing or wrong. A hook not known here is not an error, it is
    /// [`Event::Unknown`].
    pub fn from_variables(
        variables: impl IntoIterator<Item = (String, String)>,
        program_name: &str,
    ) -> Result<Self, ContextError> {
        let variables = Variables::new(variables);
        let event = Event::from_variables(&variables, program_name)?;
        let every_hook = "every hook";
        let charm_directory = variables
            .get("JUJU_CHARM_DIR")
            .or_else(|| variables.get("CHARM_DIR"))
            .ok_or_else(|| missing("JUJU_CHARM_DIR", every_hook))?;
        let own = |name: &str| variables.get(name).map(str::to_owned);
        Ok(Self {
            event,
            unit: variables.parse("JUJU_UNIT_NAME", every_hook)?,
            model: Model {
                name: variables.parse("JUJU_MODEL_NAME", every_hook)?,
                uuid: variables.parse("JUJU_MODEL_UUID", every_hook)?,
            },
            juju_version: variables.get("JUJU_VERSION").and_then(JujuVersion::parse),
            charm_directory: PathBuf::from(charm_directory),
            cloud_api_version: own("CLOUD_API_VERSION"),
            proxies: Proxies {
                http: own("JUJU_CHARM_HTTP_PROXY"),
                https: own("JUJU_CHARM_HTTPS_PROXY"),
                ftp: own("JUJU_CHARM_FTP_PROXY"),
                no_proxy: own("JUJU_CHARM_NO_PROXY"),
            },
            variables,
        })
    }

    /// The application of this unit.
    pub fn application(&self) -> &ApplicationName {
        self.unit.application()
    }

    /// The relation that is going away, in a `relation-broken` hook.
    ///
    /// Juju still lists it and still lets its data be read then; state has to be computed as if
    /// it were gone, and nothing may be written to it.
    pub fn broken_relation(&self) -> Option<&RelationId> {
        match &self.event {
            Event::Relation(relation) if relation.change == RelationChange::Broken => {
                Some(&relation.id)
            }
            _ => None,
        }
    }

    /// The value of any variable that was handed over; `None` when absent or empty.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name)
    }
}

fn missing(variable: &'static str, needed_by: &str) -> ContextError {
    ContextError::Missing {
        variable,
        needed_by: needed_by.to_owned(),
    }
}

/// The non-empty variables.
#[derive(Clone)]
pub(crate) struct Variables(BTreeMap<String, String>);

impl Variables {
    fn new(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut variables: BTreeMap<_, _> = variables.into_iter().collect();
        variables.retain(|_, value| !value.is_empty());
        Self(variables)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    fn required(&self, variable: &'static str, needed_by: &str) -> Result<&str, ContextError> {
        self.get(variable)
            .ok_or_else(|| missing(variable, needed_by))
    }

    fn parse<T>(&self, variable: &'static str, needed_by: &str) -> Result<T, ContextError>
    where
        T: FromStr<Err = InvalidName>,
    {
        let text = self.required(variable, needed_by)?;
        text.parse()
            .map_err(|source| ContextError::Invalid { variable, source })
    }

    fn parse_optional<T>(&self, variable: &'static str) -> Result<Option<T>, ContextError>
    where
        T: FromStr<Err = InvalidName>,
    {
        self.get(variable)
            .map(|text| {
                text.parse()
                    .map_err(|source| ContextError::Invalid { variable, source })
            })
            .transpose()
    }
}

impl fmt::Debug for Variables {
    /// The values may hold credentials, so only the names are shown.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests;

//! Deploying, configuring, trusting, refreshing and removing applications.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::Model;
use crate::Error;
use crate::charm::{Charm, Role, options, valid_name};
use crate::state::{Application, Life, Relation, Side};

/// What to deploy, as in the arguments of `juju deploy`.
#[derive(Debug, Clone)]
pub struct Deployment {
    charm: PathBuf,
    name: Option<String>,
    config: Vec<(String, String)>,
    trusted: bool,
    units: u32,
}

impl Deployment {
    /// One unit of a charm: a `.charm` file, or a folder with the same content.
    pub fn of(charm: impl Into<PathBuf>) -> Self {
        Self {
            charm: charm.into(),
            name: None,
            config: Vec::new(),
            trusted: false,
            units: 1,
        }
    }

    /// The application's name, if it differs from the charm's.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets an option from the start.
    #[must_use]
    pub fn config(mut self, option: impl Into<String>, value: impl Into<String>) -> Self {
        self.config.push((option.into(), value.into()));
        self
    }

    /// Trusts the application (`--trust`).
    #[must_use]
    pub fn trusted(mut self) -> Self {
        self.trusted = true;
        self
    }

    /// The number of units (`-n`).
    #[must_use]
    pub fn units(mut self, units: u32) -> Self {
        self.units = units;
        self
    }
}

impl Model {
    /// Adds an application and returns its name. Its hooks are due then: `install`,
    /// `*-relation-created` of its peers, `leader-elected`, `config-changed`, `start`.
    ///
    /// # Errors
    /// [`Error::Charm`] if the charm cannot be read, [`Error::Refused`] for a bad or taken name
    /// and for configuration that the charm does not declare.
    pub fn deploy(&mut self, deployment: Deployment) -> Result<String, Error> {
        let staging = self.directory.join("charms").join("incoming");
        let mut charm = unpack(&deployment.charm, &staging)?;
        let name = deployment.name.unwrap_or_else(|| charm.name.clone());
        if !valid_name(&name) {
            return Err(Error::refused(format!(
                "invalid application name \"{name}\""
            )));
        }
        let taken = self.state.applications.contains_key(&name)
            || self.state.remote_applications.contains_key(&name);
        if taken {
            return Err(Error::refused(format!(
                "application \"{name}\" already exists"
            )));
        }
        let mut config = BTreeMap::new();
        for (option, value) in deployment.config {
            let parsed = options::parse(&charm.options, &option, &value).map_err(Error::Refused)?;
            config.insert(option, parsed);
        }
        self.keep_charm(&mut charm, &name, 0)?;
        if let Some(substrate) = &self.substrate {
            substrate.create_application(&name, deployment.trusted)?;
        }
        let address = self.state.allocate_address("10.152");
        let application = Application {
            name: name.clone(),
            charm,
            revision: 0,
            life: Life::Alive,
            config,
            trusted: deployment.trusted,
            scale: 0,
            units: BTreeMap::new(),
            leader: None,
            status: None,
            version: String::new(),
            address,
        };
        self.state.applications.insert(name.clone(), application);
        self.add_missing_peers(&name)?;
        self.scale(&name, deployment.units)?;
        Ok(name)
    }

    /// Sets options of an application, as texts like on the command line; `config-changed` is due
    /// if that changes anything.
    ///
    /// # Errors
    /// [`Error::Refused`] in Juju's words for an unknown option or a value of another type; then
    /// nothing is set.
    pub fn set_config(&mut self, application: &str, values: &[(&str, &str)]) -> Result<(), Error> {
        let declared = &self.application(application)?.charm.options;
        let parsed: Vec<(String, Value)> = values
            .iter()
            .map(|(name, text)| Ok(((*name).to_owned(), options::parse(declared, name, text)?)))
            .collect::<Result<_, String>>()
            .map_err(Error::Refused)?;
        self.change_config(application, |config| config.extend(parsed))
    }

    /// Takes options back to their defaults (`juju config --reset`).
    ///
    /// Recorded of Juju 4.0.15: no hook runs for it, and the next one sees the default. (Juju's
    /// `UnsetApplicationConfigKeys` does not touch the hash that units watch.) Before 4.0,
    /// `config-changed` is due if that changes anything. Setting an option to its default makes it
    /// due in every version.
    ///
    /// # Errors
    /// [`Error::Refused`] for an option that the charm does not declare.
    pub fn reset_config(&mut self, application: &str, names: &[&str]) -> Result<(), Error> {
        let declared = &self.application(application)?.charm.options;
        if let Some(unknown) = names.iter().find(|name| !declared.contains_key(**name)) {
            return Err(Error::refused(format!("unknown option \"{unknown}\"")));
        }
        let reset = |config: &mut BTreeMap<String, Value>| {
            config.retain(|name, _| !names.contains(&name.as_str()));
        };
        if self.state.is_before_juju_4() {
            return self.change_config(application, reset);
        }
        reset(&mut self.application_mut(application)?.config);
        Ok(())
    }

    fn change_config(
        &mut self,
        application: &str,
        change: impl FnOnce(&mut BTreeMap<String, Value>),
    ) -> Result<(), Error> {
        let application = self.application_mut(application)?;
        let before = application.settings();
        change(&mut application.config);
        if application.settings() != before {
            config_changed(application);
        }
        Ok(())
    }

    /// The options with their values, as `config-get --all` shows them: `None` for unset ones.
    ///
    /// # Errors
    /// [`Error::Refused`] if there is no such application.
    pub fn config(&self, application: &str) -> Result<BTreeMap<String, Option<Value>>, Error> {
        let application = self.application(application)?;
        let mut settings = application.settings();
        let declared = application.charm.options.keys();
        Ok(declared
            .map(|name| (name.clone(), settings.remove(name)))
            .collect())
    }

    /// What `juju config APP` prints: every option with its type, default, value and where that
    /// comes from.
    ///
    /// # Errors
    /// [`Error::Refused`] if there is no such application.
    pub fn describe_config(&self, application: &str) -> Result<Value, Error> {
        let application = self.application(application)?;
        let settings: serde_json::Map<String, Value> = application
            .charm
            .options
            .iter()
            .map(|(name, option)| (name.clone(), option.describe(application.config.get(name))))
            .collect();
        Ok(serde_json::json!({
            "application": application.name,
            "application-config": {"trust": {"type": "bool", "value": application.trusted}},
            "charm": application.charm.name,
            "settings": settings,
        }))
    }

    /// Gives an application rights over the whole cluster, or takes them away
    /// (`juju trust APP --scope=cluster`, `--remove`). `config-changed` is due if that changes
    /// anything.
    ///
    /// # Errors
    /// [`Error::Refused`] if there is no such application, [`Error::Kubernetes`] if its roles
    /// cannot be written.
    pub fn set_trust(&mut self, application: &str, trusted: bool) -> Result<(), Error> {
        if self.application(application)?.trusted == trusted {
            return Ok(());
        }
        if let Some(substrate) = &self.substrate {
            substrate.write_roles(application, trusted)?;
        }
        let application = self.application_mut(application)?;
        application.trusted = trusted;
        config_changed(application);
        Ok(())
    }

    /// Replaces an application's charm (`juju refresh --path`). Every pod is restarted, the
    /// highest number first: `stop`, and in the new pod `upgrade-charm`, `config-changed`,
    /// `start`.
    ///
    /// # Errors
    /// [`Error::Charm`] if the file cannot be read, [`Error::Refused`] for another charm, for one
    /// that lacks an endpoint in use, and for one whose options do not take the values set.
    pub fn refresh(&mut self, application: &str, charm: &Path) -> Result<(), Error> {
        let staging = self.directory.join("charms").join("incoming");
        let mut charm = unpack(charm, &staging)?;
        self.check_refresh(application, &charm)?;
        let revision = self.application(application)?.revision + 1;
        self.keep_charm(&mut charm, application, revision)?;
        let refreshed = self.application_mut(application)?;
        refreshed
            .config
            .retain(|name, _| charm.options.contains_key(name));
        refreshed.charm = charm;
        refreshed.revision = revision;
        self.add_missing_peers(application)?;
        for unit in self.application_mut(application)?.units.values_mut() {
            unit.restart_pod();
        }
        Ok(())
    }

    /// Refuses another charm, and one that lacks an endpoint in use.
    fn check_refresh(&self, application: &str, charm: &Charm) -> Result<(), Error> {
        let current = self.application(application)?;
        if current.charm.name != charm.name {
            return Err(Error::refused(format!(
                "cannot refresh application \"{application}\": charm \"{}\" is not \"{}\"",
                charm.name, current.charm.name
            )));
        }
        let broken = self.state.relations.values().find(|relation| {
            relation.side(application).is_some_and(|side| {
                let declared = charm.endpoints.get(&side.endpoint);
                declared.is_none_or(|d| d.role != side.role || d.interface != side.interface)
            })
        });
        if let Some(relation) = broken {
            let sides: Vec<_> = relation.sides.iter().map(ToString::to_string).collect();
            return Err(Error::refused(format!(
                "cannot upgrade application \"{application}\" to charm \"{}\": would break \
                 relation \"{}\"",
                charm.name,
                sides.join(" ")
            )));
        }
        Ok(())
    }

    /// Adds the relations of an application's peer endpoints that do not exist yet.
    fn add_missing_peers(&mut self, application: &str) -> Result<(), Error> {
        let endpoints = &self.application(application)?.charm.endpoints;
        let exists = |endpoint: &str| {
            let mut sides = self
                .state
                .relations
                .values()
                .filter_map(|relation| relation.side(application));
            sides.any(|side| side.endpoint == endpoint)
        };
        let missing: Vec<Side> = endpoints
            .iter()
            .filter(|(endpoint, declared)| declared.role == Role::Peer && !exists(endpoint))
            .map(|(endpoint, declared)| Side {
                application: application.to_owned(),
                endpoint: endpoint.clone(),
                interface: declared.interface.clone(),
                role: Role::Peer,
            })
            .collect();
        for side in missing {
            self.add_relation(vec![side]);
        }
        Ok(())
    }

    /// Removes an application: its relations break, its units run `stop` and `remove`, then its
    /// objects in the cluster are removed.
    ///
    /// # Errors
    /// [`Error::Refused`] if there is no such application.
    pub fn remove_application(&mut self, application: &str) -> Result<(), Error> {
        if self.state.remote_applications.contains_key(application) {
            self.break_relations_of(application);
            self.state.remote_applications.remove(application);
            return Ok(());
        }
        let removed = self.application_mut(application)?;
        removed.life = Life::Dying;
        removed.scale = 0;
        for unit in removed.units.values_mut() {
            unit.life = Life::Dying;
        }
        self.break_relations_of(application);
        Ok(())
    }

    fn break_relations_of(&mut self, application: &str) {
        let ids: Vec<u32> = self
            .state
            .relations
            .values()
            .filter(|relation| !relation.is_peer() && relation.side(application).is_some())
            .map(|relation: &Relation| relation.id)
            .collect();
        for id in ids {
            self.break_relation(id);
        }
    }

    /// Moves an unpacked charm to where units copy it from.
    fn keep_charm(&self, charm: &mut Charm, application: &str, revision: u32) -> Result<(), Error> {
        let folder = self
            .directory
            .join("charms")
            .join(format!("{application}-{revision}"));
        if folder.exists() {
            std::fs::remove_dir_all(&folder).map_err(Error::file("remove", &folder))?;
        }
        std::fs::rename(&charm.folder, &folder).map_err(Error::file("create", &folder))?;
        charm.folder = folder;
        Ok(())
    }
}

fn unpack(source: &Path, folder: &Path) -> Result<Charm, Error> {
    if folder.exists() {
        std::fs::remove_dir_all(folder).map_err(Error::file("remove", folder))?;
    }
    Charm::unpack(source, folder)
}

fn config_changed(application: &mut Application) {
    for unit in application.units.values_mut() {
        unit.config_changed_due = true;
    }
}

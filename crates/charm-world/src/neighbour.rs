//! Applications on the other side of a relation, played by the libraries that their charms use.

mod library;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::World;
use library::{Databag, Databags, Document, Local, Program, Remote};
pub use library::{Exception, Library, Verdict, check_neighbours, prepare_neighbours};

/// How often both sides may write before it counts as a conversation without an end. Versions, data
/// and what follows from it take half of that.
const TURNS: usize = 8;

/// A charm of the ecosystem, of which one endpoint is played: its one unit runs the hook
/// `relation-changed`, in which the library that such charms use reads and writes the databags.
///
/// ```no_run
/// # fn story(world: &mut charm_world::World) -> anyhow::Result<()> {
/// use charm_world::Neighbour;
/// use serde_json::json;
///
/// let katib = json!({"service": "katib-ui", "port": 8080, "prefix": "/katib/"});
/// let mut katib = Neighbour::related(world, "katib-ui", "ingress", katib)?;
/// let verdict = katib.converse(world)?;
/// assert_eq!(verdict.to_string(), "read nothing");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Neighbour {
    application: String,
    endpoint: String,
    interface: String,
    /// What the neighbour is in the relation.
    role: &'static str,
    versions: Option<Vec<String>>,
    data: Option<Value>,
    relation: Option<u32>,
    library: Library,
    memory: Option<String>,
    program: Program,
}

impl Neighbour {
    /// An application for an endpoint of this charm, with the library that most charms use there. It
    /// supports all known versions of the interface, and has nothing to say.
    ///
    /// # Errors
    /// When the charm has no such endpoint, or the libraries cannot be installed.
    pub fn new(application: &str, endpoint: &str) -> Result<Self> {
        Self::speaking(Library::of_endpoint(endpoint)?, application, endpoint)
    }

    /// One that is related to this charm and has this to say, before any hook.
    ///
    /// # Errors
    /// As [`Neighbour::new`] and [`Neighbour::relate`].
    pub fn related(
        world: &mut World,
        application: &str,
        endpoint: &str,
        data: Value,
    ) -> Result<Self> {
        let mut neighbour = Self::new(application, endpoint)?;
        neighbour.says(data);
        neighbour.relate(world)?;
        Ok(neighbour)
    }

    /// One that uses another library than most.
    ///
    /// # Errors
    /// As [`Neighbour::new`].
    pub fn speaking(library: Library, application: &str, endpoint: &str) -> Result<Self> {
        let (role, interface) = counterpart(endpoint)?;
        Ok(Self {
            application: application.to_owned(),
            endpoint: endpoint.to_owned(),
            interface,
            role,
            versions: None,
            data: None,
            relation: None,
            library,
            memory: None,
            program: Program::of(library)?,
        })
    }

    /// The versions that it supports from now on, such as `v1`: those that its `metadata.yaml`
    /// lists. One that nobody knows yet has the schema of the newest.
    pub fn supports(&mut self, versions: &[&str]) {
        self.versions = Some(versions.iter().map(ToString::to_string).collect());
    }

    /// What it has to say from now on. Its library decides whether that can be said.
    pub fn says(&mut self, data: Value) {
        self.data = Some(data);
    }

    /// It runs in another process from now on, in which Python's sets have another order: that of
    /// the versions which it supports may be another one.
    pub fn restarts(&mut self) {
        self.program.hash_seed += 1;
    }

    /// Its application's name.
    pub fn application(&self) -> &str {
        &self.application
    }

    /// `juju integrate`, before any hook. Returns the relation's id.
    ///
    /// # Errors
    /// As [`juju_sim::Model::integrate`].
    pub fn relate(&mut self, world: &mut World) -> Result<u32> {
        let model = &mut world.model;
        model.add_remote_application(&self.application, &self.endpoint, &self.interface, 1)?;
        let other = format!("{}:{}", world.application(), self.endpoint);
        let relation = world.model.integrate(&self.application, &other)?;
        self.relation = Some(relation);
        Ok(relation)
    }

    /// `juju remove-relation`, before any hook.
    ///
    /// # Errors
    /// As [`juju_sim::Model::remove_relation`].
    pub fn part(&mut self, world: &mut World) -> Result<()> {
        let other = format!("{}:{}", world.application(), self.endpoint);
        world.model.remove_relation(&self.application, &other)?;
        self.relation = None;
        self.memory = None;
        Ok(())
    }

    /// Plays one hook of the neighbour, and none of the charm's.
    ///
    /// # Errors
    /// When the two are not related, or the library cannot be run.
    pub fn turn(&mut self, world: &mut World) -> Result<Verdict> {
        let before = self.databags(world)?;
        let answer = self.play(self.role, before.clone())?;
        let unit = format!("{}/0", self.application);
        for (owner, old, new) in [
            (
                &self.application,
                &before.local.application,
                &answer.application,
            ),
            (&unit, &before.local.unit, &answer.unit),
        ] {
            let changes = changes(old, new);
            world
                .model
                .write_remote(self.relation()?, owner, &changes)?;
        }
        self.memory.clone_from(&answer.memory);
        Ok(answer.verdict())
    }

    /// Plays hooks of the neighbour and then of the charm, to and fro, until nobody writes any more.
    /// Returns what the library makes of what is there in the end.
    ///
    /// # Errors
    /// As [`Neighbour::turn`] and [`World::settle`], and when the two write for ever.
    pub fn converse(&mut self, world: &mut World) -> Result<Verdict> {
        for _ in 0..TURNS {
            let before = self.databags(world)?;
            let verdict = self.turn(world)?;
            world.settle()?;
            if self.databags(world)? == before {
                return Ok(verdict);
            }
        }
        let last = self.databags(world)?;
        bail!("after {TURNS} turns both sides still write; the databags hold {last:#?}")
    }

    /// What the library would make of the same databags in the charm's own place. Writes nothing.
    ///
    /// # Errors
    /// As [`Neighbour::turn`].
    pub fn verdict_in_place_of_charm(&self, world: &World) -> Result<Verdict> {
        let Databags { local, remote } = self.databags(world)?;
        let swapped = Databags {
            local: Local {
                name: remote.name,
                application: remote.application,
                unit: remote.units.into_values().next().unwrap_or_default(),
            },
            remote: Remote {
                name: local.name,
                application: local.application,
                units: [(0, local.unit)].into(),
            },
        };
        Ok(self.play(opposite(self.role), swapped)?.verdict())
    }

    /// What the library makes of something that is in no databag, such as a certificate that is
    /// served. Writes nothing.
    ///
    /// # Errors
    /// As [`Neighbour::turn`], and when the library knows no such things.
    pub fn judges(&self, world: &World, thing: Value) -> Result<Verdict> {
        let databags = self.databags(world)?;
        let document = Document {
            judges: Some(thing),
            ..self.document(self.role, databags)?
        };
        Ok(self.program.play(&document)?.verdict())
    }

    fn play(&self, role: &'static str, databags: Databags) -> Result<library::Answer> {
        self.program.play(&self.document(role, databags)?)
    }

    fn document(&self, role: &'static str, databags: Databags) -> Result<Document> {
        let own = role == self.role;
        Ok(Document {
            library: self.library.module,
            endpoint: self.endpoint.clone(),
            interface: self.interface.clone(),
            role,
            relation: self.relation()?,
            versions: self.versions.clone().filter(|_| own),
            says: self.data.clone().filter(|_| own),
            judges: None,
            memory: self.memory.clone().filter(|_| own),
            databags,
        })
    }

    fn relation(&self) -> Result<u32> {
        let application = &self.application;
        self.relation
            .with_context(|| format!("{application} is not related"))
    }

    fn databags(&self, world: &World) -> Result<Databags> {
        let relation = self.relation()?;
        let databag = |owner: &str| world.model.databag(relation, owner);
        let units = world.model.status().units.into_iter().filter_map(|unit| {
            let (application, number) = unit.name.split_once('/')?;
            let number = number.parse().ok()?;
            (application == world.application()).then(|| (number, databag(&unit.name)))
        });
        Ok(Databags {
            local: Local {
                name: self.application.clone(),
                application: databag(&self.application),
                unit: databag(&format!("{}/0", self.application)),
            },
            remote: Remote {
                name: world.application().to_owned(),
                application: databag(world.application()),
                // A unit that has not entered the relation yet has no databag.
                units: units.filter(|(_, databag)| !databag.is_empty()).collect(),
            },
        })
    }
}

/// What has to be written to make of one content another; an empty value deletes a key.
fn changes<'a>(old: &'a Databag, new: &'a Databag) -> Vec<(&'a str, &'a str)> {
    let deleted = old.keys().filter(|key| !new.contains_key(*key));
    let deleted = deleted.map(|key| (key.as_str(), ""));
    let written = new
        .iter()
        .filter(|(key, value)| old.get(*key) != Some(*value));
    let written = written.map(|(key, value)| (key.as_str(), value.as_str()));
    deleted.chain(written).collect()
}

fn opposite(role: &str) -> &'static str {
    if role == "provides" {
        "requires"
    } else {
        "provides"
    }
}

/// What the other side of an endpoint is, and the interface of both.
fn counterpart(endpoint: &str) -> Result<(&'static str, String)> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../metadata.yaml");
    let metadata: Value = serde_yaml::from_str(&fs::read_to_string(&file)?)?;
    for role in ["provides", "requires"] {
        if let Some(interface) = metadata[role][endpoint]["interface"].as_str() {
            return Ok((opposite(role), interface.to_owned()));
        }
    }
    bail!("metadata.yaml has no endpoint {endpoint}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_other_side_of_an_endpoint_has_the_other_role() {
        let requires = ("requires", "k8s-service".to_owned());
        assert_eq!(counterpart("istio-pilot").unwrap(), requires);
        let provides = ("provides", "tls-certificates".to_owned());
        assert_eq!(counterpart("certificates").unwrap(), provides);
        let error = counterpart("no-such").unwrap_err();
        assert_eq!(error.to_string(), "metadata.yaml has no endpoint no-such");
    }

    #[test]
    fn only_what_differs_is_written() {
        let bag = |pairs: &[(&str, &str)]| -> Databag {
            let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
            pairs.iter().map(owned).collect()
        };
        let old = bag(&[("gone", "1"), ("other", "2"), ("same", "3")]);
        let new = bag(&[("other", "4"), ("same", "3"), ("new", "5")]);
        let expected = [("gone", ""), ("new", "5"), ("other", "4")];
        assert_eq!(changes(&old, &new), expected);
    }
}

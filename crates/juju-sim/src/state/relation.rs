//! Relations and their databags.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Life, State, split_unit};
use crate::charm::Role;

/// A databag with the number of times it changed.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Bag {
    pub(crate) data: BTreeMap<String, String>,
    pub(crate) version: u64,
}

impl Bag {
    /// Takes new content. The version moves only if something changed: a writer that repeats
    /// itself wakes nobody.
    pub(crate) fn replace(&mut self, data: BTreeMap<String, String>) {
        if self.data != data {
            self.data = data;
            self.version += 1;
        }
    }
}

/// One end of a relation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Side {
    pub(crate) application: String,
    pub(crate) endpoint: String,
    pub(crate) interface: String,
    pub(crate) role: Role,
}

impl std::fmt::Display for Side {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.application, self.endpoint)
    }
}

/// A relation: one side for peers, two otherwise.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Relation {
    pub(crate) id: u32,
    pub(crate) sides: Vec<Side>,
    pub(crate) life: Life,
    pub(crate) since: i64,
    pub(crate) application_bags: BTreeMap<String, Bag>,
    /// Kept after a unit left: departed data stays readable for the life of the relation.
    pub(crate) unit_bags: BTreeMap<String, Bag>,
    /// Units that take part now.
    pub(crate) scope: BTreeSet<String>,
}

impl Relation {
    pub(crate) fn is_peer(&self) -> bool {
        self.sides.len() == 1
    }

    pub(crate) fn side(&self, application: &str) -> Option<&Side> {
        self.sides
            .iter()
            .find(|side| side.application == application)
    }

    /// The other side; for peers the application itself.
    pub(crate) fn other(&self, application: &str) -> Option<&Side> {
        if self.is_peer() {
            return self.sides.first();
        }
        self.sides
            .iter()
            .find(|side| side.application != application)
    }

    /// Units of the other side that take part; for peers all but `unit` itself.
    pub(crate) fn remote_units<'a>(&'a self, unit: &'a str) -> impl Iterator<Item = &'a String> {
        let application = split_unit(unit).map_or("", |(application, _)| application);
        let remote = self
            .other(application)
            .map_or("", |side| side.application.as_str());
        self.scope.iter().filter(move |name| {
            name.as_str() != unit && split_unit(name).is_some_and(|(owner, _)| owner == remote)
        })
    }

    pub(crate) fn application_version(&self, application: &str) -> u64 {
        self.application_bags
            .get(application)
            .map_or(0, |bag| bag.version)
    }

    pub(crate) fn unit_version(&self, unit: &str) -> u64 {
        self.unit_bags.get(unit).map_or(0, |bag| bag.version)
    }

    /// Every bag's version, by application or unit name: what a watcher would deliver now.
    pub(crate) fn versions(&self) -> BTreeMap<String, u64> {
        self.application_bags
            .iter()
            .chain(&self.unit_bags)
            .map(|(name, bag)| (name.clone(), bag.version))
            .collect()
    }
}

impl State {
    /// Lets every installed unit take part in the relations of its application. In Juju each
    /// agent does that as soon as it hears of the relation, before any of its hooks runs.
    pub(crate) fn enter_scopes(&mut self) {
        let Self {
            relations,
            applications,
            ..
        } = self;
        for relation in relations
            .values_mut()
            .filter(|relation| relation.life == Life::Alive)
        {
            for side in relation.sides.clone() {
                let Some(application) = applications.get_mut(&side.application) else {
                    continue;
                };
                let address = application.address.clone();
                relation
                    .application_bags
                    .entry(side.application.clone())
                    .or_default();
                for unit in application.units.values_mut() {
                    let taking_part = unit.relations.contains_key(&relation.id);
                    if !unit.installed || unit.life == Life::Dying || taking_part {
                        continue;
                    }
                    let name = format!("{}/{}", side.application, unit.number);
                    let mut bag = Bag::default();
                    bag.replace(BTreeMap::from([
                        ("egress-subnets".to_owned(), format!("{address}/32")),
                        ("ingress-address".to_owned(), address.clone()),
                    ]));
                    relation.unit_bags.insert(name.clone(), bag);
                    relation.scope.insert(name);
                    unit.relations
                        .insert(relation.id, super::UnitRelation::default());
                }
            }
        }
    }
}

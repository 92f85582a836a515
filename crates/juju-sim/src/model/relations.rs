//! Integrating applications, and applications of other models.

use std::collections::{BTreeMap, BTreeSet};

use super::Model;
use crate::charm::{Endpoint, Role};
use crate::state::RemoteEndpoint;
use crate::state::{Bag, Life, Relation, RemoteApplication, Side, split_unit};
use crate::{Error, clock};

impl Model {
    /// Adds an application of another model with one endpoint, for testing a relation without a
    /// second charm. The endpoint takes the role that its counterpart leaves. The caller writes
    /// its databags with [`Model::write_remote`]; it runs no hooks.
    ///
    /// Calling it again adds endpoints, and units up to the given number.
    ///
    /// # Errors
    /// [`Error::Refused`] if the name belongs to an application of this model.
    pub fn add_remote_application(
        &mut self,
        name: &str,
        endpoint: &str,
        interface: &str,
        units: u32,
    ) -> Result<(), Error> {
        if self.state.applications.contains_key(name) {
            return Err(Error::refused(format!(
                "application \"{name}\" already exists"
            )));
        }
        let remote = self
            .state
            .remote_applications
            .entry(name.to_owned())
            .or_insert_with(|| RemoteApplication {
                name: name.to_owned(),
                endpoints: BTreeMap::new(),
                units: BTreeSet::new(),
            });
        let declared = RemoteEndpoint {
            interface: interface.to_owned(),
            role: None,
        };
        remote.endpoints.insert(endpoint.to_owned(), declared);
        remote.units.extend(0..units);
        let ids: Vec<u32> = self.state.relations.keys().copied().collect();
        for id in ids {
            self.enter_remote_units(id, name);
        }
        Ok(())
    }

    /// Relates two applications, each given as `app` or `app:endpoint`, and returns the
    /// relation's id. Every unit then runs `relation-created`, and `relation-joined` and
    /// `relation-changed` for every unit of the other side.
    ///
    /// # Errors
    /// [`Error::Refused`] in Juju's words if the endpoints are not declared, do not fit, are not
    /// unique, are related already or have reached their limit.
    pub fn integrate(&mut self, first: &str, second: &str) -> Result<u32, Error> {
        let (left, right) = self.choose_sides(first, second)?;
        let exists = self.state.relations.values().any(|relation| {
            relation.life == Life::Alive
                && relation.sides.contains(&left)
                && relation.sides.contains(&right)
        });
        let context = format!("cannot add relation \"{left} {right}\": ");
        if exists {
            return Err(Error::refused(format!(
                "{context}relation {left} {right} already exists"
            )));
        }
        for side in [&left, &right] {
            self.check_limit(side)
                .map_err(|text| Error::refused(format!("{context}{text}")))?;
        }
        Ok(self.add_relation(vec![left, right]))
    }

    fn check_limit(&self, side: &Side) -> Result<(), String> {
        let application = self.state.applications.get(&side.application);
        let limit = application.and_then(|app| app.charm.endpoints.get(&side.endpoint)?.limit);
        let Some(limit) = limit.filter(|limit| *limit > 0) else {
            return Ok(());
        };
        let relations = self.state.relations.values();
        let count = relations
            .filter(|relation| relation.sides.contains(side))
            .count();
        if u32::try_from(count).unwrap_or(u32::MAX) >= limit {
            return Err(format!(
                "establishing a new relation for {side} would exceed its maximum relation limit \
                 of {limit}"
            ));
        }
        Ok(())
    }

    /// The one pair of endpoints that two applications can be related by.
    fn choose_sides(&self, first: &str, second: &str) -> Result<(Side, Side), Error> {
        let candidates = self.candidates(first)?;
        let others = self.candidates(second)?;
        let mut pairs = Vec::new();
        for (left, left_role) in &candidates {
            for (right, right_role) in &others {
                if left.interface != right.interface || left.application == right.application {
                    continue;
                }
                let roles = match (left_role, right_role) {
                    (Some(left), Some(right)) => (*left, *right),
                    (Some(left), None) => (*left, left.counterpart()),
                    (None, Some(right)) => (right.counterpart(), *right),
                    (None, None) => continue,
                };
                if roles.0 == Role::Peer || roles.0.counterpart() != roles.1 {
                    continue;
                }
                let side = |side: &Side, role| Side {
                    role,
                    ..side.clone()
                };
                pairs.push((side(left, roles.0), side(right, roles.1)));
            }
        }
        match pairs.as_slice() {
            [] => Err(Error::refused("no relations found")),
            [pair] => Ok(pair.clone()),
            several => {
                let list: Vec<_> = several
                    .iter()
                    .map(|(a, b)| format!("\"{a} {b}\""))
                    .collect();
                Err(Error::refused(format!(
                    "ambiguous relation: \"{first} {second}\" could refer to {}",
                    list.join("; ")
                )))
            }
        }
    }

    /// The endpoints that `app` or `app:endpoint` may mean, with their roles if those are fixed.
    fn candidates(&self, text: &str) -> Result<Vec<(Side, Option<Role>)>, Error> {
        let (name, wanted) = match text.split_once(':') {
            Some((name, endpoint)) => (name, Some(endpoint)),
            None => (text, None),
        };
        let side = |endpoint: &str, interface: &str| Side {
            application: name.to_owned(),
            endpoint: endpoint.to_owned(),
            interface: interface.to_owned(),
            role: Role::Peer,
        };
        let all: Vec<_> = if let Some(remote) = self.state.remote_applications.get(name) {
            let endpoints = remote.endpoints.iter();
            endpoints
                .map(|(name, e)| (side(name, &e.interface), e.role))
                .collect()
        } else {
            let application = self.application(name)?;
            let declared =
                |(name, e): (&String, &Endpoint)| (side(name, &e.interface), Some(e.role));
            application.charm.endpoints.iter().map(declared).collect()
        };
        let Some(wanted) = wanted else { return Ok(all) };
        let found: Vec<_> = all
            .into_iter()
            .filter(|(side, _)| side.endpoint == wanted)
            .collect();
        if found.is_empty() {
            return Err(Error::refused(format!(
                "application \"{name}\" has no \"{wanted}\" relation"
            )));
        }
        Ok(found)
    }

    pub(super) fn add_relation(&mut self, sides: Vec<Side>) -> u32 {
        let id = self.state.next_relation;
        self.state.next_relation += 1;
        let applications: Vec<String> = sides.iter().map(|side| side.application.clone()).collect();
        let relation = Relation {
            id,
            sides,
            life: Life::Alive,
            since: clock::now(),
            application_bags: BTreeMap::new(),
            unit_bags: BTreeMap::new(),
            scope: BTreeSet::new(),
        };
        self.state.relations.insert(id, relation);
        for application in applications {
            self.enter_remote_units(id, &application);
        }
        self.state.enter_scopes();
        id
    }

    fn enter_remote_units(&mut self, id: u32, application: &str) {
        let Some(remote) = self.state.remote_applications.get(application) else {
            return;
        };
        let units = remote.units.clone();
        let Some(relation) = self.state.relations.get_mut(&id) else {
            return;
        };
        if relation.side(application).is_none() {
            return;
        }
        relation
            .application_bags
            .entry(application.to_owned())
            .or_default();
        for unit in units {
            let name = format!("{application}/{unit}");
            if relation.scope.insert(name.clone()) {
                let mut bag = Bag::default();
                bag.replace(BTreeMap::from([
                    ("egress-subnets".to_owned(), "10.152.0.2/32".to_owned()),
                    ("ingress-address".to_owned(), "10.152.0.2".to_owned()),
                ]));
                relation.unit_bags.insert(name, bag);
            }
        }
    }

    /// Ends the relation between two applications, given as for [`Model::integrate`]. Every unit
    /// runs `relation-departed` for each unit of the other side and then `relation-broken`.
    ///
    /// # Errors
    /// [`Error::Refused`] if there is no such relation, or it is a peer relation.
    pub fn remove_relation(&mut self, first: &str, second: &str) -> Result<(), Error> {
        let id = self.relation_id(first, second)?;
        self.break_relation(id);
        Ok(())
    }

    /// The id of the relation between two applications, given as for [`Model::integrate`].
    ///
    /// # Errors
    /// [`Error::Refused`] if there is none.
    pub fn relation_id(&self, first: &str, second: &str) -> Result<u32, Error> {
        let matches = |side: &Side, text: &str| match text.split_once(':') {
            Some((name, endpoint)) => side.application == name && side.endpoint == endpoint,
            None => side.application == text,
        };
        let found = self.state.relations.values().find(|relation| {
            relation.life == Life::Alive
                && match relation.sides.as_slice() {
                    [a, b] => {
                        matches(a, first) && matches(b, second)
                            || matches(a, second) && matches(b, first)
                    }
                    _ => false,
                }
        });
        found
            .map(|relation| relation.id)
            .ok_or_else(|| Error::refused(format!("relation \"{first} {second}\" not found")))
    }

    pub(super) fn break_relation(&mut self, id: u32) {
        let remote = &self.state.remote_applications;
        let Some(relation) = self.state.relations.get_mut(&id) else {
            return;
        };
        relation.life = Life::Dying;
        // Units of other models leave immediately: nobody runs their hooks.
        relation.scope.retain(|unit| {
            split_unit(unit).is_none_or(|(application, _)| !remote.contains_key(application))
        });
        self.drop_empty_relations();
    }

    /// A dying relation is gone once the last unit has left it.
    pub(super) fn drop_empty_relations(&mut self) {
        self.state
            .relations
            .retain(|_, relation| relation.life == Life::Alive || !relation.scope.is_empty());
        let relations = &self.state.relations;
        let live = |target: &Option<u32>| target.is_none_or(|id| relations.contains_key(&id));
        for secret in self.state.secrets.values_mut() {
            secret.grants.retain(|_, grant| live(&grant.relation));
        }
    }

    /// Writes keys into a databag of a remote application: `owner` is `app` for the application's
    /// bag or `app/0` for a unit's. An empty value deletes the key.
    ///
    /// # Errors
    /// [`Error::Refused`] if `owner` is not a remote application of that relation, or one of its
    /// units.
    pub fn write_remote(
        &mut self,
        relation: u32,
        owner: &str,
        values: &[(&str, &str)],
    ) -> Result<(), Error> {
        let name = split_unit(owner).map_or(owner, |(application, _)| application);
        let remote = self.state.remote_applications.contains_key(name);
        let relation = self.state.relations.get_mut(&relation).filter(|_| remote);
        let bags = relation.map(|relation| {
            if owner == name {
                &mut relation.application_bags
            } else {
                &mut relation.unit_bags
            }
        });
        let bag = bags.and_then(|bags| bags.get_mut(owner)).ok_or_else(|| {
            Error::refused(format!(
                "\"{owner}\" is not on the other side of that relation"
            ))
        })?;
        let mut data = bag.data.clone();
        for (key, value) in values {
            if value.is_empty() {
                data.remove(*key);
            } else {
                data.insert((*key).to_owned(), (*value).to_owned());
            }
        }
        bag.replace(data);
        Ok(())
    }

    /// A databag's content: `owner` is `app` or `app/0`. Empty if there is no such bag.
    pub fn databag(&self, relation: u32, owner: &str) -> BTreeMap<String, String> {
        let Some(relation) = self.state.relations.get(&relation) else {
            return BTreeMap::new();
        };
        let bags = if owner.contains('/') {
            &relation.unit_bags
        } else {
            &relation.application_bags
        };
        bags.get(owner)
            .map(|bag| bag.data.clone())
            .unwrap_or_default()
    }

    /// The id of an application's peer relation.
    ///
    /// # Errors
    /// [`Error::Refused`] if the charm declares no such peer endpoint.
    pub fn peer_relation_id(&self, application: &str, endpoint: &str) -> Result<u32, Error> {
        let found = self.state.relations.values().find(|relation| {
            relation.is_peer()
                && relation
                    .side(application)
                    .is_some_and(|s| s.endpoint == endpoint)
        });
        found.map(|relation| relation.id).ok_or_else(|| {
            Error::refused(format!(
                "application \"{application}\" has no \"{endpoint}\" relation"
            ))
        })
    }
}

//! The changes that lead from the live objects to the wanted ones.
//!
//! Pure: the same objects give the same plan. A plan never changes objects of others.

pub mod adoption;
pub mod conflicts;
pub mod definitions;
pub mod drift;
pub mod ownership;
mod shared_fields;

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;

use crate::desired::Wanted;
use crate::intent::identity::Identity;
use crate::istio::names;
use crate::k8s::kind::{
    CONFIG_MAP, CUSTOM_RESOURCE_DEFINITION, DAEMON_SET, VALIDATING_WEBHOOK, Wave,
};
use crate::k8s::object::{LiveObjects, Object, ObjectId};
use definitions::Definition;
use drift::Difference;
use ownership::Ownership;

/// One object to be created or changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Upsert {
    /// The object to send.
    pub object: Object,
    /// When it is applied.
    pub wave: Wave,
    /// What would change; `None` when the object does not exist yet.
    pub differences: Option<Vec<Difference>>,
    /// Whether this charm first takes over the fields of a replaced tool.
    pub adopts: bool,
    /// Labels of Juju that have to be taken off, once the object is one that Juju leaves alone.
    /// Applying cannot do that: Juju's webhook leaves no trace in `managedFields`.
    pub sheds: Vec<&'static str>,
    /// The version that the live object must still have; `None` if that does not matter. What
    /// moves the switch must not be written by a unit whose view is out of date.
    pub only_at: Option<String>,
}

/// One object to be deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deletion {
    /// The object.
    pub id: ObjectId,
    /// The `metadata.uid` of that very object; another object of the same name stays.
    pub uid: String,
    /// Whether it is being deleted already.
    pub under_way: bool,
    /// When it may be deleted.
    pub urgency: Urgency,
}

impl Deletion {
    /// The deletion of a live object; `None` for an object that does not come from a server.
    fn of(live: &Object, urgency: Urgency) -> Option<Self> {
        Some(Self {
            id: live.id().clone(),
            uid: live.uid()?.to_owned(),
            under_way: live.is_being_deleted(),
            urgency,
        })
    }
}

/// When a deletion may be carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// Before anything else: it must close, whatever else has to be done.
    CloseFirst,
    /// Once everything wanted exists, the last [`Wave`] first.
    InWave,
    /// Once nothing else remains.
    AfterAll,
}

/// Why a wanted object cannot be applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obstacle {
    /// The object in the way.
    pub id: ObjectId,
    /// Its owner, in words.
    pub whose: String,
}

impl fmt::Display for Obstacle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} belongs to {}; remove it first",
            self.id, self.whose
        )
    }
}

/// The changes that make a cluster as wanted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// Objects to create or change, in the order of application.
    pub upserts: Vec<Upsert>,
    /// Objects to delete, in the order of deletion.
    pub deletions: Vec<Deletion>,
    /// What is in the way. While there are any obstacles, nothing may be changed.
    pub obstacles: Vec<Obstacle>,
    /// What is in the way of objects that relations ask for; everything else is changed nevertheless.
    pub in_the_way: Vec<Obstacle>,
    /// Wanted objects that somebody has deleted and something still keeps: they are made anew when
    /// they are gone.
    pub going: Vec<ObjectId>,
    /// Wanted objects that are skipped, or something of which is left as it is, and why.
    pub skipped: Vec<(ObjectId, String)>,
}

impl Plan {
    /// Whether the cluster is as wanted.
    pub fn is_empty(&self) -> bool {
        let is_free = self.obstacles.is_empty() && self.in_the_way.is_empty();
        is_free && self.upserts.is_empty() && self.deletions.is_empty()
    }
}

/// Plans the changes that make the cluster hold what is wanted, and nothing else of this
/// application. `frozen` objects are neither changed nor deleted; definitions are never deleted
/// here.
pub fn plan(
    wanted: &Wanted,
    frozen: &BTreeSet<ObjectId>,
    live: &LiveObjects,
    identity: &Identity,
) -> Plan {
    let mut plan = Plan::default();
    let objects = wanted.objects();
    for object in objects
        .iter()
        .filter(|object| !frozen.contains(object.id()))
    {
        upsert(object, live.get(object.id()), identity, &mut plan);
    }
    let kept: BTreeSet<_> = objects.iter().map(Object::id).chain(frozen).collect();
    plan.deletions = live
        .values()
        .filter(|object| !kept.contains(object.id()) && ownership::may_delete(object, identity))
        .filter(|object| !ownership::is_role_of_another(object, live, identity))
        .filter(|object| !object.is(&CUSTOM_RESOURCE_DEFINITION) && object.id().wave().is_some())
        .filter_map(|object| {
            let urgency = if wanted.closes(object) {
                Urgency::CloseFirst
            } else {
                Urgency::InWave
            };
            Deletion::of(object, urgency)
        })
        .collect();
    plan.deletions
        .sort_by_key(|deletion| (deletion.urgency, std::cmp::Reverse(deletion.id.wave())));
    plan
}

/// The deletion of an object that may not be labelled as this application's, such as a node agent
/// whose installation this application replaces.
pub fn deletion_of_adopted(live: &Object, identity: &Identity) -> Option<Deletion> {
    Deletion::of(live, Urgency::InWave).filter(|_| !ownership::is_foreign(live, identity))
}

/// The deletion of an object that must not stay, whatever else has to be done.
pub fn close(live: &Object) -> Option<Deletion> {
    Deletion::of(live, Urgency::CloseFirst)
}

/// The deletions of the definitions that this charm has written. Definitions belong to everybody in
/// the cluster: the caller makes sure that nobody uses them.
pub fn deletions_of_definitions(live: &LiveObjects) -> Vec<Deletion> {
    live.values()
        .filter(|it| it.is(&CUSTOM_RESOURCE_DEFINITION))
        .filter(|it| it.is_written_by_this_charm())
        .filter_map(|definition| Deletion::of(definition, Urgency::AfterAll))
        .collect()
}

fn upsert(wanted: &Object, live: Option<&Object>, identity: &Identity, plan: &mut Plan) {
    let id = wanted.id();
    let wave = id.wave().unwrap_or(Wave::Resources);
    let Some(live) = live else {
        let object = wanted.clone();
        return plan.upserts.push(Upsert {
            object,
            wave,
            differences: None,
            adopts: false,
            sheds: Vec::new(),
            only_at: None,
        });
    };
    let mut object = wanted.clone();
    if wave == Wave::Definitions {
        match definitions::decide(wanted, live, identity) {
            Definition::Apply(merged) => object = merged,
            Definition::Leave(why) => return plan.skipped.push((id.clone(), why)),
        }
    } else if let Ownership::Foreign(whose) = ownership::ownership(live, identity) {
        let id = id.clone();
        let obstacles = if wave.is_of_relations() {
            &mut plan.in_the_way
        } else {
            &mut plan.obstacles
        };
        return obstacles.push(Obstacle { id, whose });
    }
    if live.is_being_deleted() {
        return plan.going.push(id.clone());
    }
    let adopted = adoption::after_adoption(live);
    let live = adopted.as_ref().unwrap_or(live);
    if id.is(&VALIDATING_WEBHOOK) {
        shared_fields::leave_failure_policy(&mut object, live);
    }
    if adopted.is_none() {
        let kept = shared_fields::keep_narrower_selectors(&mut object, live);
        plan.skipped.extend(kept.map(|why| (id.clone(), why)));
    }
    let sheds = definitions::labels_of_juju(live);
    let mut differences = drift::differences(&object, live);
    differences.extend(sheds.iter().map(|label| Difference {
        path: format!(".metadata.labels[{label}]"),
        live: live.label(label).map(Value::from),
        wanted: None,
    }));
    if adopted.is_some() || !differences.is_empty() {
        plan.upserts.push(Upsert {
            object,
            wave,
            differences: Some(differences),
            adopts: adopted.is_some(),
            sheds,
            only_at: live
                .resource_version()
                .filter(|_| moves_switch(id))
                .map(str::to_owned),
        });
    }
}

/// Whether an object says what pods get, or runs the node agent.
fn moves_switch(id: &ObjectId) -> bool {
    id.is(&DAEMON_SET) || (id.is(&CONFIG_MAP) && id.name == names::INJECTOR_CONFIG)
}

impl fmt::Display for Plan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for obstacle in self.obstacles.iter().chain(&self.in_the_way) {
            writeln!(formatter, "! {obstacle}")?;
        }
        for upsert in &self.upserts {
            match &upsert.differences {
                None => writeln!(formatter, "+ {}", upsert.object.id())?,
                Some(differences) => {
                    writeln!(formatter, "~ {}", upsert.object.id())?;
                    for difference in differences {
                        writeln!(formatter, "    {difference}")?;
                    }
                }
            }
        }
        for deletion in &self.deletions {
            writeln!(formatter, "- {}", deletion.id)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;

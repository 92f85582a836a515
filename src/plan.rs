//! From the objects wanted and the objects there are to the changes between them.
//!
//! Pure: the same objects give the same plan. Nothing foreign is ever part of a change.

pub mod adoption;
pub mod definitions;
pub mod drift;
pub mod ownership;
mod shared_fields;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::k8s::kind::{VALIDATING_WEBHOOK, Wave};
use crate::k8s::object::{Object, ObjectId};
use definitions::Definition;
use drift::Difference;
use ownership::{Owner, Ownership};

/// The objects of a cluster that matter to one application, as they are.
pub type LiveObjects = BTreeMap<ObjectId, Object>;

/// One object to be created or changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Upsert {
    /// The object to send.
    pub object: Object,
    /// When it is applied.
    pub wave: Wave,
    /// What would change; `None` when the object does not exist yet.
    pub differences: Option<Vec<Difference>>,
    /// Whether fields of a replaced tool pass to this charm first.
    pub adopts: bool,
}

/// One object to be deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deletion {
    /// Which.
    pub id: ObjectId,
    /// The `metadata.uid` of the object meant; another of the same name stays.
    pub uid: String,
    /// Whether it is on its way out already.
    pub under_way: bool,
}

/// Why an object that is wanted cannot be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obstacle {
    /// The object in the way.
    pub id: ObjectId,
    /// To whom it belongs.
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
    /// In the order of applying.
    pub upserts: Vec<Upsert>,
    /// In the order of deleting, after all upserts.
    pub deletions: Vec<Deletion>,
    /// What is in the way. While there is any, nothing may be changed.
    pub obstacles: Vec<Obstacle>,
    /// Wanted objects left as they are, and why.
    pub left: Vec<(ObjectId, String)>,
}

impl Plan {
    /// Whether the cluster is as wanted.
    pub fn is_empty(&self) -> bool {
        self.upserts.is_empty() && self.deletions.is_empty() && self.obstacles.is_empty()
    }
}

/// Plans.
///
/// `held` objects are neither changed nor deleted. Definitions are never deleted here.
pub fn plan(
    wanted: &[Object],
    held: &BTreeSet<ObjectId>,
    live: &LiveObjects,
    owner: &Owner,
) -> Plan {
    let mut plan = Plan::default();
    for wanted in wanted.iter().filter(|it| !held.contains(it.id())) {
        upsert(wanted, live.get(wanted.id()), owner, &mut plan);
    }
    plan.upserts.sort_by_key(|it| it.wave);
    let kept: BTreeSet<_> = wanted.iter().map(Object::id).chain(held).collect();
    plan.deletions = deletions(live, owner, |id| kept.contains(id));
    plan
}

/// Plans the removal of everything this application has made, definitions excepted.
pub fn removal(live: &LiveObjects, owner: &Owner) -> Plan {
    Plan {
        deletions: deletions(live, owner, |_| false),
        ..Plan::default()
    }
}

fn upsert(wanted: &Object, live: Option<&Object>, owner: &Owner, plan: &mut Plan) {
    let id = wanted.id();
    let wave = id.wave().unwrap_or(Wave::Resources);
    let Some(live) = live else {
        let object = wanted.clone();
        return plan.upserts.push(Upsert {
            object,
            wave,
            differences: None,
            adopts: false,
        });
    };
    let mut object = wanted.clone();
    if wave == Wave::Definitions {
        match definitions::decide(wanted, live, owner) {
            Definition::Apply(merged) => object = merged,
            Definition::Leave(why) => return plan.left.push((id.clone(), why)),
        }
    } else if let Ownership::Foreign(whose) = ownership::ownership(live, owner) {
        return plan.obstacles.push(Obstacle {
            id: id.clone(),
            whose,
        });
    }
    let adopted = adoption::after_adoption(live);
    let live = adopted.as_ref().unwrap_or(live);
    if id.is(&VALIDATING_WEBHOOK) {
        shared_fields::leave_failure_policy(&mut object, live);
    }
    let differences = drift::differences(&object, live);
    if adopted.is_some() || !differences.is_empty() {
        plan.upserts.push(Upsert {
            object,
            wave,
            differences: Some(differences),
            adopts: adopted.is_some(),
        });
    }
}

fn deletions(live: &LiveObjects, owner: &Owner, kept: impl Fn(&ObjectId) -> bool) -> Vec<Deletion> {
    let mut deletions: Vec<_> = live
        .values()
        .filter(|object| !kept(object.id()) && ownership::may_delete(object, owner))
        .filter(|object| object.id().wave().is_some_and(|it| it != Wave::Definitions))
        .filter_map(|object| {
            Some(Deletion {
                id: object.id().clone(),
                uid: object.uid()?.to_owned(),
                under_way: object.is_being_deleted(),
            })
        })
        .collect();
    deletions.sort_by_key(|it| std::cmp::Reverse(it.id.wave()));
    deletions
}

impl fmt::Display for Plan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for obstacle in &self.obstacles {
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

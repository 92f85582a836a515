//! Relations: which there are, who is on the other side, and the data that both sides share.
//!
//! A relation can vanish while a hook runs (a forced removal, the other model gone). Reads of one
//! relation therefore answer `None` when it is gone, which no charm has to treat as a failure.
//!
//! A charm normally reads all relations of an endpoint with [`HookTools::relations`], as values
//! that pure code can decide on, and writes with [`HookTools::set_relation_data`].
//!
//! [`HookTools::relations`]: crate::HookTools::relations
//! [`HookTools::set_relation_data`]: crate::HookTools::set_relation_data

mod applications;
mod databag;
mod read;
mod tools;

use std::collections::BTreeMap;
use std::fmt;

pub use databag::{Databag, DatabagChanges};

use crate::names::{ApplicationName, Endpoint, RelationId, UnitName};

/// One of the databags that a relation has for a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bag {
    /// That of the application on the other side; of a peer relation, this application's.
    RemoteApplication,
    /// Those of the units on the other side; of a peer relation, of the other units.
    RemoteUnits,
    /// This application's own. Only the leader reads it.
    OwnApplication,
    /// This unit's own.
    OwnUnit,
}

/// A databag that this unit may write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OwnBag {
    /// This application's; only the leader may write it.
    Application,
    /// This unit's.
    Unit,
}

impl From<OwnBag> for Bag {
    fn from(bag: OwnBag) -> Self {
        match bag {
            OwnBag::Application => Self::OwnApplication,
            OwnBag::Unit => Self::OwnUnit,
        }
    }
}

/// One relation, with the databags that were read.
///
/// A databag that was not read is `None`; one that was read and holds nothing is an empty
/// [`Databag`]. Tests build one by hand from [`Relation::new`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relation {
    /// Its identity, which names the endpoint too.
    pub id: RelationId,
    /// The application on the other side; of a peer relation, this one. Always there when
    /// `remote_application` is; otherwise only where it was known at no cost.
    pub application: Option<ApplicationName>,
    /// [`Bag::RemoteApplication`].
    pub remote_application: Option<Databag>,
    /// [`Bag::RemoteUnits`]: empty when no unit has joined.
    pub remote_units: Option<BTreeMap<UnitName, Databag>>,
    /// [`Bag::OwnApplication`]; also `None` when this unit is not the leader.
    pub own_application: Option<Databag>,
    /// [`Bag::OwnUnit`].
    pub own_unit: Option<Databag>,
}

impl Relation {
    /// A relation of which nothing has been read yet.
    pub fn new(id: RelationId) -> Self {
        Self {
            id,
            application: None,
            remote_application: None,
            remote_units: None,
            own_application: None,
            own_unit: None,
        }
    }

    /// The endpoint of this application that the relation is made at.
    pub fn endpoint(&self) -> &Endpoint {
        self.id.endpoint()
    }

    /// The application on the other side, for people: its name where it is known.
    pub fn other_side(&self) -> &str {
        match &self.application {
            Some(application) => application.as_str(),
            None => "the other application",
        }
    }

    /// A databag of this side; `None` when it was not read.
    pub fn own(&self, bag: OwnBag) -> Option<&Databag> {
        match bag {
            OwnBag::Application => self.own_application.as_ref(),
            OwnBag::Unit => self.own_unit.as_ref(),
        }
    }

    /// The changes that make keys of a databag of this side hold these values.
    ///
    /// All of them when the databag was not read, because what it holds is unknown then.
    pub fn changes_to(&self, bag: OwnBag, wanted: &DatabagChanges) -> DatabagChanges {
        match self.own(bag) {
            Some(databag) => databag.changes_to(wanted),
            None => wanted.clone(),
        }
    }
}

impl fmt::Display for Relation {
    /// Names the relation for people: `ingress:2 with dex-auth`, or `ingress:2`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.application {
            Some(application) => write!(formatter, "{} with {application}", self.id),
            None => write!(formatter, "{}", self.id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relation() -> Relation {
        Relation::new("ingress:2".parse().unwrap())
    }

    #[test]
    fn a_relation_names_itself_and_the_other_side() {
        assert_eq!(relation().to_string(), "ingress:2");
        assert_eq!(relation().endpoint().as_str(), "ingress");
        assert_eq!(relation().other_side(), "the other application");
        let relation = Relation {
            application: Some("dex-auth".parse().unwrap()),
            ..relation()
        };
        assert_eq!(relation.to_string(), "ingress:2 with dex-auth");
        assert_eq!(relation.other_side(), "dex-auth");
    }

    #[test]
    fn all_that_is_wanted_is_a_change_of_a_bag_that_was_not_read() {
        let wanted = DatabagChanges::from([
            ("kept".to_owned(), Some("1".to_owned())),
            ("new".to_owned(), Some("2".to_owned())),
            ("gone".to_owned(), None),
        ]);
        let read = Relation {
            own_unit: Some(Databag::from([("kept", "1")])),
            own_application: Some(Databag::default()),
            ..relation()
        };
        let keys = |relation: &Relation, bag| {
            let changes = relation.changes_to(bag, &wanted);
            changes.into_keys().collect::<Vec<_>>()
        };
        assert_eq!(keys(&relation(), OwnBag::Unit), ["gone", "kept", "new"]);
        assert_eq!(
            keys(&relation(), OwnBag::Application),
            ["gone", "kept", "new"]
        );
        assert_eq!(keys(&read, OwnBag::Unit), ["new"]);
        assert_eq!(keys(&read, OwnBag::Application), ["kept", "new"]);
    }

    #[test]
    fn each_own_bag_is_the_bag_of_the_same_name() {
        assert_eq!(Bag::from(OwnBag::Application), Bag::OwnApplication);
        assert_eq!(Bag::from(OwnBag::Unit), Bag::OwnUnit);
    }
}

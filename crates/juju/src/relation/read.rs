//! All relations of an endpoint, as values.

use std::collections::BTreeMap;

use super::applications::Applications;
use super::{Bag, Databag, Relation};
use crate::names::{Endpoint, RelationId, UnitName};
use crate::tools::{HookTools, ToolError};

/// Why a relation was not read.
enum ReadFailure {
    /// It vanished in the meantime.
    Gone,
    /// A tool failed.
    Tool(ToolError),
}

impl From<ToolError> for ReadFailure {
    fn from(error: ToolError) -> Self {
        Self::Tool(error)
    }
}

impl HookTools {
    /// Every relation of an endpoint with those databags, in the order of their numbers.
    ///
    /// It leaves out the relation that breaks in this hook, and any that vanishes while it is read.
    /// In a relation that stays, it leaves out a unit that is removed by force meanwhile.
    ///
    /// Costs one process for the list of relations, and for each relation one for each databag
    /// asked for; for [`Bag::RemoteUnits`] one more, and one for each unit. Reading
    /// [`Bag::RemoteApplication`] also needs the application's name. Where neither the hook's event
    /// nor a unit's name contains it, it comes from what [`HookTools::state`] keeps: one process in
    /// a hook for all endpoints. Only for a relation never seen before is it read
    /// (`relation-list --app`) and kept.
    ///
    /// # Errors
    /// When a tool fails. An endpoint without relations, or not declared, has none.
    pub fn relations(&self, endpoint: &Endpoint, bags: &[Bag]) -> Result<Vec<Relation>, ToolError> {
        let mut ids = self.relation_ids(endpoint)?;
        ids.sort_unstable();
        let mut applications = Applications::new(self, endpoint);
        let mut relations = Vec::new();
        for id in &ids {
            match self.read_relation(id, bags, &mut applications) {
                Ok(relation) => relations.push(relation),
                Err(ReadFailure::Gone) => {}
                Err(ReadFailure::Tool(error)) => return Err(error),
            }
        }
        applications.keep(&ids)?;
        Ok(relations)
    }

    fn read_relation(
        &self,
        id: &RelationId,
        bags: &[Bag],
        applications: &mut Applications<'_>,
    ) -> Result<Relation, ReadFailure> {
        let mut relation = Relation::new(id.clone());
        relation.application = self.application_in_event(id).cloned();
        if bags.contains(&Bag::RemoteUnits) {
            let units = self.relation_units(id)?.ok_or(ReadFailure::Gone)?;
            if let Some(unit) = units.first() {
                relation.application = Some(unit.application().clone());
            }
            relation.remote_units = Some(self.data_of_units(id, units)?);
        }
        if bags.contains(&Bag::RemoteApplication) {
            let application = match relation.application.take() {
                Some(application) => application,
                None => applications.of(id)?.ok_or(ReadFailure::Gone)?,
            };
            let data = self.relation_application_data(id, &application)?;
            relation.remote_application = Some(data.ok_or(ReadFailure::Gone)?);
            relation.application = Some(application);
        }
        // Juju 3.6 refuses it to others, in the same words as for a relation that is gone.
        if bags.contains(&Bag::OwnApplication) && self.is_leader()? {
            let data = self.relation_application_data(id, self.unit().application())?;
            relation.own_application = Some(data.ok_or(ReadFailure::Gone)?);
        }
        if bags.contains(&Bag::OwnUnit) {
            let data = self.relation_unit_data(id, self.unit())?;
            relation.own_unit = Some(data.ok_or(ReadFailure::Gone)?);
        }
        Ok(relation)
    }

    fn data_of_units(
        &self,
        id: &RelationId,
        units: Vec<UnitName>,
    ) -> Result<BTreeMap<UnitName, Databag>, ReadFailure> {
        let mut read = BTreeMap::new();
        for unit in units {
            match self.existing_unit_data(id, &unit) {
                Ok(data) => {
                    read.insert(unit, data);
                }
                Err(error) if error.says_relation_not_found() => return Err(ReadFailure::Gone),
                // Only the unit may be gone: what its application says still counts.
                Err(error) if error.is_relation_gone() => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(read)
    }
}

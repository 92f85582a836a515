//! The relation hook tools, one method for each.

use serde::Deserialize;

use super::{Databag, DatabagChanges, OwnBag};
use crate::names::{ApplicationName, Endpoint, ModelUuid, RelationId, UnitName};
use crate::tools::{HookTools, ToolCommand, ToolError, WriteOutcome};
use crate::yaml;

#[derive(Deserialize)]
struct RelationModel {
    uuid: ModelUuid,
}

impl HookTools {
    /// The relations at an endpoint (`relation-ids`).
    ///
    /// Leaves out the relation that breaks in this hook, which Juju still lists.
    ///
    /// # Errors
    /// When the tool fails. An endpoint without relations, or not declared, has none.
    pub fn relation_ids(&self, endpoint: &Endpoint) -> Result<Vec<RelationId>, ToolError> {
        let command = ToolCommand::new("relation-ids").json().arg(endpoint);
        let ids: Option<Vec<RelationId>> = self.run_json(&command)?;
        let mut ids = ids.unwrap_or_default();
        ids.retain(|id| Some(id) != self.broken_relation());
        Ok(ids)
    }

    /// The units on the other side (`relation-list`); of a peer relation, the other units.
    ///
    /// # Errors
    /// When the tool fails; `None` when the relation is gone.
    pub fn relation_units(
        &self,
        relation: &RelationId,
    ) -> Result<Option<Vec<UnitName>>, ToolError> {
        let command = ToolCommand::new("relation-list")
            .json()
            .arg("-r")
            .arg(relation);
        let units = unless_gone(self.run_json::<Option<Vec<_>>>(&command))?;
        Ok(units.map(Option::unwrap_or_default))
    }

    /// The application on the other side (`relation-list --app`); of a peer relation, this one.
    ///
    /// # Errors
    /// When the tool fails; `None` when the relation is gone.
    pub fn relation_application(
        &self,
        relation: &RelationId,
    ) -> Result<Option<ApplicationName>, ToolError> {
        let command = ToolCommand::new("relation-list")
            .json()
            .arg("--app")
            .arg("-r")
            .arg(relation);
        Ok(unless_gone(self.run_json::<Option<_>>(&command))?.flatten())
    }

    /// The data of a unit (`relation-get`): of a remote one, or of this one.
    ///
    /// # Errors
    /// When the tool fails; `None` when the relation, or the unit in it, is gone.
    pub fn relation_unit_data(
        &self,
        relation: &RelationId,
        unit: &UnitName,
    ) -> Result<Option<Databag>, ToolError> {
        unless_gone(self.existing_unit_data(relation, unit))
    }

    /// The data of a unit; it is also an error when the relation or the unit is gone.
    pub(super) fn existing_unit_data(
        &self,
        relation: &RelationId,
        unit: &UnitName,
    ) -> Result<Databag, ToolError> {
        let command = ToolCommand::new("relation-get")
            .json()
            .arg("-r")
            .arg(relation);
        self.databag(&command.arg("-").arg(unit))
    }

    /// The data of an application (`relation-get --app`): of the remote one, or of this one.
    ///
    /// # Errors
    /// When the tool fails; `None` when the relation is gone, and in Juju 3.6 when a unit that is
    /// not the leader asks for the data of its own application.
    pub fn relation_application_data(
        &self,
        relation: &RelationId,
        application: &ApplicationName,
    ) -> Result<Option<Databag>, ToolError> {
        let command = ToolCommand::new("relation-get")
            .json()
            .arg("-r")
            .arg(relation)
            .arg("--app");
        unless_gone(self.databag(&command.arg("-").arg(application)))
    }

    fn databag(&self, command: &ToolCommand) -> Result<Databag, ToolError> {
        let data = self.run_json::<Option<Databag>>(command)?;
        Ok(data.unwrap_or_default())
    }

    /// Changes a databag of this side (`relation-set`), when the hook succeeds.
    ///
    /// Juju merges: keys that are not named stay as they are. Only the leader may change the
    /// application's.
    ///
    /// # Errors
    /// When a tool fails; not being the leader, or a relation that is gone, is not a failure.
    pub fn set_relation_data(
        &self,
        relation: &RelationId,
        bag: OwnBag,
        changes: &DatabagChanges,
    ) -> Result<WriteOutcome, ToolError> {
        if self.broken_relation() == Some(relation) {
            return Ok(WriteOutcome::RelationGone);
        }
        if changes.is_empty() {
            return Ok(WriteOutcome::Unchanged);
        }
        let mut command = ToolCommand::new("relation-set").arg("-r").arg(relation);
        if bag == OwnBag::Application {
            if !self.is_leader()? {
                return Ok(WriteOutcome::NotLeader);
            }
            command = command.arg("--app");
        }
        // An empty value removes the key.
        let values = changes
            .iter()
            .map(|(key, value)| (key, value.as_deref().unwrap_or("")));
        let input = yaml::text_map(&values.collect());
        match self.run(&command.arg("--file").arg("-").input(input)) {
            Ok(_) => Ok(WriteOutcome::Written),
            Err(error) if error.is_not_leader() => Ok(WriteOutcome::NotLeader),
            Err(error) if error.is_relation_gone() => Ok(WriteOutcome::RelationGone),
            Err(error) => Err(error),
        }
    }

    /// The model of the other side (`relation-model-get`), since Juju 3.6.2.
    ///
    /// # Errors
    /// When the tool fails, with [`ToolError::is_missing_tool`] in older versions; `None` when the
    /// relation is gone.
    pub fn relation_model(&self, relation: &RelationId) -> Result<Option<ModelUuid>, ToolError> {
        let command = ToolCommand::new("relation-model-get")
            .arg("-r")
            .arg(relation)
            .json();
        let model = unless_gone(self.run_json::<RelationModel>(&command))?;
        Ok(model.map(|model| model.uuid))
    }
}

fn unless_gone<T>(answer: Result<T, ToolError>) -> Result<Option<T>, ToolError> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is_relation_gone() => Ok(None),
        Err(error) => Err(error),
    }
}

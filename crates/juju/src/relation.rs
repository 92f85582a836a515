//! Relations: which there are, who is on the other side, and the data that both sides share.
//!
//! A relation can vanish while a hook runs (a forced removal, the other model gone). Reads of one
//! relation therefore answer `None` when it is gone, which no charm has to treat as a failure.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::names::{ApplicationName, Endpoint, ModelUuid, RelationId, UnitName};
use crate::tools::{HookTools, ToolCommand, ToolError, WriteOutcome};
use crate::yaml;

/// The data of one unit or application in one relation.
///
/// Both keys and values are text; an interface defines what they mean. An empty value is no value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Databag(BTreeMap<String, String>);

/// What to change in a databag: new values, and keys to take away (`None`).
pub type DatabagChanges = BTreeMap<String, Option<String>>;

impl Databag {
    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0
            .get(key)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// All keys and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Whether there is no value at all.
    pub fn is_empty(&self) -> bool {
        self.0.values().all(String::is_empty)
    }

    /// The changes that make these keys hold these values; other keys stay as they are.
    ///
    /// Empty when all of them do already, so that a charm writes only what differs.
    pub fn changes_to(&self, wanted: &DatabagChanges) -> DatabagChanges {
        let differs = |(key, value): &(&String, &Option<String>)| {
            self.get(key) != value.as_deref().filter(|value| !value.is_empty())
        };
        let changes = wanted.iter().filter(differs);
        changes
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    }
}

impl FromIterator<(String, String)> for Databag {
    fn from_iter<T: IntoIterator<Item = (String, String)>>(values: T) -> Self {
        Self(values.into_iter().collect())
    }
}

#[derive(Deserialize)]
struct RelationModel {
    uuid: ModelUuid,
}

impl HookTools {
    /// The relations at an endpoint (`relation-ids`).
    ///
    /// Left out is the relation that breaks in this hook: Juju still lists it.
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
        let command = ToolCommand::new("relation-get")
            .json()
            .arg("-r")
            .arg(relation);
        self.databag(&command.arg("-").arg(unit))
    }

    /// The data of an application (`relation-get --app`): of the remote one, or of this one.
    ///
    /// # Errors
    /// When the tool fails; `None` when the relation is gone, and in Juju 3.6 when a unit that is not
    /// the leader asks for the data of its own application.
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
        self.databag(&command.arg("-").arg(application))
    }

    fn databag(&self, command: &ToolCommand) -> Result<Option<Databag>, ToolError> {
        let data = unless_gone(self.run_json::<Option<_>>(command))?;
        Ok(data.map(Option::unwrap_or_default))
    }

    /// Changes this unit's data in a relation (`relation-set`), when the hook succeeds.
    ///
    /// # Errors
    /// When the tool fails; a relation that is gone is no failure.
    pub fn set_relation_unit_data(
        &self,
        relation: &RelationId,
        changes: &DatabagChanges,
    ) -> Result<WriteOutcome, ToolError> {
        self.relation_set(
            ToolCommand::new("relation-set").arg("-r").arg(relation),
            relation,
            changes,
        )
    }

    /// Changes this application's data in a relation (`relation-set --app`), when the hook succeeds.
    /// Leader only.
    ///
    /// # Errors
    /// When the tool fails; not being the leader, or a relation that is gone, is no failure.
    pub fn set_relation_application_data(
        &self,
        relation: &RelationId,
        changes: &DatabagChanges,
    ) -> Result<WriteOutcome, ToolError> {
        if !self.is_leader()? {
            return Ok(WriteOutcome::NotLeader);
        }
        let command = ToolCommand::new("relation-set")
            .arg("-r")
            .arg(relation)
            .arg("--app");
        self.relation_set(command, relation, changes)
    }

    fn relation_set(
        &self,
        command: ToolCommand,
        relation: &RelationId,
        changes: &DatabagChanges,
    ) -> Result<WriteOutcome, ToolError> {
        if self.broken_relation() == Some(relation) {
            return Ok(WriteOutcome::RelationGone);
        }
        if changes.is_empty() {
            return Ok(WriteOutcome::Unchanged);
        }
        // An empty value takes the key away.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(pairs: &[(&str, Option<&str>)]) -> DatabagChanges {
        let own =
            |(key, value): &(&str, Option<&str>)| ((*key).to_owned(), value.map(str::to_owned));
        pairs.iter().map(own).collect()
    }

    #[test]
    fn only_what_differs_is_a_change() {
        let data: Databag = serde_json::from_str(r#"{"a":"1","b":"2","empty":""}"#).unwrap();
        let wanted = changes(&[
            ("a", Some("1")),
            ("b", Some("3")),
            ("c", Some("4")),
            ("empty", None),
            ("absent", None),
            ("absent-too", Some("")),
        ]);
        assert_eq!(
            data.changes_to(&wanted),
            changes(&[("b", Some("3")), ("c", Some("4"))])
        );
        let removal = changes(&[("a", None)]);
        assert_eq!(data.changes_to(&removal), removal);
    }
}

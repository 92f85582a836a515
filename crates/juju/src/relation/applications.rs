//! Which application is on the other side of a relation: it never changes, so it is read once
//! in the life of a relation and then kept in the unit's state.
//!
//! One `state-get` in a hook then replaces one `relation-list --app` for each relation. Nothing is
//! read or kept while every name is known from elsewhere, so a model without relations pays
//! nothing.

use std::collections::BTreeMap;

use crate::names::{ApplicationName, Endpoint, RelationId};
use crate::state::{MAX_VALUE_LENGTH, State};
use crate::tools::{HookTools, ToolError};

type ByRelation = BTreeMap<RelationId, ApplicationName>;

/// The applications on the other side of an endpoint's relations.
pub(super) struct Applications<'a> {
    tools: &'a HookTools,
    /// One key for an endpoint, so that the next write drops what is kept of relations that are
    /// gone.
    key: String,
    /// What is kept; `None` until it is needed.
    kept: Option<ByRelation>,
    learned: ByRelation,
}

impl<'a> Applications<'a> {
    pub(super) fn new(tools: &'a HookTools, endpoint: &Endpoint) -> Self {
        Self {
            tools,
            key: format!("relation-applications.{endpoint}"),
            kept: None,
            learned: ByRelation::new(),
        }
    }

    /// The application on the other side of a relation; `None` when the relation is gone.
    pub(super) fn of(
        &mut self,
        relation: &RelationId,
    ) -> Result<Option<ApplicationName>, ToolError> {
        if self.kept.is_none() {
            self.kept = Some(read(&self.tools.state()?, &self.key));
        }
        let kept = self.kept.as_ref().and_then(|kept| kept.get(relation));
        if let Some(application) = kept {
            return Ok(Some(application.clone()));
        }
        let application = self.tools.relation_application(relation)?;
        if let Some(application) = &application {
            self.learned.insert(relation.clone(), application.clone());
        }
        Ok(application)
    }

    /// Keeps what was learned, together with what is kept of the endpoint's other relations.
    pub(super) fn keep(self, relations: &[RelationId]) -> Result<(), ToolError> {
        if self.learned.is_empty() {
            return Ok(());
        }
        let mut kept = self.kept.unwrap_or_default();
        kept.retain(|relation, _| relations.contains(relation));
        kept.extend(self.learned);
        match serde_json::to_string(&kept) {
            // It only saves processes: what Juju would refuse is not worth a failed hook.
            Ok(value) if value.len() <= MAX_VALUE_LENGTH => {
                let _ = self.tools.set_state(&State::from([(self.key, value)]))?;
            }
            _ => {}
        }
        Ok(())
    }
}

/// What is kept under a key; nothing where it cannot be read.
fn read(state: &State, key: &str) -> ByRelation {
    let value = state.get(key).map(String::as_str).unwrap_or_default();
    serde_json::from_str(value).unwrap_or_default()
}

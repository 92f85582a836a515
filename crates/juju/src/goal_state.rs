//! What the model is going to be: which units exist and which of them are being removed.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::names::{ApplicationName, Endpoint, UnitName};
use crate::tools::{HookTools, ToolCommand, ToolError};

/// The units and relations that the user has asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct GoalState {
    /// The units of this application, this one included.
    #[serde(default)]
    pub units: BTreeMap<UnitName, GoalStatus>,
    /// The other sides of the relations, by endpoint of this application.
    #[serde(default)]
    pub relations: BTreeMap<Endpoint, GoalRelation>,
}

/// The other side of the relations at one endpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "BTreeMap<String, GoalStatus>")]
pub struct GoalRelation {
    /// The applications.
    pub applications: BTreeMap<ApplicationName, GoalStatus>,
    /// Their units.
    pub units: BTreeMap<UnitName, GoalStatus>,
    /// Offers of other models that are consumed here, by their URL, such as `admin/cos.scrape`:
    /// Juju 3.6 names them so and shows no units of theirs (`goalStateRelations` in
    /// `apiserver/facades/agent/uniter/uniter.go`). Whatever is neither an application nor a unit
    /// is one of them, so that nothing in here stops a charm from reading the rest.
    pub offers: BTreeMap<String, GoalStatus>,
}

/// What is happening to a unit or relation.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct GoalStatus {
    /// For units their workload status, or `dying`; for applications the relation's, `joined`.
    pub status: String,
    /// Since when, as Juju prints it (`2026-11-23 17:14:58Z`).
    #[serde(default)]
    pub since: Option<String>,
}

impl GoalStatus {
    /// Whether it is being removed.
    pub fn is_dying(&self) -> bool {
        self.status == "dying"
    }
}

impl GoalState {
    /// How many units will stay; 0 when the application is removed or scaled to none.
    pub fn planned_units(&self) -> usize {
        self.units.values().filter(|unit| !unit.is_dying()).count()
    }

    /// Whether the whole application is being removed: every unit is dying, this one included.
    ///
    /// False when Juju shows no unit at all: then nothing is known.
    pub fn is_application_going_away(&self, own_unit: &UnitName) -> bool {
        self.units.contains_key(own_unit) && self.planned_units() == 0
    }
}

impl From<BTreeMap<String, GoalStatus>> for GoalRelation {
    /// Juju mixes applications, units and offers in one map; only their names tell which is which.
    fn from(mixed: BTreeMap<String, GoalStatus>) -> Self {
        let mut relation = Self::default();
        for (name, status) in mixed {
            if let Ok(unit) = name.parse::<UnitName>() {
                relation.units.insert(unit, status);
            } else if let Ok(application) = name.parse::<ApplicationName>() {
                relation.applications.insert(application, status);
            } else {
                relation.offers.insert(name, status);
            }
        }
        relation
    }
}

impl HookTools {
    /// The goal state (`goal-state`), read again at every call.
    ///
    /// # Errors
    /// When the tool fails.
    pub fn goal_state(&self) -> Result<GoalState, ToolError> {
        self.run_json(&ToolCommand::new("goal-state").json())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> GoalState {
        serde_json::from_str(text).unwrap()
    }

    // The answers are those of a Juju 4.0.15 unit.

    #[test]
    fn units_and_both_sides_of_relations_are_read() {
        let goal = parse(
            r#"{"units":{"rec/0":{"status":"maintenance","since":"2026-11-23 17:14:58Z"}},"relations":{"ingress":{"other":{"status":"joined","since":"2026-11-23 17:14:57Z"},"other/0":{"status":"maintenance","since":"2026-11-23 17:14:58Z"}}}}"#,
        );
        assert_eq!(goal.planned_units(), 1);
        let unit: UnitName = "rec/0".parse().unwrap();
        assert!(!goal.is_application_going_away(&unit));
        let ingress = &goal.relations[&Endpoint::from_static("ingress")];
        assert_eq!(
            ingress.applications[&"other".parse().unwrap()].status,
            "joined"
        );
        assert_eq!(
            ingress.units[&"other/0".parse().unwrap()].status,
            "maintenance"
        );
    }

    #[test]
    fn offers_of_other_models_are_read_beside_applications_and_units() {
        let goal = parse(
            r#"{"units":{"rec/0":{"status":"dying"}},"relations":{"ingress":{"admin/cos.scrape":{"status":"joined"},"ctl:someone@external/a-model.offer_1":{"status":"joined"},"other":{"status":"joined"},"other/0":{"status":"active"}}}}"#,
        );
        assert!(goal.is_application_going_away(&"rec/0".parse().unwrap()));
        let ingress = &goal.relations[&Endpoint::from_static("ingress")];
        let offers: Vec<_> = ingress.offers.keys().collect();
        assert_eq!(
            offers,
            ["admin/cos.scrape", "ctl:someone@external/a-model.offer_1"]
        );
        assert_eq!(ingress.applications.len(), 1);
        assert_eq!(ingress.units.len(), 1);
    }

    #[test]
    fn the_application_goes_away_when_every_unit_is_dying() {
        let unit: UnitName = "rec/0".parse().unwrap();
        let removed = parse(
            r#"{"units":{"rec/0":{"status":"dying","since":"2026-11-23 17:17:49Z"}},"relations":{}}"#,
        );
        assert!(removed.is_application_going_away(&unit));
        assert_eq!(removed.planned_units(), 0);
        let scaled = parse(r#"{"units":{"rec/0":{"status":"dying"},"rec/1":{"status":"active"}}}"#);
        assert!(!scaled.is_application_going_away(&unit));
        assert!(!parse("{}").is_application_going_away(&unit));
    }
}

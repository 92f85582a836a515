//! The unit whose hook runs, and the topology that metrics and dashboards carry of it.

use juju::context::Model;
use juju::names::UnitName;
use serde::Serialize;

/// The charm's name in `metadata.yaml`.
pub const CHARM: &str = "istio-pilot";

/// The unit whose hook runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// Its name.
    pub name: UnitName,
    /// Its model.
    pub model: Model,
    /// Where it listens; `None` when Juju does not know, or when no relation needs it.
    pub address: Option<String>,
}

/// What Juju's charms for observability call the topology: where a metric, rule or dashboard comes
/// from. The order of the fields is that of Python's dictionaries.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Topology<'a> {
    model: &'a str,
    model_uuid: &'a str,
    application: &'a str,
    unit: &'a UnitName,
    #[serde(skip_serializing_if = "Option::is_none")]
    charm_name: Option<&'a str>,
}

/// The topology as labels of an alert rule. Without the unit: a rule is about all of them.
#[derive(Clone, Debug, Serialize)]
pub(super) struct TopologyLabels {
    #[serde(rename = "juju_model")]
    model: String,
    #[serde(rename = "juju_model_uuid")]
    model_uuid: String,
    #[serde(rename = "juju_application")]
    application: String,
    #[serde(rename = "juju_charm")]
    charm: String,
}

impl Unit {
    pub(super) fn application(&self) -> &str {
        self.name.application().as_str()
    }

    /// The topology; with the charm's name where `with_charm` says so.
    pub(super) fn topology(&self, with_charm: bool) -> Topology<'_> {
        Topology {
            model: self.model.name.as_str(),
            model_uuid: self.model.uuid.as_str(),
            application: self.application(),
            unit: &self.name,
            charm_name: with_charm.then_some(CHARM),
        }
    }

    /// The labels of an alert rule.
    pub(super) fn labels(&self) -> TopologyLabels {
        TopologyLabels {
            model: self.model.name.to_string(),
            model_uuid: self.model.uuid.to_string(),
            application: self.application().to_owned(),
            charm: CHARM.to_owned(),
        }
    }

    /// What selects the series of this application in a query.
    pub(super) fn matchers(&self) -> String {
        let (model, uuid) = (&self.model.name, &self.model.uuid);
        let application = self.application();
        format!(
            r#"juju_model="{model}", juju_model_uuid="{uuid}", juju_application="{application}""#
        )
    }

    /// The beginning of the names of this application's groups of rules: model, the first 8
    /// characters of its UUID, and application.
    pub(super) fn prefix(&self) -> String {
        let uuid: String = self.model.uuid.as_str().chars().take(8).collect();
        format!("{}_{uuid}_{}", self.model.name, self.application())
    }
}

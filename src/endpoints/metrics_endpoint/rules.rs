//! When Prometheus alerts.
//!
//! The rules are in `observability/alerts/`, in Prometheus's own form. There,
//! `%%juju_topology%%` stands for what selects the series of one application, as in other charms.

use serde::{Deserialize, Serialize};

use crate::endpoints::Unit;
use crate::endpoints::unit::TopologyLabels;

const FILES: [&str; 2] = [
    include_str!("../../../observability/alerts/control_plane.yaml"),
    include_str!("../../../observability/alerts/node_agents.yaml"),
];

/// What stands in an expression for the matchers of one application.
const TOPOLOGY: &str = "%%juju_topology%%";

/// Rules that cannot be used: a defect of this program.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unusable {
    #[error("an alert rule cannot be read")]
    Yaml(#[from] serde_yaml::Error),
    #[error("an alert rule cannot be written")]
    Json(#[from] serde_json::Error),
}

/// Groups of rules. Fields are written in the order of Prometheus's documentation, whatever the
/// order in the file.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Groups {
    groups: Vec<Group>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Group {
    name: String,
    rules: Vec<Rule>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    alert: String,
    expr: String,
    #[serde(rename = "for")]
    duration: String,
    labels: Labels,
    annotations: Annotations,
}

#[derive(Debug, Deserialize, Serialize)]
struct Labels {
    severity: String,
    /// Who the alert is about; added here.
    #[serde(flatten, skip_deserializing)]
    topology: Option<TopologyLabels>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Annotations {
    summary: String,
    description: String,
}

/// The rules for the application of this unit.
///
/// # Errors
/// For a defect of the files.
pub(super) fn of(unit: &Unit) -> Result<Groups, Unusable> {
    let mut all = Vec::new();
    for file in FILES {
        let Groups { groups } = serde_yaml::from_str(file)?;
        all.extend(groups);
    }
    let matchers = unit.matchers();
    for group in &mut all {
        group.name = group_name(unit, &group.name);
        for rule in &mut group.rules {
            rule.expr = rule.expr.replace(TOPOLOGY, &matchers);
            rule.labels.topology = Some(unit.labels());
        }
    }
    Ok(Groups { groups: all })
}

/// A name that no other application's group has. It has only letters, digits and underscores.
fn group_name(unit: &Unit, name: &str) -> String {
    let name = format!("{}_{name}_alerts", unit.prefix());
    let plain = |it: char| if it.is_ascii_alphanumeric() { it } else { '_' };
    name.chars().map(plain).collect()
}

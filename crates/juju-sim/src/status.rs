//! What `juju status` shows, as data and as the table.

use std::fmt;

use crate::clock;
use crate::state::{Application, State, Status};

/// The model as `juju status` shows it; prints as its table.
#[derive(Debug, Clone)]
pub struct ModelStatus {
    /// The model's name.
    pub model: String,
    /// The controller's name.
    pub controller: String,
    /// The cloud's name.
    pub cloud: String,
    /// Juju's version.
    pub version: String,
    /// When the status was taken, for example `17:15:47Z`.
    pub timestamp: String,
    /// Applications of other models.
    pub remote_applications: Vec<String>,
    /// In order of their names.
    pub applications: Vec<ApplicationStatus>,
    /// In order of their names.
    pub units: Vec<UnitStatus>,
}

/// A line of the table's App section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApplicationStatus {
    /// The application's name.
    pub name: String,
    /// What `application-version-set` said.
    pub version: String,
    /// What the leader set, otherwise the worst of the units.
    pub status: Status,
    /// Units there are and units there should be.
    pub units: (u32, u32),
    /// The charm's name.
    pub charm: String,
    /// Counts the charm files deployed, from 0.
    pub revision: u32,
    /// The Service's address.
    pub address: String,
}

/// A line of the table's Unit section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitStatus {
    /// `app/0`.
    pub name: String,
    /// Shown as a star after the name.
    pub leader: bool,
    /// The workload status; `error` with `hook failed: "..."` after a failed hook.
    pub workload: Status,
    /// `allocating`, `executing` or `idle`.
    pub agent: String,
    /// The pod's address.
    pub address: String,
    /// Opened ports, joined by commas.
    pub ports: String,
    /// The message as the table shows it: with the hook that runs, if one does.
    pub message: String,
}

/// What the leader set, otherwise the worst of the units.
pub(crate) fn application_status(application: &Application) -> Status {
    const WORST_FIRST: [&str; 6] = [
        "error",
        "blocked",
        "maintenance",
        "waiting",
        "active",
        "unknown",
    ];
    application.status.clone().unwrap_or_else(|| {
        let units = application
            .units
            .values()
            .map(crate::state::Unit::shown_status);
        let rank = |status: &Status| {
            WORST_FIRST
                .iter()
                .position(|name| *name == status.status)
                .unwrap_or(usize::MAX)
        };
        units
            .min_by_key(rank)
            .unwrap_or_else(|| Status::new("unknown", ""))
    })
}

impl ModelStatus {
    pub(crate) fn of(state: &State) -> Self {
        let applications = state
            .applications
            .values()
            .map(|application| ApplicationStatus {
                name: application.name.clone(),
                version: application.version.clone(),
                status: application_status(application),
                units: (
                    u32::try_from(application.units.len()).unwrap_or(0),
                    application.scale,
                ),
                charm: application.charm.name.clone(),
                revision: application.revision,
                address: application.address.clone(),
            });
        let units = state.applications.values().flat_map(|application| {
            application.units.values().map(move |unit| {
                let workload = unit.shown_status();
                let (agent, message) = match &unit.executing {
                    Some(hook) => (
                        "executing",
                        format!("({}) {}", hook.name(), workload.message),
                    ),
                    None if !unit.installed && unit.failed.is_none() => {
                        ("allocating", workload.message.clone())
                    }
                    None => ("idle", workload.message.clone()),
                };
                UnitStatus {
                    name: application.unit_name(unit.number),
                    leader: application.leader == Some(unit.number),
                    workload,
                    agent: agent.into(),
                    address: unit.address.clone(),
                    ports: unit
                        .opened_ports
                        .iter()
                        .cloned()
                        .collect::<Vec<_>>()
                        .join(","),
                    message,
                }
            })
        });
        Self {
            model: state.name.clone(),
            controller: state.controller.clone(),
            cloud: state.cloud.clone(),
            version: state.juju_version.clone(),
            timestamp: clock::short(clock::now()),
            remote_applications: state.remote_applications.keys().cloned().collect(),
            applications: applications.collect(),
            units: units.collect(),
        }
    }

    /// The line of a unit, for example `istio-pilot/0`.
    pub fn unit(&self, name: &str) -> Option<&UnitStatus> {
        self.units.iter().find(|unit| unit.name == name)
    }

    /// The line of an application.
    pub fn application(&self, name: &str) -> Option<&ApplicationStatus> {
        self.applications
            .iter()
            .find(|application| application.name == name)
    }
}

impl fmt::Display for ModelStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let model = [
            &self.model,
            &self.controller,
            &self.cloud,
            &self.version,
            &self.timestamp,
        ];
        let header = [
            "Model",
            "Controller",
            "Cloud/Region",
            "Version",
            "Timestamp",
        ];
        table(f, &header, &[], vec![model.map(Clone::clone).to_vec()])?;
        if !self.remote_applications.is_empty() {
            let row = |name: &String| {
                vec![
                    name.clone(),
                    "active".into(),
                    "local".into(),
                    format!("admin/remote.{name}"),
                ]
            };
            let rows = self.remote_applications.iter().map(row).collect();
            writeln!(f)?;
            table(f, &["SAAS", "Status", "Store", "URL"], &[], rows)?;
        }
        if self.applications.is_empty() {
            return writeln!(f, "\nModel \"admin/{}\" is empty.", self.model);
        }
        let header = [
            "App", "Version", "Status", "Scale", "Charm", "Channel", "Rev", "Address", "Exposed",
            "Message",
        ];
        let rows = self
            .applications
            .iter()
            .map(ApplicationStatus::row)
            .collect();
        writeln!(f)?;
        table(f, &header, &["Scale", "Rev"], rows)?;
        let header = ["Unit", "Workload", "Agent", "Address", "Ports", "Message"];
        writeln!(f)?;
        table(
            f,
            &header,
            &[],
            self.units.iter().map(UnitStatus::row).collect(),
        )
    }
}

impl ApplicationStatus {
    fn row(&self) -> Vec<String> {
        let (units, scale) = self.units;
        vec![
            self.name.clone(),
            self.version.clone(),
            self.status.status.clone(),
            if units == scale {
                scale.to_string()
            } else {
                format!("{units}/{scale}")
            },
            self.charm.clone(),
            String::new(),
            self.revision.to_string(),
            self.address.clone(),
            "no".into(),
            self.status.message.clone(),
        ]
    }
}

impl UnitStatus {
    fn row(&self) -> Vec<String> {
        vec![
            format!("{}{}", self.name, if self.leader { "*" } else { "" }),
            self.workload.status.clone(),
            self.agent.clone(),
            self.address.clone(),
            self.ports.clone(),
            self.message.clone(),
        ]
    }
}

/// Columns two spaces apart; blanks at the ends of lines, which Juju prints, are left out.
fn table(
    f: &mut fmt::Formatter<'_>,
    header: &[&str],
    right: &[&str],
    rows: Vec<Vec<String>>,
) -> fmt::Result {
    let mut lines: Vec<Vec<String>> = vec![header.iter().map(ToString::to_string).collect()];
    lines.extend(rows);
    let width = |column: usize| {
        lines
            .iter()
            .filter_map(|line| line.get(column))
            .map(|c| c.chars().count())
            .max()
    };
    let widths: Vec<usize> = (0..header.len())
        .map(|column| width(column).unwrap_or(0))
        .collect();
    for line in &lines {
        let cells = line
            .iter()
            .zip(&widths)
            .zip(header)
            .map(|((cell, width), name)| {
                if right.contains(name) {
                    format!("{cell:>width$}")
                } else {
                    format!("{cell:<width$}")
                }
            });
        writeln!(f, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(status: &str, message: &str) -> Status {
        Status {
            status: status.into(),
            message: message.into(),
            since: 0,
        }
    }

    fn application(name: &str, revision: u32, address: &str) -> ApplicationStatus {
        ApplicationStatus {
            name: name.into(),
            version: "1.2.3".into(),
            status: status("active", "-dash message"),
            units: (1, 1),
            charm: "rec".into(),
            revision,
            address: address.into(),
        }
    }

    fn unit(name: &str, workload: Status, address: &str) -> UnitStatus {
        UnitStatus {
            name: name.into(),
            leader: true,
            message: workload.message.clone(),
            workload,
            agent: "idle".into(),
            address: address.into(),
            ports: String::new(),
        }
    }

    /// The table that a real Juju 4.0.15 printed.
    const RECORDED: &str = "\
Model  Controller  Cloud/Region  Version  Timestamp
mesh   ctl         two           4.0.15   17:15:47Z

App    Version  Status  Scale  Charm  Channel  Rev  Address         Exposed  Message
other  1.2.3    active      1  rec               1  10.152.85.80    no       -dash message
rec    1.2.3    active      1  rec               0  10.152.222.194  no       -dash message

Unit      Workload     Agent  Address      Ports  Message
other/0*  maintenance  idle   10.244.0.10         -from want-ingress-relation-changed
rec/0*    error        idle   10.244.0.9          hook failed: \"config-changed\"
";

    #[test]
    fn the_table_is_jujus() {
        let model = ModelStatus {
            model: "mesh".into(),
            controller: "ctl".into(),
            cloud: "two".into(),
            version: "4.0.15".into(),
            timestamp: "17:15:47Z".into(),
            remote_applications: Vec::new(),
            applications: vec![
                application("other", 1, "10.152.85.80"),
                application("rec", 0, "10.152.222.194"),
            ],
            units: vec![
                unit(
                    "other/0",
                    status("maintenance", "-from want-ingress-relation-changed"),
                    "10.244.0.10",
                ),
                unit(
                    "rec/0",
                    status("error", "hook failed: \"config-changed\""),
                    "10.244.0.9",
                ),
            ],
        };
        assert_eq!(model.to_string(), RECORDED);
    }
}

//! The status of a unit or application as `juju status` shows it.

use std::fmt;

use serde::Deserialize;

use crate::tools::{HookTools, MAX_ARGUMENT_LENGTH, ToolCommand, ToolError, WriteOutcome, cut};

/// A workload status with its message.
///
/// Messages are for people: short, what is wrong, what to do. Line breaks become spaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// Everything works.
    Active(String),
    /// Work is in progress.
    Maintenance(String),
    /// Something else has to happen first; no human is needed.
    Waiting(String),
    /// A human has to act; the message says how.
    Blocked(String),
}

/// How bad a status is; later ones are worse.
///
/// This is the order for combining several findings of one unit: what needs a human is worst, then
/// what needs time, then work in progress. It is not the order in which `juju status` sums up
/// units, where maintenance is worse than waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing to report.
    Active,
    /// Work is in progress.
    Maintenance,
    /// Something else has to happen first.
    Waiting,
    /// A human has to act.
    Blocked,
}

impl Status {
    /// The word that Juju uses.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Active(_) => "active",
            Self::Maintenance(_) => "maintenance",
            Self::Waiting(_) => "waiting",
            Self::Blocked(_) => "blocked",
        }
    }

    /// The message; may be empty.
    pub fn message(&self) -> &str {
        match self {
            Self::Active(message)
            | Self::Maintenance(message)
            | Self::Waiting(message)
            | Self::Blocked(message) => message,
        }
    }

    /// How bad it is.
    pub fn severity(&self) -> Severity {
        match self {
            Self::Active(_) => Severity::Active,
            Self::Maintenance(_) => Severity::Maintenance,
            Self::Waiting(_) => Severity::Waiting,
            Self::Blocked(_) => Severity::Blocked,
        }
    }

    /// Sums several findings up: the first of the worst in its own words.
    ///
    /// When more of them are blocked or waiting, ` (+2 more, see debug-log)` shows how many; the
    /// charm has to log them. `None` when there are no findings.
    pub fn worst_of(findings: impl IntoIterator<Item = Self>) -> Option<Self> {
        let mut worst: Option<Self> = None;
        let mut problems: u32 = 0;
        for finding in findings {
            if finding.severity() >= Severity::Waiting {
                problems += 1;
            }
            let is_worse = worst
                .as_ref()
                .is_none_or(|worst| worst.severity() < finding.severity());
            if is_worse {
                worst = Some(finding);
            }
        }
        let others = problems.saturating_sub(1);
        worst.map(|worst| match others {
            0 => worst,
            _ => worst.map_message(|text| format!("{text} (+{others} more, see debug-log)")),
        })
    }

    fn map_message(self, change: impl FnOnce(String) -> String) -> Self {
        match self {
            Self::Active(message) => Self::Active(change(message)),
            Self::Maintenance(message) => Self::Maintenance(change(message)),
            Self::Waiting(message) => Self::Waiting(change(message)),
            Self::Blocked(message) => Self::Blocked(change(message)),
        }
    }
}

impl fmt::Display for Status {
    /// `blocked: what to do`, or the word alone when there is no message.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.message() {
            "" => formatter.write_str(self.name()),
            message => write!(formatter, "{}: {message}", self.name()),
        }
    }
}

/// A status as Juju has it. Juju itself sets some that charms may not, such as `unknown`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ShownStatus {
    /// The word, such as `active` or `unknown`.
    pub status: String,
    /// The message; may be empty.
    #[serde(default)]
    pub message: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct ApplicationAnswer {
    application_status: ShownStatus,
}

impl HookTools {
    /// The status that Juju has for this unit (`status-get`), read once per hook.
    ///
    /// # Errors
    /// When the tool fails.
    pub fn unit_status(&self) -> Result<ShownStatus, ToolError> {
        if let Some(shown) = &self.cache().unit_status {
            return Ok(shown.clone());
        }
        let command = ToolCommand::new("status-get").arg("--include-data").json();
        let shown: ShownStatus = self.run_json(&command)?;
        self.cache().unit_status = Some(shown.clone());
        Ok(shown)
    }

    /// The status that Juju has for the application (`status-get --application`), read once per
    /// hook.
    ///
    /// # Errors
    /// When the tool fails; for a unit that is not the leader with [`ToolError::is_not_leader`].
    pub fn application_status(&self) -> Result<ShownStatus, ToolError> {
        if let Some(shown) = &self.cache().application_status {
            return Ok(shown.clone());
        }
        let command = ToolCommand::new("status-get")
            .arg("--include-data")
            .json()
            .arg("--application");
        let answer: ApplicationAnswer = self.run_json(&command)?;
        self.cache().application_status = Some(answer.application_status.clone());
        Ok(answer.application_status)
    }

    /// Whether Juju already shows this status for this unit.
    ///
    /// # Errors
    /// When the tool fails.
    pub fn shows_unit_status(&self, status: &Status) -> Result<bool, ToolError> {
        Ok(self.unit_status()? == self.presentable(status))
    }

    /// Shows a status for this unit (`status-set`), immediately, unless Juju already shows it.
    ///
    /// Buffered log lines are written first, so that the log shows what led to the status.
    ///
    /// # Errors
    /// When a tool fails.
    pub fn set_unit_status(&self, status: &Status) -> Result<WriteOutcome, ToolError> {
        if self.shows_unit_status(status)? {
            return Ok(WriteOutcome::Unchanged);
        }
        let wanted = self.presentable(status);
        self.flush_log();
        let command = ToolCommand::new("status-set")
            .arg(&wanted.status)
            .text(&wanted.message);
        self.run(&command)?;
        self.cache().unit_status = Some(wanted);
        Ok(WriteOutcome::Written)
    }

    /// Shows a status for the application, immediately, unless Juju already shows it. Leader only.
    ///
    /// # Errors
    /// When a tool fails; not being the leader is not a failure.
    pub fn set_application_status(&self, status: &Status) -> Result<WriteOutcome, ToolError> {
        if !self.is_leader()? {
            return Ok(WriteOutcome::NotLeader);
        }
        let wanted = self.presentable(status);
        match self.application_status() {
            Ok(shown) if shown == wanted => return Ok(WriteOutcome::Unchanged),
            Ok(_) => {}
            Err(error) if error.is_not_leader() => return Ok(WriteOutcome::NotLeader),
            Err(error) => return Err(error),
        }
        self.flush_log();
        let command = ToolCommand::new("status-set")
            .arg("--application=true")
            .arg(&wanted.status)
            .text(&wanted.message);
        match self.run(&command) {
            Ok(_) => {
                self.cache().application_status = Some(wanted);
                Ok(WriteOutcome::Written)
            }
            Err(error) if error.is_not_leader() => Ok(WriteOutcome::NotLeader),
            Err(error) => Err(error),
        }
    }

    /// Shows the version of the workload in `juju status` (`application-version-set`), immediately.
    ///
    /// No tool reads it, so each hook that calls this costs one process.
    ///
    /// # Errors
    /// When the tool fails.
    pub fn set_application_version(&self, version: &str) -> Result<WriteOutcome, ToolError> {
        if self.cache().application_version.as_deref() == Some(version) {
            return Ok(WriteOutcome::Unchanged);
        }
        self.run(&ToolCommand::new("application-version-set").text(version))?;
        self.cache().application_version = Some(version.to_owned());
        Ok(WriteOutcome::Written)
    }

    fn presentable(&self, status: &Status) -> ShownStatus {
        let message = self.without_secrets(status.message());
        // A NUL cannot be in an argument at all.
        let words = message.split(|letter: char| letter.is_whitespace() || letter == '\0');
        let message = words
            .filter(|word| !word.is_empty())
            .collect::<Vec<_>>()
            .join(" ");
        let message = cut(&message, MAX_ARGUMENT_LENGTH).to_owned();
        ShownStatus {
            status: status.name().to_owned(),
            message,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocked(message: &str) -> Status {
        Status::Blocked(message.to_owned())
    }

    fn waiting(message: &str) -> Status {
        Status::Waiting(message.to_owned())
    }

    #[test]
    fn blocked_is_worst_then_waiting_then_maintenance() {
        let maintenance = Status::Maintenance("m".to_owned());
        let active = Status::Active("a".to_owned());
        let worst = |findings: &[&Status]| {
            Status::worst_of(findings.iter().copied().cloned())
                .unwrap()
                .to_string()
        };
        assert_eq!(worst(&[&active, &maintenance]), "maintenance: m");
        assert_eq!(worst(&[&waiting("w"), &maintenance]), "waiting: w");
        assert_eq!(worst(&[&maintenance, &blocked("b"), &active]), "blocked: b");
        assert_eq!(worst(&[&active]), "active: a");
        assert_eq!(Status::worst_of([]), None);
    }

    #[test]
    fn further_problems_are_counted() {
        let worst = Status::worst_of([waiting("w"), blocked("first"), blocked("second")]);
        assert_eq!(worst, Some(blocked("first (+2 more, see debug-log)")));
        let worst = Status::worst_of([blocked("only"), Status::Active(String::new())]);
        assert_eq!(worst, Some(blocked("only")));
    }

    #[test]
    fn answers_of_status_get_are_read() {
        // Juju 4.0.15
        let unit =
            r#"{"message":"installing charm software","status":"maintenance","status-data":{}}"#;
        let unit: ShownStatus = serde_json::from_str(unit).unwrap();
        assert_eq!(unit.status, "maintenance");
        assert_eq!(unit.message, "installing charm software");
        let application = r#"{"application-status":{"status":"active","units":{"rec/0":{"status":"maintenance"}}}}"#;
        let application: ApplicationAnswer = serde_json::from_str(application).unwrap();
        let expected = ShownStatus {
            status: "active".to_owned(),
            message: String::new(),
        };
        assert_eq!(application.application_status, expected);
    }
}

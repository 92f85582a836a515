//! Shows a report to people and to other charms.

use juju::context::Event;

use super::Charm;
use crate::report::{LogLine, Report};

impl Charm {
    /// Writes the log, the databags, the version and the status, in this order.
    ///
    /// # Errors
    /// A hook tool that fails.
    pub(super) fn publish(&self, report: &Report) -> anyhow::Result<()> {
        log(&report.log);
        for publication in &report.publications {
            let (relation, changes) = (&publication.relation, &publication.changes);
            // A relation that is gone needs no data, and a new leader writes its own.
            let _ = self
                .tools
                .set_relation_data(relation, publication.bag, changes)?;
        }
        if let Some(version) = &report.version
            && self.may_have_new_version(report)?
        {
            let _ = self.tools.set_application_version(version)?;
        }
        let _ = self.tools.set_unit_status(&report.status)?;
        Ok(())
    }

    /// Whether Juju may show another version than the running one. The shown version cannot be read
    /// back, and writing it costs a process: a periodic hook that finds no change does not write
    /// it.
    fn may_have_new_version(&self, report: &Report) -> anyhow::Result<bool> {
        let is_periodic = self.context.event == Event::UpdateStatus;
        Ok(!is_periodic || report.has_applied || !self.tools.shows_unit_status(&report.status)?)
    }
}

/// Writes lines to the log.
pub(super) fn log(lines: &[LogLine]) {
    for line in lines {
        match line {
            LogLine::Info(text) => tracing::info!("{text}"),
            LogLine::Warning(text) => tracing::warn!("{text}"),
        }
    }
}

//! Shows a report to people and to other charms.

use juju::context::Event;

use super::Charm;
use super::keys::KeyChange;
use crate::decide::decide;
use crate::endpoints::{self, Publication, World};
use crate::report::{LogLine, Report};

impl Charm {
    /// Writes the log, the databags, the version and the status, in this order.
    ///
    /// # Errors
    /// A hook tool that fails.
    pub(super) fn publish(&self, report: &Report) -> anyhow::Result<()> {
        log(&report.log);
        self.write_databags(&report.publications)?;
        if let Some(version) = &report.version
            && self.may_have_new_version(report)?
        {
            let _ = self.tools.set_application_version(version)?;
        }
        let _ = self.tools.set_unit_status(&report.status)?;
        Ok(())
    }

    /// Writes what a unit that does not lead has to tell other charms: only about itself. That
    /// changes with its relations and its address, which have hooks of their own, so a periodic hook
    /// has nothing to write.
    ///
    /// # Errors
    /// A hook tool that fails.
    pub(super) fn publish_as_follower(&self, key: KeyChange) -> anyhow::Result<()> {
        if self.context.event == Event::UpdateStatus {
            return Ok(());
        }
        let facts = self.facts_of_follower(key)?;
        let intent = decide(&facts);
        let world = World {
            intent: &intent,
            observed: None,
            leader: false,
            unit: facts.unit.as_ref(),
            known: facts.known(),
        };
        self.write_databags(&endpoints::publications_of_unit(&facts.relations, &world))
    }

    fn write_databags(&self, publications: &[Publication]) -> anyhow::Result<()> {
        for publication in publications {
            let (relation, changes) = (&publication.relation, &publication.changes);
            // A relation that is gone needs no data, and a new leader writes its own.
            let _ = self
                .tools
                .set_relation_data(relation, publication.bag, changes)?;
        }
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

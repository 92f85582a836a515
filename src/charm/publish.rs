//! Shows a report to people and to other charms.

use juju::context::Event;
use juju::names::Endpoint;
use juju::relation::Bag;

use super::Charm;
use crate::endpoints::{self, Publication, Relations};
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
    pub(super) fn publish_as_follower(&self) -> anyhow::Result<()> {
        if self.context.event == Event::UpdateStatus {
            return Ok(());
        }
        let mut relations = Relations::new();
        for endpoint in endpoints::with_data_of_units() {
            let name = Endpoint::from_static(endpoint.name());
            let found = self.tools.relations(&name, &[Bag::OwnUnit])?;
            relations.insert(endpoint.name(), found);
        }
        let unit = self.unit(&relations)?;
        self.write_databags(&endpoints::publications_of_unit(&relations, &unit))
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

//! Reads what a hook knows before it reads the cluster: one hook tool for each fact.

use juju::names::Endpoint;

use super::Charm;
use crate::decide::Facts;
use crate::endpoints::{ALL, Relations};
use crate::intent::identity::Identity;

impl Charm {
    /// Reads the facts of this application, whose control plane lives in that namespace.
    ///
    /// # Errors
    /// A hook tool that fails.
    pub(super) fn facts(&self, namespace: &str) -> anyhow::Result<Facts> {
        Ok(Facts {
            identity: Identity::new(self.application(), namespace),
            leader: self.tools.is_leader()?,
            options: self.tools.config()?.values().clone(),
            relations: self.relations()?,
        })
    }

    fn relations(&self) -> anyhow::Result<Relations> {
        let mut relations = Relations::new();
        for endpoint in ALL {
            let name = Endpoint::from_static(endpoint.name());
            let found = self.tools.relations(&name, endpoint.reads())?;
            relations.insert(endpoint.name(), found);
        }
        Ok(relations)
    }
}

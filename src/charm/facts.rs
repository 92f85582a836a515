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

    /// The relations of each endpoint.
    ///
    /// The goal state says in one process at which endpoints there are any, instead of one process
    /// for each endpoint. Juju shows a relation there from before its first hook to the end of its
    /// last one. Of peer relations it shows nothing.
    fn relations(&self) -> anyhow::Result<Relations> {
        let goal_state = self.tools.goal_state()?;
        let mut relations = Relations::new();
        for endpoint in ALL {
            let name = Endpoint::from_static(endpoint.name());
            if goal_state.relations.contains_key(&name) {
                let found = self.tools.relations(&name, endpoint.reads())?;
                relations.insert(endpoint.name(), found);
            }
        }
        Ok(relations)
    }
}

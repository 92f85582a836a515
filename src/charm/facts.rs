//! Reads what a hook knows before it reads the cluster: one hook tool for each fact.

use std::collections::BTreeSet;

use juju::context::Event;
use juju::names::Endpoint;
use juju::state::State;

use super::Charm;
use crate::decide::Facts;
use crate::endpoints::{self, ALL, Endpoint as Served, Relations, Unit};
use crate::intent::identity::Identity;

/// Where this unit keeps which endpoints had relations, as a JSON list.
const RELATED_ENDPOINTS: &str = "related-endpoints";

impl Charm {
    /// Reads the facts of this application, whose control plane lives in that namespace.
    ///
    /// # Errors
    /// A hook tool that fails.
    pub(super) fn facts(&self, namespace: &str) -> anyhow::Result<Facts> {
        let relations = self.relations()?;
        Ok(Facts {
            identity: Identity::new(self.application(), namespace),
            leader: self.tools.is_leader()?,
            options: self.tools.config()?.values().clone(),
            unit: Some(self.unit(&relations)?),
            relations,
        })
    }

    /// This unit. Its address is read only where a relation needs it, and not in a periodic hook: a
    /// new address has a hook of its own (`config-changed`, as `WatchUnitAddressesHash` in
    /// `apiserver/facades/agent/uniter` tells it, Juju 3.6).
    ///
    /// # Errors
    /// A hook tool that fails.
    pub(super) fn unit(&self, relations: &Relations) -> anyhow::Result<Unit> {
        let needs_address = |name: &&str| {
            let has_relations = relations.get(name).is_some_and(|it| !it.is_empty());
            has_relations && self.context.event != Event::UpdateStatus
        };
        let mut endpoints = endpoints::with_data_of_units().map(Served::name);
        let network = match endpoints.find(needs_address) {
            Some(endpoint) => self.tools.network(&Endpoint::from_static(endpoint))?,
            None => None,
        };
        let mut interfaces = network.into_iter().flat_map(|it| it.bind_addresses);
        Ok(Unit {
            name: self.context.unit.clone(),
            model: self.context.model.clone(),
            address: interfaces
                .find_map(|it| it.addresses.into_iter().next())
                .map(|it| it.value)
                .filter(|it| !it.is_empty()),
        })
    }

    /// The relations of each endpoint.
    ///
    /// A relation that comes or goes has a hook of its own. So a periodic hook asks only for the
    /// endpoints that had relations in the hook before it, which this unit keeps: one process instead
    /// of one for each endpoint. The goal state does not show them all: those of offers to other
    /// models are missing (`goalStateRelations` in `apiserver/facades/agent/uniter`, Juju 3.6).
    fn relations(&self) -> anyhow::Result<Relations> {
        let related = match self.context.event {
            Event::UpdateStatus => self.related_endpoints()?,
            _ => None,
        };
        let may_have_some = |name: &str| related.as_ref().is_none_or(|it| it.contains(name));
        let mut relations = Relations::new();
        for endpoint in ALL.iter().filter(|it| may_have_some(it.name())) {
            let name = Endpoint::from_static(endpoint.name());
            let found = self.tools.relations(&name, endpoint.reads())?;
            relations.insert(endpoint.name(), found);
        }
        if !matches!(self.context.event, Event::UpdateStatus | Event::Action(_)) {
            let related = relations.iter().filter(|(_, found)| !found.is_empty());
            self.keep_related_endpoints(&related.map(|(name, _)| *name).collect())?;
        }
        Ok(relations)
    }

    /// The endpoints that had relations; `None` where that is not known.
    fn related_endpoints(&self) -> anyhow::Result<Option<BTreeSet<String>>> {
        let state = self.tools.state()?;
        let kept = state.get(RELATED_ENDPOINTS);
        Ok(kept.and_then(|text| serde_json::from_str(text).ok()))
    }

    fn keep_related_endpoints(&self, related: &BTreeSet<&str>) -> anyhow::Result<()> {
        let text = serde_json::to_string(related)?;
        let state = State::from([(RELATED_ENDPOINTS.to_owned(), text)]);
        let _ = self.tools.set_state(&state)?;
        Ok(())
    }

    /// Forgets which endpoints had relations: a unit that does not lead does not see them come and
    /// go, and may lead again.
    ///
    /// # Errors
    /// A hook tool that fails.
    pub(super) fn forget_related_endpoints(&self) -> anyhow::Result<()> {
        let _ = self.tools.delete_state(RELATED_ENDPOINTS)?;
        Ok(())
    }
}

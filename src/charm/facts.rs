//! Reads what a hook knows before it reads the cluster: one hook tool for each fact.

use std::collections::BTreeSet;

use juju::context::Event;
use juju::names::Endpoint;
use juju::secret::{Revision, SecretAnswer, SecretReference};
use juju::state::State;
use k8s_openapi::jiff::Timestamp;

use super::Charm;
use super::keys::KeyChange;
use crate::decide::{Facts, Secrets};
use crate::endpoints::{self, ALL, Endpoint as Served, Relations, Unit};
use crate::intent::identity::Identity;
use crate::intent::options::tls_secret_id;
use crate::intent::values::Options;

/// Where this unit keeps which endpoints had relations, as a JSON list.
const RELATED_ENDPOINTS: &str = "related-endpoints";

impl Charm {
    /// Reads the facts of this application, whose control plane lives in that namespace.
    ///
    /// # Errors
    /// A hook tool that fails.
    pub(super) fn facts(&self, namespace: &str, key: KeyChange) -> anyhow::Result<Facts> {
        self.facts_with(self.relations()?, namespace, key)
    }

    /// The facts of a unit that does not lead, of which only those of its own databags matter.
    ///
    /// # Errors
    /// A hook tool that fails.
    pub(super) fn facts_of_follower(&self, key: KeyChange) -> anyhow::Result<Facts> {
        let mut relations = Relations::new();
        for endpoint in endpoints::of_every_unit() {
            self.read(endpoint, &mut relations)?;
        }
        self.facts_with(relations, self.context.model.name.as_str(), key)
    }

    fn facts_with(
        &self,
        relations: Relations,
        namespace: &str,
        key: KeyChange,
    ) -> anyhow::Result<Facts> {
        let leader = self.tools.is_leader()?;
        let options = self.tools.config()?.values().clone();
        let now = Timestamp::now();
        Ok(Facts {
            forces_upgrade: false,
            identity: Identity::new(self.application(), namespace),
            leader,
            unit: Some(self.unit(&relations)?),
            secrets: Secrets {
                server_certificate: self.server_certificate(leader, &options)?,
                keys: self.keys(&relations, now, key)?,
            },
            options,
            relations,
            now,
        })
    }

    /// What there is of the user's secret with the certificate of the gateway, which the leader
    /// serves.
    fn server_certificate(
        &self,
        leader: bool,
        options: &Options,
    ) -> anyhow::Result<Option<SecretAnswer>> {
        let id = tls_secret_id(options).filter(|_| leader);
        let read = |id| {
            self.tools
                .secret(&SecretReference::Id(id), Revision::Refresh)
        };
        Ok(id.map(read).transpose()?)
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
        let mut endpoints = ALL
            .iter()
            .filter(|it| it.needs_address())
            .map(|it| it.name());
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
        let is_periodic = self.context.event == Event::UpdateStatus;
        let may_have_some = |it: &&&dyn Served| {
            let had_some = related
                .as_ref()
                .is_none_or(|names| names.contains(it.name()));
            had_some && (it.may_change_unseen() || !is_periodic)
        };
        let mut relations = Relations::new();
        for endpoint in ALL.iter().filter(may_have_some) {
            self.read(*endpoint, &mut relations)?;
        }
        if !matches!(self.context.event, Event::UpdateStatus | Event::Action(_)) {
            let related = relations.iter().filter(|(_, found)| !found.is_empty());
            self.keep_related_endpoints(&related.map(|(name, _)| *name).collect())?;
        }
        Ok(relations)
    }

    /// Adds the relations of an endpoint.
    fn read(&self, endpoint: &dyn Served, relations: &mut Relations) -> anyhow::Result<()> {
        let name = Endpoint::from_static(endpoint.name());
        let found = self.tools.relations(&name, endpoint.reads())?;
        relations.insert(endpoint.name(), found);
        Ok(())
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

//! The action `rotate-private-key`: a new key for this unit, and a request for a certificate of it.

use juju::action::ActionResults;
use juju::names::Endpoint;
use serde::Deserialize;

use crate::certificates::Algorithm;
use crate::charm::keys::KeyChange;
use crate::charm::{Charm, Stop};
use crate::endpoints;

#[derive(Deserialize)]
struct Parameters {
    algorithm: Option<String>,
}

impl Charm {
    /// Takes a new key. What is served stays until there is a certificate of the new one.
    pub(super) async fn run_rotate_private_key(&self) -> Result<(), Stop> {
        let Parameters { algorithm } = self.tools.action_parameters()?;
        let algorithm = match algorithm {
            None => None,
            Some(name) => Some(Algorithm::named(&name).ok_or_else(|| {
                Stop::failed(format!("algorithm is {name}, and has to be rsa or ecdsa"))
            })?),
        };
        let endpoint = Endpoint::from_static(endpoints::CERTIFICATES);
        if self.tools.relation_ids(&endpoint)?.is_empty() {
            return Err(Stop::failed(format!(
                "there is no relation certificates, so there is nothing to rotate; run: juju \
                 integrate {}:certificates <provider>",
                self.application()
            )));
        }
        let status = self
            .reconcile_with(KeyChange::Now(algorithm), false)
            .await?;
        let mut results = ActionResults::new();
        results.insert(
            "message",
            "a certificate of the new key is requested; the one before is served until it is there",
        )?;
        results.insert("status", status.name())?;
        self.tools.set_action_results(&results)?;
        Ok(())
    }
}

//! The action `upgrade`: what a hook does, by a larger step if that is asked for.

use serde::Deserialize;

use super::Action;
use crate::charm::keys::KeyChange;
use crate::charm::{Charm, Stop};

#[derive(Deserialize)]
struct Parameters {
    force: bool,
}

impl Charm {
    /// Upgrades now. An upgrade that has begun goes on in the hooks that follow, forced or not: what
    /// is installed then is this charm's Istio.
    pub(super) async fn run_upgrade(&self) -> Result<(), Stop> {
        self.must_lead("upgrades", Action::Upgrade)?;
        let Parameters { force } = self.tools.action_parameters()?;
        let status = self.reconcile_with(KeyChange::AsNeeded, force).await?;
        self.show_as_result(status)
    }
}

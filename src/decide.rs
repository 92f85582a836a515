//! Turns what a hook knows into what is asked of the mesh: pure.

use juju::secret::SecretAnswer;
use k8s_openapi::jiff::Timestamp;

use crate::endpoints::{self, Known, Relations, Unit, UnitKeys};
use crate::intent::identity::Identity;
use crate::intent::options::{Checked, check};
use crate::intent::tls::Tls;
use crate::intent::values::Options;
use crate::intent::{Intent, Target};

/// What a hook knows before it reads the cluster. Each fact costs a hook-tool process, so none is
/// read twice.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The application whose hook runs.
    pub identity: Identity,
    /// Whether the unit is the leader.
    pub leader: bool,
    /// The options as Juju holds them.
    pub options: Options,
    /// Whether a person has asked that this Istio follows whichever is installed.
    pub forces_upgrade: bool,
    /// The relations.
    pub relations: Relations,
    /// The unit whose hook runs; `None` where there is nothing to tell other charms.
    pub unit: Option<Unit>,
    /// The secrets that Juju keeps.
    pub secrets: Secrets,
    /// The time.
    pub now: Timestamp,
}

/// The secrets that Juju keeps for this application.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    /// What there is of the user's secret that the option `tls-secret-id` names; `None` when it names
    /// none.
    pub server_certificate: Option<SecretAnswer>,
    /// The keys of this unit.
    pub keys: UnitKeys,
}

impl Facts {
    /// The facts of an application that is being removed: nothing is asked of it any more.
    pub fn of_removal(identity: Identity) -> Self {
        Self {
            identity,
            leader: false,
            options: Options::new(),
            forces_upgrade: false,
            relations: Relations::new(),
            unit: None,
            secrets: Secrets::default(),
            now: Timestamp::default(),
        }
    }

    /// What endpoints know beside their relations.
    pub fn known(&self) -> Known<'_> {
        Known {
            keys: &self.secrets.keys,
            now: self.now,
        }
    }
}

/// Decides what is asked: first by the application and its options, then by every endpoint.
pub fn decide(facts: &Facts) -> Intent {
    let Checked { mesh, warnings } = check(&facts.options);
    let mut problems: Vec<_> = facts.identity.problem().into_iter().collect();
    let target = match mesh {
        Ok(mesh) if problems.is_empty() => Target::Installed(mesh),
        Ok(_) => Target::AsIs,
        Err(of_options) => {
            problems.extend(of_options);
            Target::AsIs
        }
    };
    let mut intent = Intent {
        identity: facts.identity.clone(),
        target,
        ingress: None,
        extensions: None,
        problems,
        warnings,
        forces_upgrade: facts.forces_upgrade,
        is_scraped: false,
    };
    if let Some(answer) = &facts.secrets.server_certificate {
        let application = facts.identity.application();
        let (tls, problem) = Tls::of_secret(answer, application, facts.now);
        intent.ingress.get_or_insert_default().tls = tls;
        intent.problems.extend(problem);
    }
    endpoints::request(&facts.relations, &facts.known(), &mut intent);
    intent
}

#[cfg(test)]
mod tests;

//! Turns what a hook knows into what is asked of the mesh: pure.

use crate::endpoints::{self, Relations, Unit};
use crate::intent::identity::Identity;
use crate::intent::options::{Checked, check};
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
    /// The relations.
    pub relations: Relations,
    /// The unit whose hook runs; `None` where there is nothing to tell other charms.
    pub unit: Option<Unit>,
}

impl Facts {
    /// The facts of an application that is being removed: nothing is asked of it any more.
    pub fn of_removal(identity: Identity) -> Self {
        Self {
            identity,
            leader: false,
            options: Options::new(),
            relations: Relations::new(),
            unit: None,
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
        problems,
        warnings,
        is_scraped: false,
    };
    endpoints::request(&facts.relations, &mut intent);
    intent
}

#[cfg(test)]
mod tests;

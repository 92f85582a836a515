//! What two relations cannot both have.

use std::fmt;

use juju::relation::Relation;

use super::Ingress;
use super::route::{Host, Path, Requests, Route};
use crate::intent::problem::Problem;
use crate::text::quoted;

impl Ingress {
    /// Leaves out every route that asks for what an older relation has already. Returns what has to
    /// be said about those.
    ///
    /// Juju numbers relations as they come, whatever their endpoints.
    pub fn settle(&mut self) -> Vec<Problem> {
        let mut asked = std::mem::take(&mut self.routes);
        asked.sort_by_key(|it| it.relation.number());
        let mut problems = Vec::new();
        for route in asked {
            match self.routes.iter().find_map(|older| clash(&route, older)) {
                None => self.routes.push(route),
                Some(why) => problems.push(Problem::of_request(&relation(&route), &why)),
            }
        }
        problems
    }
}

/// The relation of a route, by name.
fn relation(route: &Route) -> Relation {
    Relation {
        application: route.application.clone(),
        ..Relation::new(route.relation.clone())
    }
}

/// What an older route has already, in words.
fn clash(route: &Route, older: &Route) -> Option<String> {
    let both = route.rules.iter().find(|rule| {
        let same = |other: &&Requests| is_same(&rule.requests, other);
        older
            .rules
            .iter()
            .map(|it| &it.requests)
            .any(|it| same(&it))
    });
    let what = match both {
        Some(rule) => rule.requests.to_string(),
        None if route.name == older.name => format!("the service {}", route.name),
        None => return None,
    };
    let (this, first) = (route.asked_by(), older.asked_by());
    Some(format!(
        "{this} asks for {what}, which {first} has already and keeps: configure another one of the \
         two, or remove a relation"
    ))
}

/// Whether two relations cannot share them. Methods and headers do not tell them apart: who comes
/// later would take some requests of the other.
fn is_same(this: &Requests, that: &Requests) -> bool {
    this.host == that.host && is_same_path(&this.path, &that.path)
}

fn is_same_path(this: &Path, that: &Path) -> bool {
    match (this, that) {
        (Path::Prefix(text), Path::Below(path)) | (Path::Below(path), Path::Prefix(text)) => {
            text == path || text.strip_suffix('/') == Some(path)
        }
        _ => this == that,
    }
}

impl fmt::Display for Requests {
    /// Names them for people by what two relations cannot share.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.path {
            Path::Prefix(text) | Path::Below(text) => write!(formatter, "the prefix {text}")?,
            Path::Is(path) => write!(formatter, "the path {path}")?,
            Path::Regex(regex) => write!(formatter, "the paths {}", quoted(regex))?,
        }
        match &self.host {
            Host::Any => Ok(()),
            Host::Below(domain) => write!(formatter, " of hosts below {domain}"),
            Host::Is(host) => write!(formatter, " of {host}"),
        }
    }
}

#[cfg(test)]
mod tests;

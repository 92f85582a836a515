//! Where requests go.

use std::collections::BTreeMap;

use juju::names::{ApplicationName, RelationId};

use crate::istio::names::service_host;

/// What one relation asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The relation that asks for it.
    pub relation: RelationId,
    /// The application on the other side.
    pub application: Option<ApplicationName>,
    /// The name of its `VirtualService`.
    pub name: String,
    /// What happens with which requests.
    pub rules: Vec<Rule>,
}

/// What happens with some requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The requests.
    pub requests: Requests,
    /// What happens with them.
    pub answer: Answer,
}

/// Requests: all that fit every field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requests {
    /// The host that they name.
    pub host: Host,
    /// Their path.
    pub path: Path,
    /// Their method; `None` for every one.
    pub method: Option<String>,
    /// Headers that they have, by their names in lower case.
    pub headers: BTreeMap<String, Text>,
}

/// The host that a request names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// Every one.
    Any,
    /// Every one below this domain.
    Below(String),
    /// This one.
    Is(String),
}

/// The path of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Path {
    /// It begins with this text: `/app` is true of `/apple` too.
    Prefix(String),
    /// It is this, or below: `/app` is true of `/app/a`, and not of `/apple`. No slash at the end but
    /// for `/` itself.
    Below(String),
    /// It is this.
    Is(String),
    /// It is matched, as a whole, by this regular expression (RE2).
    Regex(String),
}

/// The value of a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Text {
    /// It is this.
    Is(String),
    /// It begins with this.
    Prefix(String),
}

/// What happens with requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// They go to services.
    Forward {
        /// The services, at least one.
        to: Vec<Backend>,
        /// What stands in place of their path.
        path: NewPath,
        /// What stands in place of their host; `None` for the host itself.
        host: Option<String>,
    },
    /// The client is sent somewhere else.
    Redirect(Redirect),
}

/// A service that requests go to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backend {
    /// The service.
    pub service: String,
    /// Its namespace.
    pub namespace: String,
    /// Its port.
    pub port: u16,
    /// Its share of the requests, out of all weights together; `None` where it is alone.
    pub weight: Option<u8>,
}

/// What stands in place of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NewPath {
    /// The path itself.
    Same,
    /// This, in place of what a [`Path::Prefix`] or [`Path::Below`] names; the rest stays.
    InPlaceOfPrefix(String),
    /// This alone.
    Whole(String),
}

/// Where a client is sent. What is not set stays as in the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect {
    /// The scheme: `http` or `https`.
    pub scheme: Option<&'static str>,
    /// The host.
    pub host: Option<String>,
    /// The port.
    pub port: Option<u16>,
    /// The path.
    pub path: NewPath,
    /// The status of the answer.
    pub status: u16,
}

impl Route {
    /// Who asks for it, for people: `dex-auth`, or the relation where that is not known.
    pub fn asked_by(&self) -> String {
        match &self.application {
            Some(application) => application.to_string(),
            None => self.relation.to_string(),
        }
    }

    /// The services that requests go to, as the mesh calls them.
    pub fn hosts(&self) -> impl Iterator<Item = String> {
        let backends = self.rules.iter().flat_map(|it| match &it.answer {
            Answer::Forward { to, .. } => to.as_slice(),
            Answer::Redirect(_) => &[],
        });
        backends.map(|it| service_host(&it.service, &it.namespace))
    }
}

impl Requests {
    /// Those with such a path, whatever else they have.
    pub fn with_path(path: Path) -> Self {
        Self {
            host: Host::Any,
            path,
            method: None,
            headers: BTreeMap::new(),
        }
    }
}

impl Backend {
    /// One that gets all requests.
    pub fn alone(service: String, namespace: String, port: u16) -> Self {
        Self {
            service,
            namespace,
            port,
            weight: None,
        }
    }
}

#[cfg(test)]
impl Route {
    /// One relation's route of one prefix to one service, for tests.
    pub(crate) fn of_prefix(relation: &str, service: &str, prefix: &str) -> Self {
        Self {
            relation: relation.parse().unwrap(),
            application: None,
            name: service.to_owned(),
            rules: vec![Rule {
                requests: Requests::with_path(Path::Prefix(prefix.to_owned())),
                answer: Answer::Forward {
                    to: vec![Backend::alone(service.to_owned(), "mesh".to_owned(), 8080)],
                    path: NewPath::InPlaceOfPrefix("/".to_owned()),
                    host: None,
                },
            }],
        }
    }
}

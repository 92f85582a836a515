//! What relations ask of the ingress gateway.

mod claims;
pub mod route;

use std::collections::BTreeMap;

use juju::names::ApplicationName;

use super::tls::Tls;
use super::tokens::Tokens;
use route::Route;

/// What relations ask of the ingress gateway.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ingress {
    /// Where requests go, once [settled](Ingress::settle) in the order of the relations; then no two
    /// have one name or ask for the same.
    pub routes: Vec<Route>,
    /// Who checks requests first.
    pub authorization: Authorization,
    /// How tokens are checked, by the application that asks for it.
    pub tokens: BTreeMap<ApplicationName, Tokens>,
    /// How HTTPS is served.
    pub tls: Tls,
    /// Whether somebody has to know if the gateway is up.
    pub is_watched: bool,
}

/// Who checks requests to the ingress gateway before they are routed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Authorization {
    /// Nobody, as nobody has asked to.
    #[default]
    Nobody,
    /// This service.
    By(Authorizer),
    /// It is not known yet: until then no request may pass.
    Unknown,
}

/// A service that checks requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorizer {
    /// The service.
    pub service: String,
    /// Its namespace.
    pub namespace: String,
    /// Its port.
    pub port: u16,
    /// What stands before the path of a request when the service is asked about it, such as
    /// `/decisions`; empty for nothing.
    pub path_prefix: String,
    /// The headers of a request that it gets to see.
    pub request_headers: Vec<String>,
    /// The headers of its answer that are added to the request.
    pub response_headers: Vec<String>,
    /// The headers of its answer that the client gets beside those of a request that passes.
    pub client_headers: Vec<String>,
}

impl Ingress {
    /// The applications that have routes, each once, in the order of the routes.
    pub fn applications(&self) -> Vec<&ApplicationName> {
        let mut applications: Vec<&ApplicationName> = Vec::new();
        for application in self.routes.iter().filter_map(|it| it.application.as_ref()) {
            if !applications.contains(&application) {
                applications.push(application);
            }
        }
        applications
    }

    /// Whether no request may pass.
    pub fn is_closed(&self) -> bool {
        self.authorization == Authorization::Unknown
    }
}

//! What is asked of this mesh, checked.
//!
//! Making an [`Intent`] never fails: it holds what is wrong as problems, beside what is right.

pub mod cni_paths;
pub mod extensions;
pub mod identity;
pub mod images;
pub mod ingress;
pub mod options;
pub mod problem;
pub mod tls;
pub mod tokens;
pub mod values;
pub mod yaml;

use juju::names::{RelationId, SecretId};

use crate::certificates;
use cni_paths::{CniPaths, CniSetting};
use extensions::Extensions;
use identity::Identity;
use images::Images;
use ingress::Ingress;
use problem::{Problem, Subject};

/// What this application is asked to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// The application that is asked.
    pub identity: Identity,
    /// What the cluster should hold of the application.
    pub target: Target,
    /// What relations ask of the ingress gateway; `None` where nobody knows, as for the tool, which
    /// sees no relations. What is there then stays.
    pub ingress: Option<Ingress>,
    /// What relations add to the mesh; `None` where nobody knows, as above.
    pub extensions: Option<Extensions>,
    /// What is asked but cannot be done, for the status.
    pub problems: Vec<Problem>,
    /// Harmless oddities, for the log.
    pub warnings: Vec<String>,
    /// Whether a person has asked that this Istio follows whichever is installed.
    pub forces_upgrade: bool,
    /// Whether somebody scrapes metrics, and so has to know where the node agents are.
    pub is_scraped: bool,
}

/// What the cluster should hold of an application.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::large_enum_variant, reason = "each hook has one of them")]
pub enum Target {
    /// A control plane.
    Installed(Mesh),
    /// Nothing: the application is being removed.
    Nothing,
    /// What it already holds: the application or an option cannot be used as it is.
    AsIs,
}

/// A control plane, as the options ask for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mesh {
    /// Whether the node agent redirects traffic.
    pub cni: CniSetting,
    /// The images to run.
    pub images: Images,
    /// The Gateway that all ingress routes share.
    pub gateway: Gateway,
}

/// The Gateway that all ingress routes share, as the options ask for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gateway {
    /// Name of the Istio Gateway; option `default-gateway`.
    pub name: String,
    /// Name of the gateway's Service; option `gateway-service-name`.
    pub service: String,
    /// What certificates are requested for; option `csr-domain-name`. Empty: the address of the
    /// gateway's Service.
    pub csr_domain_names: Vec<certificates::Subject>,
    /// The user secret with a certificate; option `tls-secret-id`, `None` when empty.
    pub tls_secret_id: Option<SecretId>,
    /// Whether plain HTTP is sent to HTTPS, once there is a certificate; option `redirect-https`.
    pub redirect_https: bool,
}

impl Intent {
    /// The intent that everything made by the application is removed.
    pub fn nothing(identity: Identity) -> Self {
        Self {
            identity,
            target: Target::Nothing,
            ingress: None,
            extensions: None,
            problems: Vec::new(),
            warnings: Vec::new(),
            forces_upgrade: false,
            is_scraped: false,
        }
    }

    /// The control plane that is asked for; `None` when there should not be one, or nobody knows.
    pub fn mesh(&self) -> Option<&Mesh> {
        match &self.target {
            Target::Installed(mesh) => Some(mesh),
            Target::Nothing | Target::AsIs => None,
        }
    }

    /// The directories of the node agent; `None` when there should not be one.
    pub fn cni_paths(&self) -> Option<&CniPaths> {
        self.mesh()?.cni.paths()
    }

    /// Whether no request may pass the ingress gateway.
    pub fn is_closed(&self) -> bool {
        self.ingress.as_ref().is_some_and(Ingress::is_closed)
    }

    /// Whether a relation is not served as it asks, or not yet.
    pub fn has_problem_with(&self, relation: &RelationId) -> bool {
        let is_of_it =
            |it: &Problem| matches!(&it.subject, Subject::Relation(id) if id == relation);
        self.problems.iter().any(is_of_it)
    }

    /// Whether everything made by the application should go.
    pub fn is_removal(&self) -> bool {
        self.target == Target::Nothing
    }
}

//! The charm's options: their names, their checks, and what they ask for.

use super::cni_paths::{self, CNI_BIN_DIR, CNI_CONF_DIR};
use super::images::{self, IMAGE_CONFIGURATION};
use super::problem::Problem;
use super::values::{Options, flag, text};
use super::{Gateway, Mesh};
use crate::certificates::Subject;
use crate::k8s::names::{is_label, is_subdomain};
use crate::text::quoted;
use juju::names::SecretId;

/// Option naming the Istio Gateway.
pub const DEFAULT_GATEWAY: &str = "default-gateway";
/// Option naming the gateway's Service.
pub const GATEWAY_SERVICE_NAME: &str = "gateway-service-name";
/// Option with the subjects of certificate requests.
pub const CSR_DOMAIN_NAME: &str = "csr-domain-name";
/// Option with the id of a user secret.
pub const TLS_SECRET_ID: &str = "tls-secret-id";
/// Option that sends plain HTTP to HTTPS.
pub const REDIRECT_HTTPS: &str = "redirect-https";
/// Every option that the charm has, in the order of its documentation.
pub const OPTIONS: [&str; 8] = [
    CNI_BIN_DIR,
    CNI_CONF_DIR,
    DEFAULT_GATEWAY,
    GATEWAY_SERVICE_NAME,
    CSR_DOMAIN_NAME,
    TLS_SECRET_ID,
    REDIRECT_HTTPS,
    IMAGE_CONFIGURATION,
];

/// What the options ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// The control plane, or everything that is wrong.
    pub mesh: Result<Mesh, Vec<Problem>>,
    /// Harmless oddities, for the log.
    pub warnings: Vec<String>,
}

/// Checks all options. Missing and null options take their defaults.
///
/// All problems are reported together, so that a person can fix them in one go.
pub fn check(options: &Options) -> Checked {
    let mut problems = Vec::new();
    let mut warnings = Vec::new();
    let cni = cni_paths::parse(options, &mut problems);
    let images = images::parse(options, &mut problems, &mut warnings);
    let gateway = gateway(options, &mut problems);
    let mesh = match (cni, images) {
        (Some(cni), Some(images)) if problems.is_empty() => Ok(Mesh {
            cni,
            images,
            gateway,
        }),
        _ => Err(problems),
    };
    Checked { mesh, warnings }
}

fn gateway(options: &Options, problems: &mut Vec<Problem>) -> Gateway {
    Gateway {
        name: name(options, DEFAULT_GATEWAY, &OF_OBJECT, problems)
            .unwrap_or_else(|| "istio-gateway".to_owned()),
        service: name(options, GATEWAY_SERVICE_NAME, &OF_SERVICE, problems)
            .unwrap_or_else(|| "istio-ingressgateway-workload".to_owned()),
        csr_domain_names: subjects(options, problems),
        tls_secret_id: secret_id(options, problems),
        redirect_https: flag(options, REDIRECT_HTTPS, problems).unwrap_or(false),
    }
}

/// The names and addresses of the gateway: none when the option is not set.
fn subjects(options: &Options, problems: &mut Vec<Problem>) -> Vec<Subject> {
    let text = text(options, CSR_DOMAIN_NAME, problems).unwrap_or_default();
    let mut subjects = Vec::new();
    for name in text.split(',').map(str::trim).filter(|it| !it.is_empty()) {
        if let Ok(subject) = name.parse() {
            subjects.push(subject);
        } else {
            let message = format!(
                "{} is neither a domain name nor an address; several are separated by commas",
                quoted(name)
            );
            problems.push(Problem::of_option(CSR_DOMAIN_NAME, message));
        }
    }
    subjects
}

/// The user's secret that the options name; `None` where they name none that can be.
pub fn tls_secret_id(options: &Options) -> Option<SecretId> {
    secret_id(options, &mut Vec::new())
}

fn secret_id(options: &Options, problems: &mut Vec<Problem>) -> Option<SecretId> {
    let id = text(options, TLS_SECRET_ID, problems).filter(|it| !it.is_empty())?;
    match id.parse() {
        Ok(id) => Some(id),
        Err(error) => {
            problems.push(Problem::of_option(TLS_SECRET_ID, error.to_string()));
            None
        }
    }
}

/// What Kubernetes takes as a name: the check, and the rule for people.
struct Rule(fn(&str) -> bool, &'static str);

const OF_OBJECT: Rule = Rule(
    is_subdomain,
    "must be a Kubernetes name: lower-case letters, digits, '-' and '.', at most 253 characters, a \
     letter or digit at both ends and beside each '.'",
);

const OF_SERVICE: Rule = Rule(
    is_label,
    "must be the name of a Service: lower-case letters, digits and '-', at most 63 characters, a \
     letter or digit at both ends",
);

/// The name of a Kubernetes object; `None` when it is not set.
fn name(
    options: &Options,
    option: &'static str,
    Rule(is_name, rule): &Rule,
    problems: &mut Vec<Problem>,
) -> Option<String> {
    let name = text(options, option, problems).filter(|it| !it.is_empty())?;
    if !is_name(&name) {
        let message = format!("{} {rule}", quoted(&name));
        problems.push(Problem::of_option(option, message));
    }
    Some(name)
}

#[cfg(test)]
mod tests;

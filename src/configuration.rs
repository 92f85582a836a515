//! The charm's options, checked and typed.
//!
//! Every problem of one configuration is collected, so that a person mends it in one go.

mod images;
mod paths;

use std::fmt;

use serde_json::{Map, Value};

use crate::control_plane::{CniPaths, Images};

/// The options as Juju holds them: name to value, unset ones missing or null.
pub type Options = Map<String, Value>;

/// What one valid configuration asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Configuration {
    /// Whether the node agent shall redirect traffic.
    pub cni: CniSetting,
    /// The images to run.
    pub images: Images,
    /// Name of the Istio Gateway; option `default-gateway`.
    pub default_gateway: String,
    /// Name of the gateway's Service; option `gateway-service-name`.
    pub gateway_service_name: String,
    /// Subject of certificate requests; option `csr-domain-name`, `None` when empty.
    pub csr_domain_name: Option<String>,
    /// The user secret with a certificate; option `tls-secret-id`, `None` when empty.
    pub tls_secret_id: Option<String>,
    /// What is odd but harmless, for the log.
    pub warnings: Vec<String>,
}

/// The main switch: on when both paths are set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CniSetting {
    /// No node agent; new pods get `istio-init`.
    Off {
        /// The one option that is not set while the other is.
        missing: Option<&'static str>,
    },
    /// The node agent with these directories; new pods get `istio-validation`.
    On(CniPaths),
}

/// One option with a value that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigurationProblem {
    /// The option's name.
    pub option: &'static str,
    /// What is wrong with it and what to set.
    pub message: String,
}

impl fmt::Display for ConfigurationProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.option, self.message)
    }
}

/// Option naming the directory of CNI plugins on the nodes.
pub const CNI_BIN_DIR: &str = "cni-bin-dir";
/// Option naming the directory of CNI configuration on the nodes.
pub const CNI_CONF_DIR: &str = "cni-conf-dir";
/// Option naming the Istio Gateway.
pub const DEFAULT_GATEWAY: &str = "default-gateway";
/// Option naming the gateway's Service.
pub const GATEWAY_SERVICE_NAME: &str = "gateway-service-name";
/// Option with the subject of certificate requests.
pub const CSR_DOMAIN_NAME: &str = "csr-domain-name";
/// Option with the id of a user secret.
pub const TLS_SECRET_ID: &str = "tls-secret-id";
/// Option with a map of images.
pub const IMAGE_CONFIGURATION: &str = "image-configuration";

/// Every option that the charm has, in the order of its documentation.
pub const OPTIONS: [&str; 7] = [
    CNI_BIN_DIR,
    CNI_CONF_DIR,
    DEFAULT_GATEWAY,
    GATEWAY_SERVICE_NAME,
    CSR_DOMAIN_NAME,
    TLS_SECRET_ID,
    IMAGE_CONFIGURATION,
];

/// Checks all options.
///
/// Missing and null options take their defaults.
///
/// # Errors
/// All problems of the configuration together.
pub fn parse(options: &Options) -> Result<Configuration, Vec<ConfigurationProblem>> {
    let mut problems = Vec::new();
    let cni = paths::parse(options, &mut problems);
    let mut warnings = Vec::new();
    let images = images::parse(options, &mut problems, &mut warnings);
    let default_gateway = dns_name(options, DEFAULT_GATEWAY, "istio-gateway", &mut problems);
    let gateway_service_name = dns_name(
        options,
        GATEWAY_SERVICE_NAME,
        "istio-ingressgateway-workload",
        &mut problems,
    );
    let csr_domain_name = text(options, CSR_DOMAIN_NAME, &mut problems).filter(|it| !it.is_empty());
    let tls_secret_id = text(options, TLS_SECRET_ID, &mut problems).filter(|it| !it.is_empty());
    match (cni, images) {
        (Some(cni), Some(images)) if problems.is_empty() => Ok(Configuration {
            cni,
            images,
            default_gateway,
            gateway_service_name,
            csr_domain_name,
            tls_secret_id,
            warnings,
        }),
        _ => Err(problems),
    }
}

/// The option's text without the spaces around it; `None` when unset.
fn text(
    options: &Options,
    option: &'static str,
    problems: &mut Vec<ConfigurationProblem>,
) -> Option<String> {
    match options.get(option) {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text.trim_matches(' ').to_owned()),
        Some(_) => {
            problems.push(ConfigurationProblem {
                option,
                message: "must be text".to_owned(),
            });
            None
        }
    }
}

/// A Kubernetes object name (RFC 1123 subdomain, at most 253 characters).
fn dns_name(
    options: &Options,
    option: &'static str,
    default: &str,
    problems: &mut Vec<ConfigurationProblem>,
) -> String {
    let Some(name) = text(options, option, problems).filter(|it| !it.is_empty()) else {
        return default.to_owned();
    };
    let label = |label: &str| {
        let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        !label.is_empty()
            && label.bytes().all(inner)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if name.len() > 253 || !name.split('.').all(label) {
        let message = "must be a Kubernetes name: lower-case letters, digits, '-' and '.', \
                       at most 253 characters";
        problems.push(ConfigurationProblem {
            option,
            message: message.to_owned(),
        });
    }
    name
}

#[cfg(test)]
mod tests;

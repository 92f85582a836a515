//! The charm's options, as Juju holds them.

use serde_json::{Map, Value};

use super::problem::Problem;

/// The options as Juju holds them: name to value, unset ones missing or null.
pub type Options = Map<String, Value>;

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

/// The option's text without the spaces around it; `None` when unset.
pub(super) fn text(
    options: &Options,
    option: &'static str,
    problems: &mut Vec<Problem>,
) -> Option<String> {
    match options.get(option) {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text.trim_matches(' ').to_owned()),
        Some(_) => {
            problems.push(Problem::of_option(option, "must be text"));
            None
        }
    }
}

//! Addresses of this unit and its application.

use serde::{Deserialize, Deserializer};

use crate::names::Endpoint;
use crate::tools::{HookTools, ToolCommand, ToolError};

/// Addresses at one endpoint. On Kubernetes they can be out of date, or absent early on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct NetworkInfo {
    /// Where this unit listens; on Kubernetes its pod's address.
    #[serde(deserialize_with = "null_as_empty")]
    pub bind_addresses: Vec<BindAddress>,
    /// Where this unit's traffic comes from, as networks.
    #[serde(deserialize_with = "null_as_empty")]
    pub egress_subnets: Vec<String>,
    /// Where others reach it; on Kubernetes the address of the application's Service.
    #[serde(deserialize_with = "null_as_empty")]
    pub ingress_addresses: Vec<String>,
}

/// One interface with its addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct BindAddress {
    /// The interface's name; on Kubernetes a placeholder.
    pub interface_name: String,
    /// Its addresses.
    #[serde(deserialize_with = "null_as_empty")]
    pub addresses: Vec<Address>,
}

/// One address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Address {
    /// A name for it; may be empty or the address again.
    pub hostname: String,
    /// The IP address.
    pub value: String,
    /// Its network; may be empty.
    pub cidr: String,
}

fn null_as_empty<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

impl HookTools {
    /// The addresses at an endpoint (`network-get`).
    ///
    /// # Errors
    /// When the tool fails; `None` when Juju knows no network for the endpoint.
    pub fn network(&self, endpoint: &Endpoint) -> Result<Option<NetworkInfo>, ToolError> {
        match self.run_json(&ToolCommand::new("network-get").json().arg(endpoint)) {
            Ok(network) => Ok(Some(network)),
            Err(error) if error.is_relation_gone() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read() {
        // Juju 4.0.15
        let printed = r#"{"bind-addresses":[{"mac-address":"","interface-name":"placeholder for \"rec/0\" cloud container","addresses":[{"hostname":"10.244.0.9","value":"10.244.0.9","cidr":"0.0.0.0/0"}]}],"egress-subnets":["10.152.222.194/32"],"ingress-addresses":["10.152.222.194"]}"#;
        let network: NetworkInfo = serde_json::from_str(printed).unwrap();
        assert_eq!(network.bind_addresses[0].addresses[0].value, "10.244.0.9");
        assert_eq!(network.ingress_addresses, ["10.152.222.194"]);
        assert_eq!(network.egress_subnets, ["10.152.222.194/32"]);
    }

    #[test]
    fn any_part_may_be_missing_or_null() {
        let printed = r#"{"bind-addresses":[{"addresses":null}],"egress-subnets":null}"#;
        let network: NetworkInfo = serde_json::from_str(printed).unwrap();
        let expected = NetworkInfo {
            bind_addresses: vec![BindAddress::default()],
            ..NetworkInfo::default()
        };
        assert_eq!(network, expected);
    }
}

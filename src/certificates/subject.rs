//! What a certificate is for.

use core::net::IpAddr;
use std::fmt;
use std::str::FromStr;

use crate::k8s::names::is_subdomain;

/// A name or address under which clients reach a server.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// A domain name; its first label may be `*`.
    Domain(String),
    /// An address.
    Address(IpAddr),
}

impl FromStr for Subject {
    type Err = ();

    /// Reads a domain name or an address.
    fn from_str(text: &str) -> Result<Self, ()> {
        if let Ok(address) = text.parse() {
            return Ok(Self::Address(address));
        }
        let name = text.to_ascii_lowercase();
        let domain = name.strip_prefix("*.").unwrap_or(&name);
        // What ends in a number is a mistyped address.
        let is_number = |label: &str| label.bytes().all(|it| it.is_ascii_digit());
        let is_name = is_subdomain(domain) && !domain.rsplit('.').next().is_some_and(is_number);
        is_name.then_some(Self::Domain(name)).ok_or(())
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Domain(name) => formatter.write_str(name),
            Self::Address(address) => address.fmt(formatter),
        }
    }
}

//! Ports that the application offers; on Kubernetes they appear on its Service.

use std::fmt;
use std::str::FromStr;

use crate::names::InvalidName;
use crate::tools::{HookTools, ToolCommand, ToolError};

/// What Juju can open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Port {
    /// One TCP port.
    Tcp(u16),
    /// One UDP port.
    Udp(u16),
    /// TCP ports from the first to the last; not on Kubernetes.
    TcpRange(u16, u16),
    /// UDP ports from the first to the last; not on Kubernetes.
    UdpRange(u16, u16),
    /// ICMP; not on Kubernetes.
    Icmp,
}

impl fmt::Display for Port {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(port) => write!(formatter, "{port}/tcp"),
            Self::Udp(port) => write!(formatter, "{port}/udp"),
            Self::TcpRange(first, last) => write!(formatter, "{first}-{last}/tcp"),
            Self::UdpRange(first, last) => write!(formatter, "{first}-{last}/udp"),
            Self::Icmp => formatter.write_str("icmp"),
        }
    }
}

impl FromStr for Port {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let parse = || {
            if text == "icmp" {
                return Some(Self::Icmp);
            }
            let (ports, protocol) = text.split_once('/')?;
            let range = match ports.split_once('-') {
                Some((first, last)) => Some((first.parse().ok()?, last.parse().ok()?)),
                None => None,
            };
            match (protocol, range) {
                ("tcp", None) => Some(Self::Tcp(ports.parse().ok()?)),
                ("udp", None) => Some(Self::Udp(ports.parse().ok()?)),
                ("tcp", Some((first, last))) => Some(Self::TcpRange(first, last)),
                ("udp", Some((first, last))) => Some(Self::UdpRange(first, last)),
                _ => None,
            }
        };
        parse().ok_or_else(|| InvalidName {
            value: text.to_owned(),
            kind: "port",
            rule: "a port or a range of ports with its protocol, such as 80/tcp, or icmp",
        })
    }
}

impl HookTools {
    /// The open ports (`opened-ports`), without what this hook opens or closes.
    ///
    /// # Errors
    /// When the tool fails; a port in a form not known here is left out.
    pub fn opened_ports(&self) -> Result<Vec<Port>, ToolError> {
        let command = ToolCommand::new("opened-ports").json();
        let ports = self
            .run_json::<Option<Vec<String>>>(&command)?
            .unwrap_or_default();
        Ok(ports.iter().filter_map(|port| port.parse().ok()).collect())
    }

    /// Opens a port (`open-port`) when the hook succeeds.
    ///
    /// # Errors
    /// When the tool fails.
    pub fn open_port(&self, port: Port) -> Result<(), ToolError> {
        self.run(&ToolCommand::new("open-port").arg(&port))
            .map(drop)
    }

    /// Closes a port (`close-port`) when the hook succeeds.
    ///
    /// # Errors
    /// When the tool fails.
    pub fn close_port(&self, port: Port) -> Result<(), ToolError> {
        self.run(&ToolCommand::new("close-port").arg(&port))
            .map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_read_as_they_are_written() {
        for text in ["80/tcp", "53/udp", "8000-8010/tcp", "1-2/udp", "icmp"] {
            assert_eq!(text.parse::<Port>().unwrap().to_string(), text);
        }
        for bad in ["", "80", "80/sctp", "70000/tcp", "8-x/tcp"] {
            assert!(bad.parse::<Port>().is_err(), "{bad}");
        }
    }
}

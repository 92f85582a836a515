//! The part of 127.0.0.0/8 that a cluster has for itself.
//!
//! All addresses of a cluster, real and simulated, are loopback addresses: a request to a
//! simulated pod is then refused immediately, and no packet leaves the machine.

use std::fs::{self, File, TryLockError};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;

use anyhow::{Context, Result, bail};

/// Numbers that a cluster can have. Small ones stay free because 127.0.0.1 and 127.0.1.1 are in
/// use on common systems.
const NUMBERS: std::ops::RangeInclusive<u8> = 2..=120;

/// The addresses of one cluster, not shared with another one of the same user.
#[derive(Debug)]
pub(super) struct Network {
    number: u8,
    /// 127, or 10 where the pods of a real node have to reach the addresses.
    first: u8,
}

impl Network {
    /// Takes the addresses of a number that no running cluster has.
    ///
    /// They stay taken as long as the returned file, or a copy of it in another process, is open.
    /// `folder` holds one such file for each number.
    pub(super) fn claim(folder: &Path) -> Result<(Self, File)> {
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
        for number in NUMBERS {
            let path = folder.join(number.to_string());
            let file =
                File::create(&path).with_context(|| format!("cannot create {}", path.display()))?;
            match file.try_lock() {
                Ok(()) => return Ok((Self { number, first: 127 }, file)),
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => {
                    bail!("cannot lock {}: {error}", path.display());
                }
            }
        }
        bail!(
            "{} test clusters are already running, and there is no room for one more",
            NUMBERS.len()
        );
    }

    /// The same number's addresses in 10.0.0.0/8, which pods of a real node can reach.
    pub(super) fn routed(self) -> Self {
        Self { first: 10, ..self }
    }

    /// Whether these are loopback addresses.
    pub(super) fn is_loopback(&self) -> bool {
        self.first == 127
    }

    /// Where the programs of the control plane listen.
    pub(super) fn server(&self) -> Ipv4Addr {
        Ipv4Addr::new(self.first, 0, self.number, 1)
    }

    /// The range of Service addresses, with its prefix length.
    pub(super) fn services(&self) -> String {
        format!("{}.{}.0.0/16", self.first, self.number * 2)
    }

    /// The address that the Service `kubernetes` gets: the first of the range.
    pub(super) fn kubernetes_service(&self) -> Ipv4Addr {
        Ipv4Addr::new(self.first, self.number * 2, 0, 1)
    }

    /// The first address of simulated pods, with the prefix length of their range.
    pub(super) fn pods(&self) -> String {
        format!("{}.{}.0.1/16", self.first, self.number * 2 + 1)
    }

    /// The range of pod addresses, with its prefix length.
    pub(super) fn pods_range(&self) -> String {
        format!("{}.{}.0.0/16", self.first, self.number * 2 + 1)
    }

    /// The address of a simulated node, counted from 0: from the end of the pods' range.
    pub(super) fn node(&self, index: u16) -> Ipv4Addr {
        let [high, low] = (u16::MAX - 1 - index).to_be_bytes();
        Ipv4Addr::new(self.first, self.number * 2 + 1, high, low)
    }

    /// Ports that nobody uses on [`Network::server`].
    ///
    /// Only this cluster uses that address, so they stay free until its programs take them.
    pub(super) fn free_ports<const N: usize>(&self) -> Result<[u16; N]> {
        let mut listeners = Vec::with_capacity(N);
        let mut ports = [0; N];
        for port in &mut ports {
            let address = SocketAddr::from((self.server(), 0));
            let listener = TcpListener::bind(address)
                .with_context(|| format!("cannot listen on {}", self.server()))?;
            *port = listener.local_addr()?.port();
            // Kept open, so that the next one differs.
            listeners.push(listener);
        }
        Ok(ports)
    }
}

#[cfg(test)]
mod tests {
    use std::thread::sleep;
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn two_claims_differ_and_a_dropped_one_is_free_again() {
        let folder = tempfile::tempdir().unwrap();
        let (first, lock) = Network::claim(folder.path()).unwrap();
        let (second, _second_lock) = Network::claim(folder.path()).unwrap();
        assert_ne!(first.number, second.number);
        let copy = lock.try_clone().unwrap();
        drop(lock);
        let (third, _third_lock) = Network::claim(folder.path()).unwrap();
        assert_ne!(
            first.number, third.number,
            "a copy of the lock still holds it"
        );
        drop(copy);
        // A program that another test starts right now has a copy until it is executed.
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let (again, _) = Network::claim(folder.path()).unwrap();
            if again.number == first.number {
                break;
            }
            assert!(
                Instant::now() < deadline,
                "{} is still taken, {} came instead",
                first.number,
                again.number
            );
            sleep(Duration::from_millis(10));
        }
    }

    #[test]
    fn no_two_numbers_share_an_address() {
        let mut ranges = std::collections::BTreeSet::new();
        for number in NUMBERS {
            let network = Network { number, first: 127 };
            assert!(network.server().is_loopback());
            assert!(ranges.insert(network.server().octets()[..3].to_vec()));
            assert!(ranges.insert(network.kubernetes_service().octets()[..2].to_vec()));
            assert!(ranges.insert(network.node(0).octets()[..2].to_vec()));
        }
    }

    #[test]
    fn nodes_have_addresses_of_their_own() {
        let network = Network {
            number: 2,
            first: 127,
        };
        assert_eq!(network.node(0).to_string(), "127.5.255.254");
        assert_eq!(network.node(255).to_string(), "127.5.254.255");
    }

    #[test]
    fn free_ports_differ() {
        let network = Network {
            number: 119,
            first: 127,
        };
        let [a, b, c] = network.free_ports().unwrap();
        assert!(a != b && b != c && a != c, "{a} {b} {c}");
    }
}

//! Real Kubernetes and Istio programs on loopback, for tests.
//!
//! - [`programs`] builds them from Go modules, once, into a cache outside the source tree.
//! - [`TestCluster`] runs a whole Kubernetes control plane from them, with simulated nodes on which
//!   Deployments and `DaemonSet`s roll out.
//! - [`tools`] puts other things that tests need there too, such as Python packages.
//! - [`RealNode`] adds this machine to a cluster as a real node, inside of an [`Enclosure`].
//!
//! ```no_run
//! use test_cluster::{Options, TestCluster};
//!
//! # fn main() -> anyhow::Result<()> {
//! let cluster = TestCluster::start(&Options::default())?;
//! println!("{}", cluster.kubectl("get nodes")?);
//! # Ok(())
//! # }
//! ```
//!
//! A cluster ends with the value that [`TestCluster::start`] returns, and also when the process
//! that started it ends in any other way, `SIGKILL` included. So one cluster can serve a whole test
//! binary from a `static OnceLock`, which Rust never drops.
//!
//! Linux only: it needs the whole of 127.0.0.0/8 on the loopback interface.

mod cluster;
pub mod command;
mod node;
pub mod programs;
pub mod tools;
mod upstream;

pub use cluster::audit::AuditRequest;
pub use cluster::background::Background;
pub use cluster::istiod::Istiod;
pub use cluster::node_agent::NodeAgent;
pub use cluster::options::Options;
pub use cluster::{LeftRunning, TestCluster};
pub use node::enclosure::Enclosure;
pub use node::images::NodeImages;
pub use node::{RealNode, check_requirements, is_root};
pub use programs::Program;
pub use upstream::{istio_definitions, yaml_documents};

//! The charm in a Juju model on a real cluster, for whole stories.
//!
//! A [`World`] holds all three. What people do has a method each, and answers with what
//! `juju status` shows then.
//!
//! ```no_run
//! use charm_world::{Charm, World};
//! use juju_sim::ModelOptions;
//! use test_cluster::{Options, TestCluster};
//!
//! # fn main() -> anyhow::Result<()> {
//! let charm = Charm::of_program("target/debug/istio-pilot".as_ref())?;
//! let cluster = TestCluster::start(&Options::default())?;
//! let mut world = World::new(ModelOptions::named("mesh"), cluster, "pilot", charm)?;
//! assert_eq!(world.deploy()?, "active: CNI off");
//! world.kubectl("delete configmap istio")?;
//! assert_eq!(world.update_status()?, "active: CNI off");
//! # Ok(())
//! # }
//! ```
//!
//! A [`Neighbour`] is an application on the other side of a relation, played by the libraries that
//! its charm would use.

mod charm;
mod eventually;
mod look;
mod neighbour;
mod world;

pub use charm::Charm;
pub use eventually::{eventually, until};
pub use neighbour::{Exception, Library, Neighbour, Verdict, check_neighbours, prepare_neighbours};
pub use world::World;

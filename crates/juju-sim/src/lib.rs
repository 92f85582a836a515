//! A Juju model in a box, for tests and for trying a charm.
//!
//! A [`Model`] deploys a charm, packed or unpacked, and runs the hooks that Juju 4.0 would run, in
//! Juju's order and environment. Hook tools are real programs on the hook's PATH: links to the
//! program `juju-sim`, which talk to the model over the agent's socket. With a Kubernetes cluster
//! behind it, each application has its own service account, and trust is real RBAC.
//!
//! ```no_run
//! # fn main() -> Result<(), juju_sim::Error> {
//! use juju_sim::{Deployment, Model, ModelOptions};
//!
//! let mut model = Model::new(ModelOptions::named("istio-system"))?;
//! model.deploy(Deployment::of("istio-pilot_amd64.charm").trusted())?;
//! model.settle()?;
//! model.set_config("istio-pilot", &[("cni-bin-dir", "/opt/cni/bin")])?;
//! model.settle()?;
//! println!("{}", model.status());
//! # Ok(())
//! # }
//! ```
//!
//! Operations only say what is wanted and refuse what Juju refuses; [`Model::settle`] then runs
//! hooks until nothing is due. What ran is in [`Model::dispatches`].

mod charm;
mod cli;
mod clock;
mod dispatch;
mod error;
mod hook;
mod hook_context;
mod model;
pub mod program;
mod protocol;
mod record;
mod state;
mod status;
mod substrate;
mod tools;

pub use charm::Role;
pub use error::Error;
pub use model::actions::ActionResult;
pub use model::applications::Deployment;
pub use model::settle::Settled;
pub use model::{Model, ModelOptions};
pub use record::{Dispatch, LogLine, Observer, Progress, Reaction, ToolCall};
pub use state::{Life, Status};
pub use status::{ApplicationStatus, ModelStatus, UnitStatus};
pub use tools::injected::ToolFailure;

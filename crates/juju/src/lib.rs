//! A hook runtime for Juju charms written in Rust.
//!
//! Juju runs a charm's `dispatch` program at every event of a unit: with the event in environment
//! variables, and with hook tools in the `PATH` through which the charm reads and writes the model.
//! This crate gives both as types. It decides nothing: a charm reads its context and facts,
//! decides, acts, and sets a status.
//!
//! - [`context`] reads the variables; it is pure.
//! - [`HookTools`] runs the hook tools; its methods are next to the data they handle.
//! - [`relation`] has what was read of a relation as a value, and [`serialized_data`] what many
//!   charms of Kubeflow mean by it; both are pure.
//! - Everything Juju names has a type in [`names`], checked where it enters.
//!
//! What is expected to happen is a value, not an error: not being the leader, a relation that is
//! gone, a secret that was not granted ([`WriteOutcome`], `Option`, [`secret::SecretAnswer`]).
//! A [`ToolError`] remains for what the charm cannot help. It should end the hook with exit code 1;
//! Juju then drops what was buffered and tries the hook again.
//!
//! # A charm
//!
//! ```no_run
//! use juju::context::{Event, HookContext};
//! use juju::log::juju_log_layer;
//! use juju::{HookTools, Status};
//! use tracing_subscriber::filter::LevelFilter;
//! use tracing_subscriber::prelude::*;
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let mut arguments = std::env::args();
//!     let context = HookContext::from_variables(std::env::vars(), &arguments.next().unwrap_or_default())?;
//!     let tools = HookTools::new(&context);
//!     let (log, _guard) = juju_log_layer(&tools);
//!     tracing_subscriber::registry().with(log.with_filter(LevelFilter::INFO)).init();
//!     if matches!(context.event, Event::Unknown(_)) {
//!         return Ok(());
//!     }
//!     let config = tools.config()?;
//!     let status = match config.text("greeting") {
//!         None | Some("") => Status::Blocked("set the option greeting: juju config APP greeting=hello".into()),
//!         Some(greeting) if tools.is_leader()? => Status::Active(format!("{greeting} from the leader")),
//!         Some(_) => Status::Active("standby".into()),
//!     };
//!     let _ = tools.set_unit_status(&status)?;
//!     let _ = tools.set_application_status(&status)?;
//!     Ok(())
//! }
//! ```

pub mod action;
pub mod config;
pub mod context;
pub mod goal_state;
mod leadership;
pub mod log;
pub mod names;
pub mod network;
pub mod port;
pub mod python_json;
pub mod relation;
mod resource;
pub mod secret;
pub mod serialized_data;
pub mod state;
pub mod status;
pub mod tls_certificates;
pub mod tools;
pub mod version;
mod yaml;

pub use config::Config;
pub use context::HookContext;
pub use status::Status;
pub use tools::{HookTools, ToolError, WriteOutcome};

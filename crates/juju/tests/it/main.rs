//! The wrappers against executable hook tools, which answer as a Juju 4.0.15 agent answered.
//!
//! - `facts`: config, leadership, goal state, network, ports, resources, state
//! - `statuses`: unit and application status, application version
//! - `relations`, `secrets`, `serialized_data`, `actions`: as named
//! - `relations_of_endpoint`, `relations_that_vanish`: all relations of an endpoint as values, what
//!   that costs, and what is read when one vanishes in the meantime
//! - `logging`: juju-log and the tracing layer
//! - `processes`: how tools are found, started and counted

// Clippy's exception for tests covers only functions marked as tests; helpers belong to tests too.
#![allow(clippy::unwrap_used, clippy::panic)]

mod actions;
mod facts;
mod fake_tools;
mod logging;
mod processes;
mod relations;
mod relations_of_endpoint;
mod relations_that_vanish;
mod secrets;
mod serialized_data;
mod statuses;

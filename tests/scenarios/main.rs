//! Whole stories: the built charm, run by a simulated Juju, against a real Kubernetes API server.
//!
//! - `story`: what people do, from deploying to removing.
//! - `inputs`: options that cannot be used, and a cluster that refuses or is away.
//! - `ownership`: what is not this application's stays as it is; drift is set back.
//! - `definitions`: definitions of other releases that are there already, and what is stored with them.
//! - `nodes`: nodes that come, go or are special, and what holds the switch on them.
//! - `policies`: what a cluster's own policies make of the charm's objects.
//! - `switch`: the CNI switch when something is in the way, a hook is killed or its leader deposed.
//! - `actions`: what `juju run` does.
//! - `stale`: workloads that still run with what was injected before, and their restart.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends where something is not as it must be"
)]

mod actions;
mod definitions;
mod inputs;
mod nodes;
mod ownership;
mod policies;
mod stale;
mod story;
mod support;
mod switch;

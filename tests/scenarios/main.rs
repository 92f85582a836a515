//! Whole stories: the built charm, run by a simulated Juju, against a real Kubernetes API server.
//!
//! - `story`: what people do, from deploying to removing.
//! - `inputs`: options that cannot be used, and a cluster that refuses or is away.
//! - `ingress`: what comes in through the ingress gateway, and who checks it.
//! - `traefik`: charms of the other kind at the endpoint `ingress`.
//! - `ownership`: what is not this application's stays as it is; drift is set back.
//! - `definitions`: definitions of other releases that are there already, and what is stored with them.
//! - `nodes`: nodes that come, go or are special, and what holds the switch on them.
//! - `policies`: what a cluster's own policies make of the charm's objects.
//! - `switch`: the CNI switch when something is in the way, a hook is killed or its leader deposed.
//! - `relations`: what other charms get through relations.
//! - `neighbours`: what the libraries on the other side of relations make of what the charm writes.
//! - `observability`: what Prometheus and Grafana get, and that istiod and the node agent have it.
//! - `tls`: HTTPS at the ingress gateway.
//! - `secrets`: that the value of a Secret is shown nowhere.
//! - `slow_server`: an API server that answers late.
//! - `acknowledgement`: the question of the switch, put to a real istiod.
//! - `actions`: what `juju run` does.
//! - `conformance`: what the tests of the Python charm ask for beyond all that.
//! - `upgrade`: from one version of Istio to another.
//! - `stale`: workloads that still run with what was injected before, and their restart.
//!
//! What `juju status` and `juju run` show stands in `expect!`, whole. What is another text at each
//! run is masked first, by a function of `support`. After a text of the charm has changed,
//! `UPDATE_EXPECT=1 cargo test --test scenarios` writes the new one here; then run `cargo fmt` and
//! look at the difference. It can write each `expect!` once in a run: none stands in a loop, nor in
//! a function that several tests call.

#![allow(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it must be"
)]
#![allow(
    clippy::needless_raw_string_hashes,
    reason = "UPDATE_EXPECT writes them"
)]

mod acknowledgement;
mod actions;
mod conformance;
mod definitions;
mod ingress;
mod inputs;
mod neighbours;
mod nodes;
mod observability;
mod ownership;
mod policies;
mod relations;
mod secrets;
mod slow_server;
mod stale;
mod story;
mod support;
mod switch;
mod tls;
mod traefik;
mod upgrade;

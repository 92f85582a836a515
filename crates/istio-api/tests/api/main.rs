//! The API against what Istio ships.

#![allow(
    clippy::panic,
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test says by a panic that it fails"
)]

mod equality;
mod examples;
mod round_trip;
mod server;
mod upstream;

//! A hook runtime for Juju charms written in Rust.

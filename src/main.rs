//! The istio-pilot charm.

fn main() {}

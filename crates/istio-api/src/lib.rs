//! Rust types of Istio's custom resources and the definitions made from them.

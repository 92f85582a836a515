//! The ground floor: Kubernetes objects, and what can be read from them. Pure, and about Kubernetes
//! alone.

pub mod admission;
pub mod event;
pub mod kind;
pub mod labels;
pub mod managed_fields;
pub mod names;
pub mod node;
pub mod object;
pub mod pod;
pub mod rollout;
pub mod selector;
pub mod slim;
pub mod version;

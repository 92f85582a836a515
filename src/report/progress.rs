//! What the unit's status says while a hook is at work.

use crate::cni::Phase;
use crate::intent::Intent;

/// The status while `count` objects are applied.
pub fn applying(phase: Phase, intent: &Intent, count: usize) -> String {
    let what = match phase {
        Phase::Off => "applying the control plane",
        Phase::RollingOut => "installing the CNI node agent",
        Phase::On => "switching injection to the CNI node agent",
        Phase::Draining if intent.cni_paths().is_some() => {
            "switching the CNI off to change the node agent"
        }
        Phase::Draining | Phase::Removing => "switching the CNI off",
    };
    format!("{what} ({count} objects)")
}

/// The status while `count` objects are deleted.
pub fn deleting(count: usize) -> String {
    format!("removing {count} objects")
}

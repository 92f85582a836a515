//! What the status says while a hook is at work.

use super::*;
use crate::report::progress::{applying, deleting};

#[test]
fn the_status_names_what_is_going_on() {
    let mut lines = Vec::new();
    for (name, options) in [("CNI wanted", &BOTH_PATHS[..]), ("not wanted", &[])] {
        let intent = decide(&facts(true, options, &[]));
        for phase in [
            Phase::Off,
            Phase::RollingOut,
            Phase::On,
            Phase::Draining,
            Phase::Removing,
        ] {
            lines.push(format!(
                "{name}, {phase:?}: {}",
                applying(phase, &intent, 7)
            ));
        }
    }
    lines.push(deleting(7));
    expect![[r#"
        CNI wanted, Off: applying the control plane (7 objects)
        CNI wanted, RollingOut: installing the CNI node agent (7 objects)
        CNI wanted, On: switching injection to the CNI node agent (7 objects)
        CNI wanted, Draining: switching the CNI off to change the node agent (7 objects)
        CNI wanted, Removing: switching the CNI off (7 objects)
        not wanted, Off: applying the control plane (7 objects)
        not wanted, RollingOut: installing the CNI node agent (7 objects)
        not wanted, On: switching injection to the CNI node agent (7 objects)
        not wanted, Draining: switching the CNI off (7 objects)
        not wanted, Removing: switching the CNI off (7 objects)
        removing 7 objects
    "#]]
    .assert_eq(&(lines.join("\n") + "\n"));
}

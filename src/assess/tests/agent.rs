//! What of a DaemonSet decides on its pods.

use super::*;
use crate::assess::agent::has_same_template;

#[test]
fn two_daemon_sets_make_the_same_pods_while_template_and_selector_are_the_same() {
    let same = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut cluster = Simulated::settled(&BOTH_PATHS);
        let daemon_set = |cluster: &Simulated| {
            let found = cluster.live.values().find(|it| it.is(&DAEMON_SET));
            found.unwrap().clone()
        };
        let before = daemon_set(&cluster);
        cluster.change(&DAEMON_SET, change);
        has_same_template(&before, &daemon_set(&cluster))
    };
    assert!(same(
        &|it| it["spec"]["updateStrategy"] = json!({"type": "OnDelete"})
    ));
    assert!(!same(
        &|it| it["spec"]["template"]["metadata"]["labels"]["a"] = json!("b")
    ));
    assert!(!same(
        &|it| it["spec"]["selector"]["matchLabels"]["a"] = json!("b")
    ));
}

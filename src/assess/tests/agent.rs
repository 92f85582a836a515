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

#[test]
fn a_removal_waits_for_a_node_agent_that_does_not_go_only_where_others_rely_on_it() {
    let phase = |others: bool, overdue: bool| {
        let mut cluster = Simulated::settled(&BOTH_PATHS);
        cluster.remove();
        let assessment = assess_seen(&mut cluster, |observed| {
            observed.overdue.agent_pods = overdue;
            let other = ObjectId::new(&DEPLOYMENT, "istio-canary", "istiod");
            observed.drain.relying = Some(others.then_some(other).into_iter().collect());
        });
        assessment.phase
    };
    let table = [
        ("overdue", phase(false, true)),
        ("overdue, and others rely on it", phase(true, true)),
        ("not overdue", phase(false, false)),
    ];
    let table = table.map(|(when, phase)| (when, format!("{phase:?}")));
    check(
        &table,
        &expect![[r#"
            overdue: Off
            overdue, and others rely on it: Draining
            not overdue: Draining
        "#]],
    );
}

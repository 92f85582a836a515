//! Where the CNI switch stands, and what it waits for.

use std::time::Duration;

use super::*;
use crate::istio::Injection;
use crate::observed::Effect;
use crate::simulated::waiting_pod;
use crate::step::deadlines::Timeouts;

/// Phase and what is awaited.
fn state(cluster: &mut Simulated) -> String {
    let (_, assessment) = cluster.assess();
    let awaited: Vec<_> = assessment.all_awaited().map(ToString::to_string).collect();
    let next_look = assessment.next_look;
    let polls = next_look.map_or_else(String::new, |it| format!(", looks again in {it:?}"));
    format!("{:?}{polls}: {}", assessment.phase, awaited.join("; "))
}

#[test]
fn the_way_to_the_cni() {
    let mut off = Simulated::settled(&[]);
    let off_state = state(&mut off);
    off.configure(&BOTH_PATHS);
    let asked = state(&mut off);
    off.change(&DEPLOYMENT, |it| {
        it["status"]["availableReplicas"] = json!(0);
    });
    let both = state(&mut off);
    let running = json!({"running": {}});
    let pull = json!({"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}});
    let mut on = Simulated::settled(&BOTH_PATHS);
    let on_state = state(&mut on);
    on.fail_agent("n2", &running);
    let joining = state(&mut on);
    on.fail_agent("n2", &pull);
    let table = [
        ("off", off_state),
        ("asked for", asked),
        ("asked for, istiod not ready", both),
        ("on its way", state(&mut failing_agent(&running))),
        ("failing", state(&mut failing_agent(&pull))),
        ("on", on_state),
        ("on, a node joins", joining),
        ("on, a node fails", state(&mut on)),
    ];
    check(
        &table,
        &expect![[r#"
            off: Off: 
            asked for: RollingOut: istio-cni-node is not created yet
            asked for, istiod not ready: RollingOut: istiod 0/1 ready; istio-cni-node is not created yet
            on its way: RollingOut: istio-cni-node 2/3 nodes (n2: running, not ready)
            failing: RollingOut: istio-cni-node 2/3 nodes (n2: ImagePullBackOff: no such image)
            on: On: 
            on, a node joins: On: istio-cni-node 2/3 nodes (n2: running, not ready)
            on, a node fails: On: istio-cni-node 2/3 nodes (n2: ImagePullBackOff: no such image)
        "#]],
    );
}

#[test]
fn the_way_back() {
    let mut cluster = Simulated::settled(&BOTH_PATHS);
    cluster.configure(&[]);
    let asked = state(&mut cluster);
    cluster.take_step();
    let answer = |injection| Some(vec![("istiod-1".to_owned(), injection)]);
    cluster.injects = answer(Some(Injection::IstioValidation));
    let not_taken_up = state(&mut cluster);
    cluster.injects = answer(None);
    let silent = state(&mut cluster);
    cluster.injects = Some(Vec::new());
    let none = state(&mut cluster);
    cluster.injects = None;
    cluster.pending = vec![waiting_pod("a"), waiting_pod("b")];
    let pods = state(&mut cluster);
    cluster.pending.clear();
    let stragglers = state(&mut cluster);
    cluster.now += Duration::from_millis(999);
    let soon = state(&mut cluster);
    cluster.now += Duration::from_millis(1);
    let drained = state(&mut cluster);
    cluster.live.retain(|id, _| !id.is(&DAEMON_SET));
    let pods_left = state(&mut cluster);
    cluster.agent.pods.clear();
    let table = [
        ("asked for", asked),
        ("an istiod has the old configuration", not_taken_up),
        ("an istiod hangs", silent),
        ("no istiod", none),
        ("pods wait", pods),
        ("no pod waits", stragglers),
        ("a moment later", soon),
        ("a second later", drained),
        ("only pods are left", pods_left),
        ("nothing is left", state(&mut cluster)),
    ];
    check(
        &table,
        &expect![[r#"
            asked for: Draining: the injection configuration changes
            an istiod has the old configuration: Draining, looks again in 200ms: istiod-1 has not taken up the change yet
            an istiod hangs: Draining, looks again in 200ms: istiod-1 does not say what it injects
            no istiod: Draining, looks again in 200ms: no istiod is ready
            pods wait: Draining: pods that still need the CNI node agent: shop/a, shop/b (not scheduled yet)
            no pod waits: Draining, looks again in 1s: looking once more for pods that need the CNI node agent
            a moment later: Draining, looks again in 1ms: looking once more for pods that need the CNI node agent
            a second later: Removing: removing istio-cni-node, 3 pods left
            only pods are left: Removing: removing istio-cni-node, 3 pods left
            nothing is left: Off: 
        "#]],
    );
}

#[test]
fn a_removal_drains_and_has_no_patience() {
    let mut cluster = Simulated::settled(&BOTH_PATHS);
    cluster.pending.push(waiting_pod("a"));
    cluster.remove();
    let asked = state(&mut cluster);
    cluster.step_until("MutatingWebhookConfiguration");
    let pods = state(&mut cluster);
    cluster.now = Duration::from_millis(19_999);
    let patient = state(&mut cluster);
    cluster.now = Duration::from_secs(20);
    let impatient = state(&mut cluster);
    cluster.live.retain(|id, _| !id.is(&DAEMON_SET));
    let pods_left = state(&mut cluster);
    cluster.now = Duration::from_secs(40);
    let table = [
        ("asked for", asked),
        ("webhooks are gone", pods),
        ("shortly before 20 s", patient),
        ("after 20 s", impatient),
        ("only pods are left", pods_left),
        ("after 40 s", state(&mut cluster)),
    ];
    check(
        &table,
        &expect![[r#"
            asked for: Draining: 
            webhooks are gone: Draining: pods that still need the CNI node agent: shop/a (not scheduled yet)
            shortly before 20 s: Draining: pods that still need the CNI node agent: shop/a (not scheduled yet)
            after 20 s: Removing: removing istio-cni-node
            only pods are left: Removing: removing istio-cni-node, 3 pods left
            after 40 s: Off: 
        "#]],
    );
}

#[test]
fn a_daemon_set_that_is_being_deleted_is_waited_for() {
    let mut cluster = Simulated::settled(&BOTH_PATHS);
    cluster.change(&DAEMON_SET, |it| {
        it["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    });
    // A hook that begins after it knows nothing of its pods.
    let complete = state(&mut cluster);
    cluster.change(&DAEMON_SET, |it| it["status"]["numberReady"] = json!(2));
    let table = [("complete", complete), ("going", state(&mut cluster))];
    check(
        &table,
        &expect![[r#"
            complete: Removing: removing istio-cni-node
            going: Removing: removing istio-cni-node, 3 pods left
        "#]],
    );
}

#[test]
fn another_template_is_switched_off_unless_its_pods_would_stay() {
    let mut cluster = Simulated::settled(&BOTH_PATHS);
    cluster.change(&DAEMON_SET, |it| {
        it["spec"]["template"]["spec"]["containers"][0]["image"] = json!("mirror.test/cni:1");
    });
    let replaced = state(&mut cluster);
    cluster.effect_of_applying = Effect::KeepsPods;
    cluster.begin_hook(Timeouts::default());
    let kept = state(&mut cluster);
    let table = [("replaced", replaced), ("kept", kept)];
    check(
        &table,
        &expect![[r#"
        replaced: Draining: the injection configuration changes
        kept: On: 
    "#]],
    );
}

#[test]
fn pods_on_nodes_that_are_gone_are_not_waited_for() {
    let mut cluster = Simulated::settled(&BOTH_PATHS);
    cluster.configure(&[]);
    cluster.step_until("delete DaemonSet");
    cluster.agent.pods = Simulated::settled(&BOTH_PATHS).agent.pods;
    let three = state(&mut cluster);
    cluster.agent.nodes.truncate(1);
    let one = state(&mut cluster);
    cluster.agent.nodes.clear();
    let table = [
        ("three nodes", three),
        ("one node", one),
        ("none", state(&mut cluster)),
    ];
    check(
        &table,
        &expect![[r#"
            three nodes: Removing: removing istio-cni-node, 3 pods left
            one node: Removing: removing istio-cni-node, 1 pod left
            none: Off: 
        "#]],
    );
}

#[test]
fn the_way_back_begins_with_what_pods_get() {
    let mut cluster = Simulated::settled(&BOTH_PATHS);
    cluster.configure(&[]);
    let (_, assessment) = cluster.assess();
    assert_eq!(assessment.phase, Phase::Draining);
    assert_eq!(assessment.awaited, [Awaited::InjectionChange]);
    // A removal deletes the webhook instead.
    cluster.remove();
    let (_, assessment) = cluster.assess();
    assert_eq!(assessment.phase, Phase::Draining);
    assert_eq!(assessment.awaited, []);
}

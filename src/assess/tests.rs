//! What follows from a cluster's state: gates, questions, what is awaited.

use expect_test::{Expect, expect};
use serde_json::json;

use super::gate::{Deletions, Upserts};
use super::question::{Known, Question, open_question};
use super::*;
use crate::intent::Intent;
use crate::k8s::kind::{CONFIG_MAP, MUTATING_WEBHOOK};
use crate::k8s::rollout::Counts;
use crate::observed::Overdue;
use crate::observed::collection::Collection;
use crate::simulated::{BOTH_PATHS, KUBERNETES, Simulated, node, waiting_pod};
use awaited::IstiodProgress;

/// What an assessment says, in a few lines.
fn lines(assessment: &Assessment) -> String {
    let plan = &assessment.plan;
    let mut lines = vec![format!(
        "{:?}: {} to apply ({:?}), {} to delete ({:?})",
        assessment.phase,
        plan.upserts.len(),
        assessment.gate.upserts,
        plan.deletions.len(),
        assessment.gate.deletions,
    )];
    lines.extend(assessment.all_awaited().map(|it| format!("awaits {it}")));
    lines.extend(assessment.fault.iter().map(|it| format!("fault {it:?}")));
    lines.extend(assessment.obstacles().map(|it| format!("obstacle {it}")));
    if assessment.needs_polling {
        lines.push("polls".to_owned());
    }
    lines.join("\n")
}

#[track_caller]
fn check(cluster: &mut Simulated, expected: &Expect) {
    expected.assert_eq(&lines(&cluster.assess().1));
}

#[test]
fn what_may_be_applied_depends_on_definitions_and_istiod() {
    let mut cluster = Simulated::new(&[]);
    check(
        &mut cluster,
        &expect!["Off: 33 to apply (Definitions), 0 to delete (All)"],
    );
    cluster.istiod_is_ready = false;
    cluster.take_step();
    check(
        &mut cluster,
        &expect![[r#"
        Off: 18 to apply (AllButNewWebhooks), 0 to delete (All)
        awaits istiod not created yet"#]],
    );
    cluster.change(&CUSTOM_RESOURCE_DEFINITION, |it| it["status"] = json!({}));
    check(
        &mut cluster,
        &expect![[r#"
        Off: 18 to apply (Nothing), 0 to delete (All)
        awaits authorizationpolicies.security.istio.io not established yet"#]],
    );
}

#[test]
fn the_node_agent_is_waited_for_in_each_phase() {
    let mut cluster = Simulated::settled(&[]);
    cluster.configure(&BOTH_PATHS);
    check(
        &mut cluster,
        &expect![[r#"
        RollingOut: 8 to apply (All), 0 to delete (All)
        awaits istio-cni-node is not created yet"#]],
    );
    cluster.take_step();
    cluster.fail_agent("n1", &json!({"running": {}}));
    check(
        &mut cluster,
        &expect![[r#"
        RollingOut: 0 to apply (All), 0 to delete (All)
        awaits istio-cni-node 2/3 nodes (n1: running, not ready)"#]],
    );
    cluster.agent.nodes[0] = node("n1", "False");
    check(
        &mut cluster,
        &expect!["On: 2 to apply (All), 0 to delete (All)"],
    );
    let mut cluster = Simulated::settled(&BOTH_PATHS);
    cluster.configure(&[]);
    check(
        &mut cluster,
        &expect![[r#"
        Draining: 2 to apply (All), 0 to delete (All)
        awaits the injection configuration changes"#]],
    );
    cluster.pending.push(waiting_pod("a"));
    cluster.take_step();
    check(
        &mut cluster,
        &expect![[r#"
        Draining: 0 to apply (All), 0 to delete (All)
        awaits pods that still need the CNI node agent: shop/a (not scheduled yet)"#]],
    );
    cluster.pending.clear();
    check(
        &mut cluster,
        &expect![[r#"
        Draining: 0 to apply (All), 0 to delete (All)
        awaits looking once more for pods that need the CNI node agent
        polls"#]],
    );
}

#[test]
fn at_a_removal_one_wave_after_the_other_may_be_deleted() {
    let mut cluster = Simulated::settled(&BOTH_PATHS);
    cluster.pending.push(waiting_pod("a"));
    cluster.remove();
    check(
        &mut cluster,
        &expect!["Draining: 0 to apply (Nothing), 18 to delete (Wave(Webhooks))"],
    );
    cluster.take_step();
    check(
        &mut cluster,
        &expect![[r#"
        Draining: 0 to apply (Nothing), 16 to delete (Nothing)
        awaits pods that still need the CNI node agent: shop/a (not scheduled yet)"#]],
    );
    cluster.pending.clear();
    let mut lines_seen = Vec::new();
    while cluster.take_step().0.contains("delete") || lines_seen.len() < 8 {
        lines_seen.push(lines(&cluster.assess().1));
    }
    lines_seen.dedup();
    expect![[r#"
        Draining: 0 to apply (Nothing), 16 to delete (Nothing)
        awaits looking once more for pods that need the CNI node agent
        polls
        Removing: 0 to apply (Nothing), 17 to delete (Wave(Workloads))
        awaits removing istio-cni-node (0 pods left)
        Off: 0 to apply (Nothing), 20 to delete (Wave(Foundations))
        Off: 0 to apply (Nothing), 15 to delete (Definitions)
        Off: 0 to apply (Nothing), 0 to delete (Nothing)"#]]
    .assert_eq(&lines_seen.join("\n"));
}

#[test]
fn what_is_being_deleted_is_awaited_and_watched_at_a_removal() {
    let mut cluster = Simulated::settled(&[]);
    cluster.remove();
    cluster.change(&MUTATING_WEBHOOK, |it| {
        it["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    });
    check(
        &mut cluster,
        &expect![[r#"
        Off: 0 to apply (Nothing), 18 to delete (Wave(Webhooks))
        awaits deleting MutatingWebhookConfiguration istio-sidecar-injector-mesh"#]],
    );
    let watched = cluster.assess().1.watched();
    assert!(watched.contains(&Collection::Kind(MUTATING_WEBHOOK)));
    assert!(!watched.contains(&Collection::Kind(CONFIG_MAP)));
}

#[test]
fn each_phase_watches_what_it_waits_for() {
    let (_, mut assessment) = Simulated::settled(&[]).assess();
    let mut watched = |phase| {
        assessment.phase = phase;
        let kinds = assessment.watched().into_iter().map(|it| match it {
            Collection::Kind(kind) => kind.kind.to_owned(),
            other => format!("{other:?}"),
        });
        kinds.collect::<Vec<_>>().join(" ")
    };
    let always = "CustomResourceDefinition Deployment Istiods";
    assert_eq!(watched(Phase::Off), always);
    let agent = "DaemonSet Agents Nodes Warnings";
    assert_eq!(watched(Phase::RollingOut), format!("{always} {agent}"));
    assert_eq!(watched(Phase::On), format!("{always} {agent}"));
    assert_eq!(watched(Phase::Draining), format!("{always} Pending"));
    assert_eq!(
        watched(Phase::Removing),
        format!("{always} DaemonSet Agents")
    );
}

/// The first question that a cluster leaves open.
fn asked(cluster: &Simulated, known: Known, change: impl Fn(&mut Observed)) -> String {
    let desired = Desired::new(&cluster.intent, Vec::new(), KUBERNETES).unwrap();
    let mut observed = Observed {
        namespace: "mesh".to_owned(),
        live: cluster.live.clone(),
        ..Observed::default()
    };
    change(&mut observed);
    match open_question(&desired, &observed, known) {
        None => "nothing".to_owned(),
        Some(Question::EffectOfApplying { .. }) => "effect".to_owned(),
        Some(Question::CustomResources(of)) => format!("custom resources of {}", of.len()),
        Some(other) => format!("{other:?}"),
    }
}

#[test]
fn only_what_matters_is_asked() {
    let ready = Known::default();
    let as_is = |_: &mut Observed| {};
    assert_eq!(asked(&Simulated::settled(&[]), ready, as_is), "nothing");
    let mut on = Simulated::settled(&BOTH_PATHS);
    assert_eq!(asked(&on, ready, as_is), "nothing", "all pods are ready");
    on.change(&DAEMON_SET, |it| it["status"]["numberReady"] = json!(2));
    assert_eq!(asked(&on, ready, as_is), "AgentState");
    let state = on.agent.clone();
    let with_state = |it: &mut Observed| it.agent = Some(state.clone());
    assert_eq!(asked(&on, ready, with_state), "nothing");
    on.change(&DAEMON_SET, |it| {
        it["spec"]["template"]["spec"]["containers"][0]["image"] = json!("mirror.test/cni:1");
    });
    assert_eq!(asked(&on, ready, with_state), "effect");
    let with_effect = |it: &mut Observed| {
        with_state(it);
        it.keeps_agent_pods = Some(true);
    };
    assert_eq!(asked(&on, ready, with_effect), "nothing");
}

#[test]
fn a_drain_asks_the_istiods_and_then_for_pods() {
    let mut cluster = Simulated::settled(&BOTH_PATHS);
    cluster.configure(&[]);
    let as_is = |_: &mut Observed| {};
    let ready = Known::default();
    assert_eq!(
        asked(&cluster, ready, as_is),
        "nothing",
        "injection comes first"
    );
    cluster.take_step();
    assert_eq!(asked(&cluster, ready, as_is), "WhatIstiodsInject");
    let answered = |it: &mut Observed| it.drain.holding = Some(Vec::new());
    assert_eq!(asked(&cluster, ready, answered), "nothing", "once a look");
    let acknowledged = Known {
        acknowledged: true,
        ..ready
    };
    assert_eq!(asked(&cluster, acknowledged, as_is), "PendingPods");
    let known = |it: &mut Observed| it.drain.pending = Some(Vec::new());
    assert_eq!(asked(&cluster, acknowledged, known), "nothing");
}

#[test]
fn logs_are_asked_for_when_it_takes_long_and_nothing_else_is_known() {
    let mut cluster = Simulated::settled(&[]);
    cluster.configure(&BOTH_PATHS);
    cluster.take_step();
    cluster.fail_agent("n1", &json!({"running": {}}));
    let with_state = |it: &mut Observed| it.agent = Some(cluster.agent.clone());
    assert_eq!(asked(&cluster, Known::default(), with_state), "nothing");
    let long = Known {
        takes_long: true,
        ..Known::default()
    };
    let logs = r#"AgentLogs([("n1", "agent-n1")])"#;
    assert_eq!(asked(&cluster, long, with_state), logs);
    let with_logs = |it: &mut Observed| {
        with_state(it);
        it.without_configuration = Some(["n1".to_owned()].into());
    };
    assert_eq!(asked(&cluster, long, with_logs), "nothing");
}

#[test]
fn whether_definitions_are_used_is_asked_last() {
    let mut cluster = Simulated::settled(&[]);
    let as_is = |_: &mut Observed| {};
    let ready = Known::default();
    cluster.remove();
    assert_eq!(
        asked(&cluster, ready, as_is),
        "nothing",
        "there is more to delete"
    );
    cluster
        .live
        .retain(|id, _| id.is(&CUSTOM_RESOURCE_DEFINITION));
    assert_eq!(asked(&cluster, ready, as_is), "custom resources of 15");
    let known = |it: &mut Observed| it.definitions = Some(DefinitionUse::Unused);
    assert_eq!(asked(&cluster, ready, known), "nothing");
    cluster.put_as_it_is(json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "istiod", "namespace": "other"},
    }));
    assert_eq!(
        asked(&cluster, ready, as_is),
        "nothing",
        "somebody uses them"
    );
}

#[test]
fn a_removal_that_is_overdue_waits_for_no_pod() {
    let mut cluster = Simulated::settled(&BOTH_PATHS);
    cluster.remove();
    cluster.take_step();
    cluster.pending.push(waiting_pod("a"));
    let intent = Intent::nothing(cluster.intent.identity.clone());
    let desired = Desired::new(&intent, Vec::new(), KUBERNETES).unwrap();
    let mut observed = cluster.observe(&desired);
    let phase = |observed: &Observed| assess(&desired, observed).unwrap().phase;
    assert_eq!(phase(&observed), Phase::Draining);
    observed.overdue = Overdue {
        drain: true,
        agent_pods: false,
    };
    assert_eq!(phase(&observed), Phase::Removing);
    observed.overdue.agent_pods = true;
    assert_eq!(phase(&observed), Phase::Off);
}

#[test]
fn every_reason_to_wait_has_its_words() {
    let counts = Counts {
        wanted: 3,
        updated: 2,
        available: 1,
        old: 0,
    };
    let istiod = |progress, reason: Option<&str>| Awaited::Istiod {
        progress,
        reason: reason.map(str::to_owned),
    };
    let all = [
        Awaited::Definition("gateways.networking.istio.io".to_owned()),
        istiod(IstiodProgress::Missing, None),
        istiod(IstiodProgress::NotBegun, None),
        istiod(IstiodProgress::Counted(counts), Some("no such image")),
        Awaited::AgentCreation,
        Awaited::AgentRollout {
            ready: 1,
            desired: 3,
            reason: Some("n2: starting".to_owned()),
        },
        Awaited::InjectionChange,
        Awaited::Acknowledgement(crate::cni::acknowledgement::Holding::NoneReady),
        Awaited::PodsInNeed {
            pods: ["a", "b", "c", "d"].map(str::to_owned).into(),
            reason: "not scheduled yet".to_owned(),
        },
        Awaited::Stragglers,
        Awaited::AgentRemoval { remaining: 2 },
    ];
    let words = all.iter().map(ToString::to_string).collect::<Vec<_>>();
    expect![[r#"
        gateways.networking.istio.io not established yet
        istiod not created yet
        istiod rollout not begun
        istiod 1/3 ready (no such image)
        istio-cni-node is not created yet
        istio-cni-node 1/3 nodes (n2: starting)
        the injection configuration changes
        no istiod is ready
        pods that still need the CNI node agent: a, b, c (+1 more) (not scheduled yet)
        looking once more for pods that need the CNI node agent
        removing istio-cni-node (2 pods left)"#]]
    .assert_eq(&words.join("\n"));
}

#[test]
fn a_gate_lets_through_what_it_says() {
    let mut cluster = Simulated::new(&BOTH_PATHS);
    let (_, mut assessment) = cluster.assess();
    let upserts = assessment.plan.upserts.clone();
    let mut allowed = |upserts_allowed| {
        assessment.gate.upserts = upserts_allowed;
        let allowed = upserts
            .iter()
            .filter(|it| assessment.gate.allows_upsert(it));
        allowed.count()
    };
    assert_eq!(allowed(Upserts::Definitions), 15);
    assert_eq!(allowed(Upserts::Nothing), 0);
    assert_eq!(allowed(Upserts::All), upserts.len());
    assert_eq!(allowed(Upserts::AllButNewWebhooks), upserts.len() - 2);
    let mut cluster = Simulated::settled(&[]);
    cluster.remove();
    let (_, mut assessment) = cluster.assess();
    let deletions = assessment.plan.deletions.clone();
    let mut allowed = |deletions_allowed| {
        assessment.gate.deletions = deletions_allowed;
        let allowed = deletions
            .iter()
            .filter(|it| assessment.gate.allows_deletion(it));
        allowed.count()
    };
    assert_eq!(allowed(Deletions::All), deletions.len());
    assert_eq!(allowed(Deletions::Nothing), 0);
    assert_eq!(allowed(Deletions::Definitions), 0);
    let webhooks = crate::k8s::kind::Wave::Webhooks;
    assert_eq!(allowed(Deletions::Wave(webhooks)), 2);
}

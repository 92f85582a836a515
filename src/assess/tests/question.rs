//! When which question is asked, and when not.

use std::collections::BTreeMap;
use std::time::Duration;

use super::*;
use crate::assess::question::{Question, open_question};
use crate::cni::acknowledgement::Holding;
use crate::cni::stragglers::SlowestWebhook;
use crate::intent::Intent;
use crate::observed::Effect;
use crate::observed::agent::AgentState;

/// The hook runs as long as it does when all goes well.
const NOT_LONG: bool = false;

/// The next question, in a few words.
fn asked(cluster: &Simulated, takes_long: bool, answer: impl FnOnce(&mut Observed)) -> String {
    let desired = desired(&cluster.intent);
    let mut observed = Observed {
        namespace: "mesh".to_owned(),
        live: cluster.live.clone(),
        ..Observed::default()
    };
    answer(&mut observed);
    match open_question(desired, &observed, takes_long) {
        None => "nothing".to_owned(),
        Some(Question::AgentState) => "how far the node agent is".to_owned(),
        Some(Question::AgentPods) => "which pods the node agent has".to_owned(),
        Some(Question::EffectOfApplying { wanted, live }) => {
            assert_ne!(wanted, live);
            format!("what applying {} would do", wanted.id())
        }
        Some(Question::WhatIstiodsInject) => "what the istiods inject".to_owned(),
        Some(Question::WhoReliesOnAgent(others)) => format!("what {others:?} inject"),
        Some(Question::SlowestWebhook) => "which webhook is the slowest".to_owned(),
        Some(Question::PendingPods) => "which pods have not started".to_owned(),
        Some(Question::AgentLogs(pods)) => format!("the logs of {pods:?}"),
        Some(Question::LastWords(of)) => format!("the last words of {of:?}"),
        Some(Question::GatewayService(name)) => format!("what the Service {name} is like"),
        Some(Question::CustomResources(of)) => format!("objects of {} definitions", of.len()),
    }
}

fn first(cluster: &Simulated) -> String {
    asked(cluster, NOT_LONG, |_| {})
}

/// Gives every object of the node agent to another application.
fn give_agent_away(cluster: &mut Simulated) {
    let all: Vec<_> = cluster.live.values().cloned().collect();
    for mut object in all {
        if object.label("app.kubernetes.io/name") == Some("istio-cni") {
            object.set_label("app.kubernetes.io/instance", "other-mesh");
            cluster.live.insert(object.id().clone(), object);
        }
    }
}

#[test]
fn the_service_of_the_gateway_is_asked_about_where_somebody_has_to_know() {
    let mut cluster = Simulated::settled(&[]);
    assert_eq!(first(&cluster), "nothing");
    cluster.intent.ingress.get_or_insert_default().is_watched = true;
    let service = "what the Service istio-ingressgateway-workload is like";
    assert_eq!(first(&cluster), service);
    let known = asked(&cluster, NOT_LONG, |it| it.gateway_service = Some(None));
    assert_eq!(known, "nothing");
}

#[test]
fn the_state_of_the_node_agent_is_asked_while_it_is_not_complete_or_something_of_it_is_left() {
    let settled = Simulated::settled(&BOTH_PATHS);
    let mut incomplete = Simulated::settled(&BOTH_PATHS);
    incomplete.change(&DAEMON_SET, |it| it["status"]["numberReady"] = json!(2));
    let mut left = Simulated::settled(&BOTH_PATHS);
    left.live.retain(|id, _| !id.is(&DAEMON_SET));
    let mut of_another = Simulated::settled(&BOTH_PATHS);
    of_another.live.retain(|id, _| !id.is(&DAEMON_SET));
    give_agent_away(&mut of_another);
    let answered = |it: &mut Observed| it.agent = Some(AgentState::default());
    let table = [
        ("without one", first(&Simulated::settled(&[]))),
        ("complete", first(&settled)),
        ("incomplete", first(&incomplete)),
        ("answered", asked(&incomplete, NOT_LONG, answered)),
        ("its rights are left", first(&left)),
        ("rights of another's", first(&of_another)),
    ];
    check(
        &table,
        &expect![[r#"
        without one: nothing
        complete: nothing
        incomplete: how far the node agent is
        answered: nothing
        its rights are left: how far the node agent is
        rights of another's: nothing
    "#]],
    );
}

#[test]
fn at_a_removal_only_its_own_node_agent_is_asked_for() {
    let mut own = Simulated::settled(&BOTH_PATHS);
    own.change(&DAEMON_SET, |it| it["status"]["numberReady"] = json!(2));
    own.remove();
    let mut of_another = Simulated::settled(&BOTH_PATHS);
    give_agent_away(&mut of_another);
    of_another.change(&DAEMON_SET, |it| it["status"]["numberReady"] = json!(2));
    of_another.remove();
    let table = [("own", first(&own)), ("another's", first(&of_another))];
    check(
        &table,
        &expect![[r#"
        own: how far the node agent is
        another's: nothing
    "#]],
    );
}

#[test]
fn the_server_is_asked_about_a_template_that_is_not_the_desired_one() {
    let image = |it: &mut serde_json::Value| {
        it["spec"]["template"]["spec"]["containers"][0]["image"] = json!("mirror.test/cni:1");
    };
    let mut other = Simulated::settled(&BOTH_PATHS);
    other.change(&DAEMON_SET, image);
    let mut adopted = Simulated::settled(&BOTH_PATHS);
    adopted.change(&DAEMON_SET, image);
    adopted.change(&DAEMON_SET, |it| {
        let manager = json!({"manager": "istioctl", "operation": "Apply", "fieldsV1": {}});
        it["metadata"]["managedFields"]
            .as_array_mut()
            .unwrap()
            .push(manager);
    });
    let mut beside = Simulated::settled(&BOTH_PATHS);
    beside.change(&DAEMON_SET, |it| {
        it["spec"]["updateStrategy"]["rollingUpdate"]["maxUnavailable"] = json!(7);
    });
    let mut unwanted = Simulated::settled(&BOTH_PATHS);
    unwanted.change(&DAEMON_SET, image);
    unwanted.configure(&[]);
    let answered = |it: &mut Observed| it.effect_of_applying = Some(Effect::KeepsPods);
    let table = [
        ("another image", first(&other)),
        ("answered", asked(&other, NOT_LONG, answered)),
        ("fields of a tool that is replaced", first(&adopted)),
        ("another strategy", first(&beside)),
        ("not wanted", first(&unwanted)),
    ];
    check(
        &table,
        &expect![[r#"
            another image: what applying DaemonSet mesh/istio-cni-node would do
            answered: nothing
            fields of a tool that is replaced: what applying DaemonSet mesh/istio-cni-node would do
            another strategy: nothing
            not wanted: nothing
        "#]],
    );
}

#[test]
fn once_injection_went_back_istiods_are_asked_and_then_pods() {
    let mut cluster = Simulated::settled(&BOTH_PATHS);
    cluster.configure(&[]);
    let before = first(&cluster);
    cluster.take_step();
    let acknowledged = |it: &mut Observed| it.drain.acknowledged_for = Some(Duration::ZERO);
    let held = |it: &mut Observed| it.drain.holding = Some(vec![Holding::NoneReady]);
    let nobody_holds = |it: &mut Observed| {
        acknowledged(it);
        it.drain.holding = Some(Vec::new());
    };
    let agents = |it: &mut Observed| {
        acknowledged(it);
        it.agent = Some(AgentState::default());
    };
    let webhooks = |it: &mut Observed| {
        agents(it);
        it.drain.slowest_webhook = Some(SlowestWebhook::of([], &[]));
    };
    let pending = |it: &mut Observed| {
        webhooks(it);
        it.drain.pending = Some(Vec::new());
    };
    let over = |it: &mut Observed| {
        pending(it);
        it.drain.acknowledged_for = Some(Duration::from_secs(1));
    };
    let table = [
        ("before", before),
        ("after", first(&cluster)),
        ("an istiod holds", asked(&cluster, NOT_LONG, held)),
        ("none holds", asked(&cluster, NOT_LONG, nobody_holds)),
        (
            "acknowledged before",
            asked(&cluster, NOT_LONG, acknowledged),
        ),
        ("node agents are known", asked(&cluster, NOT_LONG, agents)),
        ("webhooks are known", asked(&cluster, NOT_LONG, webhooks)),
        ("pods are known", asked(&cluster, NOT_LONG, pending)),
        ("drained", asked(&cluster, NOT_LONG, over)),
    ];
    check(
        &table,
        &expect![[r#"
            before: nothing
            after: what the istiods inject
            an istiod holds: nothing
            none holds: how far the node agent is
            acknowledged before: how far the node agent is
            node agents are known: which webhook is the slowest
            webhooks are known: which pods have not started
            pods are known: nothing
            drained: nothing
        "#]],
    );
}

#[test]
fn at_a_removal_no_istiod_is_asked() {
    let mut cluster = Simulated::settled(&BOTH_PATHS);
    cluster.remove();
    let before = first(&cluster);
    cluster.step_until("MutatingWebhookConfiguration");
    let pending = |it: &mut Observed| it.drain.pending = Some(Vec::new());
    let table = [
        ("before the injector is gone", before),
        ("after", first(&cluster)),
        ("pods are known", asked(&cluster, NOT_LONG, pending)),
    ];
    check(
        &table,
        &expect![[r#"
            before the injector is gone: nothing
            after: how far the node agent is
            pods are known: how far the node agent is
        "#]],
    );
}

#[test]
fn a_crash_that_the_pod_does_not_explain_is_asked_about_at_once_and_once() {
    let crashing = json!({"waiting": {"reason": "CrashLoopBackOff"}});
    let ask = |cluster: &Simulated, known: bool| {
        let agent = Some(cluster.agent.clone());
        asked(cluster, NOT_LONG, |it| {
            it.agent = agent;
            if known {
                it.explain_crashes(&BTreeMap::new());
            }
        })
    };
    let mut on = Simulated::settled(&BOTH_PATHS);
    on.fail_agent("n2", &crashing);
    let mut removed = failing_agent(&crashing);
    removed.intent = Intent::nothing(removed.intent.identity.clone());
    let table = [
        ("rolling out", ask(&failing_agent(&crashing), false)),
        ("answered", ask(&failing_agent(&crashing), true)),
        ("on", ask(&on, false)),
        ("being removed", ask(&removed, false)),
    ];
    check(
        &table,
        &expect![[r#"
        rolling out: the last words of {Crash { pod: "agent-n2", container: "install-cni" }}
        answered: nothing
        on: the last words of {Crash { pod: "agent-n2", container: "install-cni" }}
        being removed: nothing
    "#]],
    );
}

#[test]
fn logs_are_read_when_it_takes_long_and_nothing_else_says_why() {
    let running = json!({"running": {}});
    let creating = json!({"waiting": {"reason": "ContainerCreating"}});
    let pull = json!({"waiting": {"reason": "ImagePullBackOff"}});
    let ask = |cluster: &Simulated, takes_long, known: bool| {
        let nodes = known.then(Default::default);
        let agent = Some(cluster.agent.clone());
        asked(cluster, takes_long, |it| {
            it.agent = agent;
            it.without_configuration = nodes;
        })
    };
    let cluster = failing_agent(&running);
    let mut faulty = failing_agent(&running);
    let mut other = failing_agent(&creating);
    missing_directory(&mut other);
    faulty.agent.events.clone_from(&other.agent.events);
    for pod in &mut other.agent.pods {
        if pod.metadata.name.as_deref() == Some("agent-n3") {
            let mut value = serde_json::to_value(&faulty.agent.pods[1]).unwrap();
            value["metadata"] = json!({"name": "agent-n3", "uid": "uid-n3"});
            value["spec"]["nodeName"] = json!("n3");
            *pod = serde_json::from_value(value).unwrap();
        }
    }
    let mut on = Simulated::settled(&BOTH_PATHS);
    on.fail_agent("n2", &running);
    let table = [
        ("soon", ask(&cluster, false, false)),
        ("late", ask(&cluster, true, false)),
        ("answered", ask(&cluster, true, true)),
        ("none runs", ask(&failing_agent(&pull), true, false)),
        ("an old event", ask(&faulty, true, false)),
        ("one runs, another has a fault", ask(&other, true, false)),
        ("on", ask(&on, true, false)),
    ];
    check(
        &table,
        &expect![[r#"
        soon: nothing
        late: the logs of [("n2", "agent-n2")]
        answered: nothing
        none runs: nothing
        an old event: the logs of [("n2", "agent-n2")]
        one runs, another has a fault: nothing
        on: nothing
    "#]],
    );
}

#[test]
fn at_the_end_of_a_removal_custom_resources_are_asked_for() {
    let ended = |change: &dyn Fn(&mut Simulated)| {
        let mut cluster = Simulated::settled(&[]);
        cluster
            .live
            .retain(|id, _| id.is(&CUSTOM_RESOURCE_DEFINITION));
        change(&mut cluster);
        cluster.remove();
        cluster
    };
    let mut all = Simulated::settled(&[]);
    all.remove();
    let mut without_istiod = Simulated::settled(&[]);
    without_istiod.live.retain(|id, _| !id.is(&DEPLOYMENT));
    without_istiod.remove();
    let answered = |it: &mut Observed| it.definitions = Some(DefinitionUse::Unused);
    let others_istiod = foreign("Deployment", "istiod", "canary");
    let table = [
        ("not a removal", first(&Simulated::settled(&[]))),
        ("all is there", first(&all)),
        ("more is to be deleted", first(&without_istiod)),
        ("the end", first(&ended(&|_| {}))),
        ("answered", asked(&ended(&|_| {}), NOT_LONG, answered)),
        (
            "another istiod",
            first(&ended(&|it| it.put_as_it_is(others_istiod.clone()))),
        ),
        (
            "one of another",
            first(&ended(&|it| {
                it.change(&CUSTOM_RESOURCE_DEFINITION, |it| {
                    it["metadata"]["managedFields"][0]["manager"] = json!("helm");
                });
            })),
        ),
    ];
    check(
        &table,
        &expect![[r#"
        not a removal: nothing
        all is there: nothing
        more is to be deleted: nothing
        the end: objects of 15 definitions
        answered: nothing
        another istiod: nothing
        one of another: objects of 14 definitions
    "#]],
    );
}

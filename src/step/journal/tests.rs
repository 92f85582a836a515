use std::collections::BTreeSet;

use super::*;
use crate::k8s::kind::CONFIG_MAP;
use crate::simulated::{BOTH_PATHS, Simulated};

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// An assessment in a phase, in which that is awaited.
fn assessment(phase: Phase, awaited: Vec<Awaited>) -> Assessment {
    let (_, mut assessment) = Simulated::settled(&[]).assess();
    assessment.phase = phase;
    assessment.awaited = awaited;
    assessment
}

fn pods_left(remaining: usize) -> Vec<Awaited> {
    vec![Awaited::AgentRemoval {
        remaining: Some(remaining),
        away: BTreeSet::new(),
        finalizers: Vec::new(),
    }]
}

#[test]
fn an_ordinary_wait_is_over_after_two_minutes_whatever_moves() {
    let mut journal = Journal::start(Timeouts::default());
    journal.assessed(&assessment(Phase::Off, pods_left(3)), seconds(1));
    assert!(!journal.is_over(seconds(119)));
    journal.assessed(&assessment(Phase::Off, pods_left(2)), seconds(119));
    assert!(journal.is_over(seconds(120)));
}

#[test]
fn a_switch_goes_on_as_long_as_it_moves_and_for_ten_minutes_at_most() {
    let mut journal = Journal::start(Timeouts::default());
    journal.assessed(&assessment(Phase::Removing, pods_left(3)), seconds(0));
    assert!(!journal.is_over(seconds(119)));
    assert!(journal.is_over(seconds(120)), "nothing has moved");
    journal.assessed(&assessment(Phase::Removing, pods_left(2)), seconds(100));
    assert!(!journal.is_over(seconds(219)));
    assert!(journal.is_over(seconds(220)));
    journal.assessed(&assessment(Phase::Removing, pods_left(1)), seconds(590));
    assert!(!journal.is_over(seconds(599)));
    assert!(journal.is_over(seconds(600)));
}

#[test]
fn a_reason_that_changes_is_no_progress() {
    let rollout = |reason: &str| {
        vec![Awaited::AgentRollout {
            ready: 1,
            desired: 3,
            reason: Some(reason.to_owned()),
        }]
    };
    let mut journal = Journal::start(Timeouts::default());
    journal.assessed(
        &assessment(Phase::RollingOut, rollout("pulling")),
        seconds(0),
    );
    journal.assessed(
        &assessment(Phase::RollingOut, rollout("failing")),
        seconds(100),
    );
    assert!(journal.is_over(seconds(120)));
}

fn fault(node: &str) -> Assessment {
    let mut assessment = assessment(Phase::RollingOut, Vec::new());
    assessment.fault = Some(AgentFault::NoConfiguration {
        nodes: [node.to_owned()].into(),
    });
    assessment
}

#[test]
fn a_fault_is_reported_once_it_stays_the_same_or_keeps_changing_for_long() {
    let mut journal = Journal::start(Timeouts::default());
    assert!(!journal.has_settled_fault(seconds(100)), "there is none");
    journal.assessed(&fault("n1"), seconds(1));
    assert!(!journal.has_settled_fault(seconds(2)));
    assert!(journal.has_settled_fault(seconds(3)));
    for second in 2..=10 {
        let node = format!("n{second}");
        journal.assessed(&fault(&node), seconds(second));
        assert!(!journal.has_settled_fault(seconds(second)), "{second}");
    }
    journal.assessed(&fault("n11"), seconds(11));
    assert!(
        journal.has_settled_fault(seconds(11)),
        "10 s after the first"
    );
    journal.assessed(&assessment(Phase::RollingOut, Vec::new()), seconds(12));
    journal.assessed(&fault("n1"), seconds(13));
    assert!(!journal.has_settled_fault(seconds(14)), "another one");
}

#[test]
fn a_hook_that_looks_once_reports_a_fault_at_once() {
    let mut journal = Journal::start(Timeouts::all(Duration::ZERO));
    journal.assessed(&fault("n1"), Duration::ZERO);
    assert!(journal.has_settled_fault(Duration::ZERO));
    assert!(journal.is_over(Duration::ZERO));
    assert!(journal.takes_long(Duration::ZERO));
}

#[test]
fn one_time_for_every_wait_also_ends_a_switch_that_moves() {
    let mut journal = Journal::start(Timeouts::all(seconds(5)));
    journal.assessed(&assessment(Phase::Removing, pods_left(1)), seconds(4));
    assert!(!journal.is_over(seconds(4)));
    assert!(journal.is_over(seconds(5)));
}

#[test]
fn the_next_look_comes_sooner_where_no_watch_would_tell() {
    let mut journal = Journal::start(Timeouts::default());
    let pause = |journal: &Journal, next, now| journal.until_next_look(next, seconds(now));
    assert_eq!(pause(&journal, None, 0), seconds(15));
    assert_eq!(pause(&journal, Some(seconds(3)), 0), seconds(3));
    assert_eq!(pause(&journal, None, 590), seconds(10));
    assert_eq!(pause(&journal, None, 700), BURST);
    journal.assessed(&fault("n1"), seconds(1));
    assert_eq!(pause(&journal, None, 1), seconds(2));
}

#[test]
fn failed_requests_are_tried_again_with_growing_pauses_until_the_time_is_over() {
    let mut journal = Journal::start(Timeouts::default());
    let mut pause = |failure, at| {
        let pause = journal.failed(failure, seconds(at));
        (pause.map(|it| it.as_millis()), journal.keeps_failing())
    };
    let pauses: Vec<_> = (0..8).map(|_| pause(Retry::InTime, 1)).collect();
    let quiet = |pause| (Some(pause), false);
    let expected = [
        quiet(100),
        quiet(200),
        quiet(400),
        quiet(800),
        quiet(1600),
        // It is told once.
        (Some(3200), true),
        quiet(5000),
        quiet(5000),
    ];
    assert_eq!(pauses, expected);
    assert_eq!(pause(Retry::InTime, 115).0, Some(5000));
    assert_eq!(pause(Retry::InTime, 116).0, None, "the time is over");
    assert_eq!(pause(Retry::Never, 2).0, None, "a refusal stays");
    assert_eq!(pause(Retry::AtFirst, 14).0, Some(5000));
    assert_eq!(pause(Retry::AtFirst, 15).0, None);
    // Reading goes well and writing does not: that is no better.
    journal.assessed(&assessment(Phase::Off, Vec::new()), seconds(2));
    let again = journal.failed(Retry::InTime, seconds(2));
    assert_eq!(again, Some(seconds(5)));
    journal.succeeded();
    let again = journal.failed(Retry::InTime, seconds(2));
    assert_eq!(again, Some(Duration::from_millis(100)), "one went well");
}

#[test]
fn a_round_has_the_time_that_is_left_to_the_hook() {
    let mut journal = Journal::start(Timeouts::default());
    assert_eq!(journal.longest_round(seconds(20)), Some(seconds(100)));
    journal.assessed(&assessment(Phase::Draining, Vec::new()), seconds(20));
    assert_eq!(journal.longest_round(seconds(20)), Some(seconds(580)));
    assert_eq!(journal.longest_round(seconds(700)), Some(Duration::ZERO));
    let removal = Journal::start(Timeouts::default().of_removal());
    assert_eq!(removal.longest_round(seconds(20)), Some(seconds(40)));
    let once = Journal::start(Timeouts::all(Duration::ZERO));
    assert_eq!(once.longest_round(Duration::ZERO), None);
}

#[test]
fn a_switch_has_more_time_to_try_again() {
    let mut journal = Journal::start(Timeouts::default());
    journal.assessed(&assessment(Phase::Draining, Vec::new()), seconds(2));
    assert!(journal.failed(Retry::InTime, seconds(300)).is_some());
}

#[test]
fn a_removal_tries_again_whatever_is_refused_until_its_minute_is_over() {
    let mut journal = Journal::start(Timeouts::default().of_removal());
    for _ in 0..20 {
        assert!(journal.failed(Retry::Never, seconds(50)).is_some());
    }
    assert_eq!(journal.failed(Retry::Never, seconds(55)), Some(seconds(5)));
    assert_eq!(journal.failed(Retry::Never, seconds(60)), None);
    let overdue = |now| {
        let overdue = journal.overdue(seconds(now));
        (overdue.drain, overdue.agent_pods)
    };
    assert_eq!(overdue(19), (false, false));
    assert_eq!(overdue(20), (true, false));
    assert_eq!(overdue(40), (true, true));
    let never = Journal::start(Timeouts::default());
    assert_eq!(never.overdue(seconds(600)), Overdue::default());
}

#[test]
fn leadership_is_trusted_for_15_s_and_not_after_a_wait() {
    let mut journal = Journal::start(Timeouts::default());
    assert!(!journal.leads(seconds(0)), "nobody has asked yet");
    journal.asked_for_leadership(true, seconds(20));
    assert!(journal.leads(seconds(34)));
    assert!(!journal.leads(seconds(35)));
    journal.waited();
    assert!(!journal.leads(seconds(21)));
    journal.asked_for_leadership(false, seconds(22));
    assert!(!journal.leads(seconds(22)));
}

#[test]
fn an_acknowledgement_holds_until_the_switch_turns() {
    let mut journal = Journal::start(Timeouts::default());
    let answers = |injection| vec![("istiod-1".to_owned(), Some(injection))];
    let holding = journal.istiods_answered(&answers(Injection::IstioValidation), seconds(1));
    assert_eq!(holding.len(), 1);
    assert_eq!(journal.acknowledged_for(seconds(2)), None);
    journal.istiods_answered(&answers(Injection::IstioInit), seconds(3));
    assert_eq!(journal.acknowledged_for(seconds(5)), Some(seconds(2)));
    let draining = assessment(Phase::Draining, vec![Awaited::AgentCreation]);
    journal.assessed(&draining, seconds(5));
    journal.assessed(&assessment(Phase::Removing, Vec::new()), seconds(5));
    assert_eq!(journal.acknowledged_for(seconds(6)), Some(seconds(3)));
    let again = assessment(Phase::Draining, vec![Awaited::InjectionChange]);
    journal.assessed(&again, seconds(7));
    assert_eq!(
        journal.acknowledged_for(seconds(8)),
        None,
        "it was set back"
    );
}

#[test]
fn what_applying_the_daemon_set_does_is_known_of_that_version_only() {
    let mut journal = Journal::start(Timeouts::default());
    assert_eq!(journal.effect_of_applying("1"), None);
    journal.tried_daemon_set("1", Effect::KeepsPods);
    assert_eq!(journal.effect_of_applying("1"), Some(Effect::KeepsPods));
    assert_eq!(journal.effect_of_applying("2"), None);
}

#[test]
fn what_is_left_to_delete_is_remembered_for_the_log() {
    let mut cluster = Simulated::settled(&BOTH_PATHS);
    cluster.remove();
    cluster.assess();
    let remaining = cluster.journal.remaining();
    assert!(remaining.iter().any(|it| it.name == "istiod"));
    let rights = remaining.iter().any(|it| it.name == "istio-cni");
    assert!(
        rights,
        "they stay while pods need them, and are left as well"
    );
    assert!(!cluster.journal.has_seen_agent_go());
}

#[test]
fn what_was_deleted_does_not_remain() {
    let id = |name: &str| ObjectId::new(&CONFIG_MAP, "mesh", name);
    let mut journal = Journal::start(Timeouts::default().of_removal());
    let mut removal = assessment(Phase::Off, Vec::new());
    removal.frozen = BTreeSet::from([id("first"), id("second")]);
    journal.assessed(&removal, seconds(1));
    journal.deleted(&id("first"));
    assert_eq!(journal.remaining(), [id("second")]);
    journal.assessed(&removal, seconds(2));
    assert_eq!(journal.remaining(), [id("first"), id("second")]);
}

#[test]
fn what_was_seen_before_another_unit_may_have_led_is_looked_at_again() {
    let mut journal = Journal::start(Timeouts::default());
    journal.asked_for_leadership(true, seconds(29));
    assert!(
        journal.may_act_on_view_of(seconds(0)),
        "it has led all the time"
    );
    journal.asked_for_leadership(true, seconds(58));
    assert!(journal.may_act_on_view_of(seconds(0)));
    journal.asked_for_leadership(true, seconds(88));
    assert!(!journal.may_act_on_view_of(seconds(87)));
    assert!(journal.may_act_on_view_of(seconds(88)));
    journal.asked_for_leadership(false, seconds(90));
    journal.asked_for_leadership(true, seconds(119));
    assert!(!journal.may_act_on_view_of(seconds(118)));
}

#[test]
fn a_unit_is_asked_before_a_look_where_it_was_told_long_ago() {
    let mut journal = Journal::start(Timeouts::default());
    assert!(!journal.should_ask_for_leadership(seconds(14)));
    assert!(journal.should_ask_for_leadership(seconds(15)));
    journal.asked_for_leadership(true, seconds(15));
    assert!(!journal.should_ask_for_leadership(seconds(29)));
    assert!(journal.should_ask_for_leadership(seconds(30)));
}

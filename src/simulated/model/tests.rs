//! Random stories of the model.

use std::env;

use proptest::collection::vec;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use super::events::{Event, event};
use super::{Fault, Model};

/// How many events are played; `ISTIO_PILOT_MODEL_STEPS` replaces it.
const STEPS: u32 = 100_000;
/// Which stories are played; `ISTIO_PILOT_MODEL_SEED` chooses others.
const SEED: u32 = 1;
/// How often a story that is found is made shorter.
const SHRINKS: u32 = 500;
/// The longest story.
const LONGEST: u32 = 400;
/// With how many seeds a defect is searched for: it may show itself in another way first.
const MOST_SEEDS: u32 = 10;

/// A story in which something has happened that must not happen.
struct Found {
    violation: String,
    events: Vec<Event>,
}

/// Plays events, and lets the model come to rest.
fn play(fault: Option<Fault>, events: &[Event]) -> Result<(), TestCaseError> {
    let mut model = Model::new(fault);
    for event in events {
        model.happen(event);
        if model.violation.is_some() {
            break;
        }
    }
    if model.violation.is_none() {
        model.come_to_rest();
    }
    match model.violation {
        None => Ok(()),
        Some(violation) => {
            let story = model.story.join("\n");
            Err(TestCaseError::fail(format!("{violation}\n{story}")))
        }
    }
}

/// Plays so many random events, one story at least.
fn search(fault: Option<Fault>, seed: u32, steps: u32, shrinks: u32) -> Option<Found> {
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&seed.to_le_bytes());
    let config = Config {
        // Stories are half as long as the longest, on average.
        cases: (steps / (LONGEST / 2)).max(1),
        failure_persistence: None,
        max_shrink_iters: shrinks,
        ..Config::default()
    };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let stories = vec(event(), 0..LONGEST as usize);
    match runner.run(&stories, |events| play(fault, &events)) {
        Ok(()) => None,
        Err(TestError::Fail(story, events)) => Some(Found {
            violation: story.to_string(),
            events,
        }),
        Err(error) => panic!("with the seed {seed}: {error}"),
    }
}

#[test]
fn nothing_is_stranded_whatever_happens() {
    let number = |name: &str| env::var(name).ok()?.parse().ok();
    let steps: u32 = number("ISTIO_PILOT_MODEL_STEPS").unwrap_or(STEPS);
    let seed = number("ISTIO_PILOT_MODEL_SEED").unwrap_or(SEED);
    println!("ISTIO_PILOT_MODEL_SEED={seed} ISTIO_PILOT_MODEL_STEPS={steps}");
    if let Some(found) = search(None, seed, steps, SHRINKS) {
        let (story, count) = (found.violation, found.events.len());
        panic!("with the seed {seed}: {story}\n{count} events");
    }
}

/// A unit with a defect is found, by what the defect does.
#[track_caller]
fn check_fault(fault: Fault, violation: &str) {
    let mut others = String::new();
    for seed in 1..=MOST_SEEDS {
        let Some(found) = search(Some(fault), seed, 20_000, 0) else {
            continue;
        };
        let text = found.violation;
        if text.contains(&format!("VIOLATED: {violation}")) {
            return;
        }
        others.extend(text.lines().next());
        others.push('\n');
    }
    panic!("it is not found, but:\n{others}");
}

#[test]
fn the_model_finds_a_unit_that_does_not_ask_whether_it_leads() {
    check_fault(Fault::TrustsItsLeadership, "unit");
}

#[test]
fn the_model_finds_a_unit_that_does_not_look_again_after_another_may_have_led() {
    let config = "ConfigMap mesh/istio-sidecar-injector is written over";
    check_fault(Fault::TrustsItsView, config);
}

#[test]
fn the_model_finds_a_unit_that_writes_over_what_it_has_not_seen() {
    let config = "ConfigMap mesh/istio-sidecar-injector is written over";
    check_fault(Fault::WritesOverAnything, config);
}

#[test]
fn the_model_finds_a_unit_that_overlooks_pods() {
    check_fault(Fault::OverlooksPods, "the node agent goes while p");
}

#[test]
fn the_model_finds_a_unit_that_overlooks_nodes_that_are_away() {
    check_fault(Fault::OverlooksNodesAway, "the node agent goes while n");
}

#[test]
fn the_model_finds_a_unit_that_does_not_ask_istiods() {
    check_fault(Fault::BelievesIstiods, "the node agent goes while p");
}

#[test]
fn the_model_finds_a_unit_that_does_not_wait_for_node_agents() {
    check_fault(Fault::BelievesAgents, "active: CNI on");
}

#[test]
fn the_model_finds_a_unit_that_overlooks_the_pods_of_the_node_agent() {
    check_fault(
        Fault::OverlooksAgentPods,
        "ServiceAccount mesh/istio-cni goes while",
    );
}

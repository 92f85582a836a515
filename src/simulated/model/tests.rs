//! Random stories of the model.

use std::env;

use proptest::collection::vec;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use super::Model;
use super::events::{Event, event};

/// How many events are played; `ISTIO_PILOT_MODEL_STEPS` replaces it.
const STEPS: u32 = 100_000;
/// Which stories are played; `ISTIO_PILOT_MODEL_SEED` chooses others.
const SEED: u32 = 1;
/// The longest story.
const LONGEST: u32 = 400;

/// Plays events, and lets the model come to rest.
fn play(events: &[Event]) -> Result<(), TestCaseError> {
    let mut model = Model::new();
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

#[test]
fn nothing_is_stranded_whatever_happens() {
    let number = |name: &str| env::var(name).ok()?.parse().ok();
    let steps: u32 = number("ISTIO_PILOT_MODEL_STEPS").unwrap_or(STEPS);
    let seed = number("ISTIO_PILOT_MODEL_SEED").unwrap_or(SEED);
    println!("ISTIO_PILOT_MODEL_SEED={seed} ISTIO_PILOT_MODEL_STEPS={steps}");
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&seed.to_le_bytes());
    let config = Config {
        // Stories are half as long as the longest, on average.
        cases: steps / (LONGEST / 2),
        failure_persistence: None,
        max_shrink_iters: 2000,
        ..Config::default()
    };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let stories = vec(event(), 0..LONGEST as usize);
    match runner.run(&stories, |events| play(&events)) {
        Ok(()) => {}
        Err(TestError::Fail(story, events)) => {
            panic!("with the seed {seed}: {story}\n{} events", events.len());
        }
        Err(error) => panic!("with the seed {seed}: {error}"),
    }
}

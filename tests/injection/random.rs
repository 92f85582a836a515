//! Random workloads: equal to upstream's, and with no rights that nobody asked for.
//!
//! 500 a run, or `INJECTION_WORKLOADS`. A failure prints the seed, which `INJECTION_SEED` takes,
//! and the smallest workload found that fails in the same way.

use istio_pilot::istio::Injection;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::Value;

use crate::capabilities::excesses;
use crate::compare::{Place, differences, reviewed};
use crate::generator;
use crate::kube_inject::KubeInject;
use crate::setup::Setup;
use crate::workloads::{self, Workload};

/// Steps spent on making a failing workload smaller; each starts the injector twice.
const SHRINKING_STEPS: usize = 150;

/// One setup with both injectors.
struct Injectors {
    setup: Setup,
    upstream: KubeInject,
    ours: KubeInject,
}

impl Injectors {
    /// Both states of the CNI, with native sidecars and without.
    fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for injection in [Injection::IstioInit, Injection::IstioValidation] {
            for native in [true, false] {
                let setup = Setup::plain(injection);
                all.push(Self {
                    upstream: KubeInject::new(&setup.upstream(), native),
                    ours: KubeInject::new(&setup.ours(), native),
                    setup,
                });
            }
        }
        all
    }

    /// What is wrong with each workload.
    fn problems(&self, workloads: &[Workload]) -> Vec<Vec<String>> {
        let upstream = outcomes(&self.upstream, workloads);
        let ours = outcomes(&self.ours, workloads);
        workloads
            .iter()
            .zip(upstream.iter().zip(&ours))
            .map(|(workload, outcomes)| match outcomes {
                (Ok(upstream), Ok(ours)) => self.problem(workload, upstream, ours),
                (Err(_), Err(_)) => Vec::new(),
                (Err(error), Ok(_)) => vec![format!("only upstream fails: {error}")],
                (Ok(_), Err(error)) => vec![format!("only ours fails: {error}")],
            })
            .collect()
    }

    fn problem(&self, workload: &Workload, upstream: &str, ours: &str) -> Vec<String> {
        let equal = upstream == ours;
        // Parsing is most of the work: as little as possible.
        if equal && !self.setup.validates() {
            return Vec::new();
        }
        let parse = |text| serde_yaml::from_str::<Value>(text).unwrap();
        let ours = parse(ours);
        let different = (!equal).then(|| parse(upstream));
        let upstream = different.as_ref().unwrap_or(&ours);
        let place = Place {
            setup: &self.setup,
            workload,
            ours: &ours,
        };
        let mut problems: Vec<String> = differences(upstream, &ours)
            .iter()
            .filter(|difference| reviewed(&place, difference).is_none())
            .map(ToString::to_string)
            .collect();
        if self.setup.validates() {
            problems.extend(excesses(&workload.object, upstream, &ours));
        }
        problems
    }
}

/// What becomes of each workload. One that cannot be injected ends the program, so that it has to
/// be looked for.
fn outcomes(program: &KubeInject, workloads: &[Workload]) -> Vec<Result<String, String>> {
    let stream = workloads::stream(workloads.iter().map(|workload| workload.text.as_str()));
    match program.inject(&stream) {
        Ok(injected) => {
            assert_eq!(injected.len(), workloads.len());
            injected.into_iter().map(Ok).collect()
        }
        Err(error) if workloads.len() == 1 => vec![Err(error.to_string())],
        Err(_) => {
            let (first, second) = workloads.split_at(workloads.len() / 2);
            [outcomes(program, first), outcomes(program, second)].concat()
        }
    }
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{variable} is no number: {text}")),
    )
}

/// The seed of every ordinary run, so that a change is judged by what it changes; it once found
/// what no other had. Look for more with `INJECTION_SEED`.
const USUAL_SEED: u64 = 12_493_391_776_819_275_556;

#[test]
fn random_workloads_are_injected_as_upstream_injects_them() {
    let seed = number("INJECTION_SEED").unwrap_or(USUAL_SEED);
    let count = number("INJECTION_WORKLOADS").unwrap_or(500);
    println!("INJECTION_SEED={seed} INJECTION_WORKLOADS={count}");
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let strategy = generator::workload();
    let mut trees: Vec<_> = (0..count)
        .map(|_| strategy.new_tree(&mut runner).unwrap())
        .collect();
    let workloads: Vec<Workload> = trees
        .iter()
        .map(|tree| Workload::generated(tree.current()))
        .collect();
    for injectors in Injectors::all() {
        let problems = injectors.problems(&workloads);
        if let Some(index) = problems.iter().position(|problems| !problems.is_empty()) {
            let smallest = shrink(&mut trees[index], &injectors);
            panic!(
                "CNI {}, workload {index} of seed {seed}:\n{}\nits smallest form:\n{}\n{}",
                injectors.setup.name,
                problems[index].join("\n"),
                smallest.text,
                injectors.problems(std::slice::from_ref(&smallest))[0].join("\n"),
            );
        }
    }
}

/// The smallest workload of the tree that still has a problem.
fn shrink(tree: &mut impl ValueTree<Value = Value>, injectors: &Injectors) -> Workload {
    let mut smallest = Workload::generated(tree.current());
    for _ in 0..SHRINKING_STEPS {
        let workload = Workload::generated(tree.current());
        let moved = if injectors.problems(std::slice::from_ref(&workload))[0].is_empty() {
            tree.complicate()
        } else {
            smallest = workload;
            tree.simplify()
        };
        if !moved {
            break;
        }
    }
    smallest
}
